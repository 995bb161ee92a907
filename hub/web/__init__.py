"""The hub's HTTP API, the sessions of the console, and the console's files."""
