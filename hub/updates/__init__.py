"""Releases for boxes: what an administrator put into the hub's folder, checked and passed on."""
