"""Making and signing releases: a key, an archive with its manifest, and a list of checksums."""
