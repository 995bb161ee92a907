"""What the keys and lamps of a telephone on USB mean, read from what it says of itself."""
