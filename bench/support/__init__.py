"""What the benchmarks share: figures, tables, workers, voices and receivers."""
