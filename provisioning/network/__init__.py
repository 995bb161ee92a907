"""Joining a network: what decides is pure, and NetworkManager does it."""
