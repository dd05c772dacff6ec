"""Benchmarks: each figure beside its floor in the same run. `make bench`; how to read them: docs/reference/benchmarks.md."""
