"""Everything that comes built in: sources, detectors, trackers and sinks."""
