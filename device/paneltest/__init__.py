"""``stagebox test-panel``: press each button, see each lamp, hear each tone, without a hub."""
