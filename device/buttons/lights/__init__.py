"""Lamps of all kinds behind one port."""
