"""Updates of a box: a release from its hub, tried, and kept only if it works."""
