"""Benchmarks against real peers and against the physical limit; see README.md."""
