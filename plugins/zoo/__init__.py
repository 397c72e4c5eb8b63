"""Detectors that others published, and a look into any: `vidan models`."""
