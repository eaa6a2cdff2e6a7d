"""Measurements behind every claim of speed. `python -m benchmarks.NAME`, with `--json` for one object."""
