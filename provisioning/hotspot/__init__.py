"""The page that a phone sees on the set-up hotspot."""
