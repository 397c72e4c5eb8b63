"""Everything that comes built in: sources, detectors, trackers and sinks."""

from vidan.support import telemetry

telemetry.decline()
