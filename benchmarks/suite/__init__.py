"""vidan's own measurements: latency, start-up, trackers, single parts."""
