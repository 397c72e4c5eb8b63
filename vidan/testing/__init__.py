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
pytest.register_assert_rewrite("vidan.testing.suites")

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
from .suites import AnalyzerSuite, DetectorSuite, SinkSuite, SourceSuite, TrackerSuite  # noqa: E402

__all__ = [
    "AnalyzerSuite",
    "DetectorSuite",
    "ListSource",
    "RecordingSink",
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
