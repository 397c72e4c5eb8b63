"""Everything that comes built in: sources, detectors, trackers and sinks."""

from vidan.support import image_limit, telemetry

image_limit.set_limit()
telemetry.decline()
