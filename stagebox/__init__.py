"""Stagebox: push-to-talk boxes for live-audio spaces, and the hub they talk through."""

__version__ = "0.1.0"
