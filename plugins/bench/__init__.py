"""Measuring: what `vidan bench` and the suite in benchmarks/ share."""
