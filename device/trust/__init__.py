"""Whom a box belongs to: how it is enrolled, what it keeps of that, and how it forgets."""
