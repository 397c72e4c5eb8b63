"""Benchmarks of vidan; README.md in this folder explains and lists them."""
