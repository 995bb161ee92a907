"""Whom the hub believes: its certificates for boxes, the boxes it knows, and how one is added."""
