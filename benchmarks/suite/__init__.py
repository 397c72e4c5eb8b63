"""Measurements of vidan: latency, start-up, trackers, single functions."""
