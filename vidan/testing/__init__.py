"""For tests of plugins: what a component must do, as test classes, and small parts to try it with.

A plugin's test subclasses the suite of its kind and says how the component is made; pytest runs
the rest:

    from vidan.testing import TrackerSuite

    class TestMine(TrackerSuite):
        def make(self, tmp_path):
            return MyTracker()

Needs pytest. The built-in components pass the same suites.
"""

import pytest

# Before they are imported: pytest then says what was compared in an assertion that fails.
KINDS = ("source", "detector", "tracker", "analyzer", "sink", "runner")
pytest.register_assert_rewrite(*(f"{__name__}.{kind}_suite" for kind in KINDS))

from .analyzer_suite import AnalyzerSuite  # noqa: E402
from .detector_suite import DetectorSuite  # noqa: E402
from .parts import (  # noqa: E402
    ListSource,
    RecordingSink,
    TruthDetector,
    array_frame,
    blank,
    clip,
    detections,
    frame,
    frames,
    result,
    walkers,
)
from .runner_suite import RunnerSuite  # noqa: E402
from .sink_suite import SinkSuite  # noqa: E402
from .source_suite import SourceSuite  # noqa: E402
from .tracker_suite import TrackerSuite  # noqa: E402

__all__ = [
    "AnalyzerSuite",
    "DetectorSuite",
    "ListSource",
    "RecordingSink",
    "RunnerSuite",
    "SinkSuite",
    "SourceSuite",
    "TrackerSuite",
    "TruthDetector",
    "array_frame",
    "blank",
    "clip",
    "detections",
    "frame",
    "frames",
    "result",
    "walkers",
]
