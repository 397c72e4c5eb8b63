"""Benchmarks: latency at 1080p, peers, single parts. See README.md beside this file."""
