"""A trace of a run, in the format of Perfetto."""

import itertools
import json
import os
from collections import defaultdict

from vidan.execution.parts import Parts, with_trace
from vidan.interfaces import ReportsOutages, ReportsOutputs, StatsAware, Stoppable
from vidan.outages import Outages
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream
from vidan.tracing.trace import Span, Trace, now

from .. import fakes


def run(source, detector, sinks, **settings):
    """The trace of a run."""
    trace = Trace()
    parts = with_trace(Parts(source, detector, fakes.FakeTracker(), sinks), trace, {})
    stream = Stream(parts.source, parts.tracker, parts.sinks)
    Pipeline(stream, parts.detector, **settings).run()
    return trace


def traced(tmp_path, source, **settings):
    sinks = {"list": fakes.FakeSink()}
    trace = run(source, fakes.FakeDetector(), sinks, **settings)
    trace.write(tmp_path / "trace.json")
    return json.loads((tmp_path / "trace.json").read_text())


def test_every_stage_of_every_frame_has_a_span(tmp_path):
    found = traced(tmp_path, fakes.FakeSource(5))
    frames = defaultdict(list)
    for event in found["traceEvents"]:
        if event["ph"] == "X" and event["cat"] == "stage":
            frames[event["name"]].append(event["args"]["frame"])
    stages = ["source", "detector", "tracker", "sink.list"]
    assert frames == {stage: [0, 1, 2, 3, 4] for stage in stages}


def test_spans_of_a_thread_are_nested_and_threads_have_names(tmp_path):
    found = traced(tmp_path, fakes.FakeSource(5))
    events = found["traceEvents"]
    assert {event["pid"] for event in events} == {os.getpid()}
    names = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert sorted(names.values()) == [
        "vidan-detector-0",
        "vidan-sink-list",
        "vidan-source",
        "vidan-tracker",
    ]
    for thread in names:
        spans = [e for e in events if e["ph"] == "X" and e["tid"] == thread]
        for span, later in itertools.pairwise(spans):
            end, later_end = (e["ts"] + e["dur"] for e in (span, later))
            assert later["ts"] >= end - 0.2 or later_end <= end + 0.2, "after or within, to 0.1 us"


def test_arrows_follow_a_frame_in_order(tmp_path):
    found = traced(tmp_path, fakes.FakeSource(3))
    arrows = defaultdict(list)
    for event in found["traceEvents"]:
        if event.get("cat") == "flow":
            arrows[event["id"]].append((event["ph"], event["ts"]))
    for steps in arrows.values():
        assert [phase for phase, _ in steps] == ["s", "t", "t", "f"]
        assert [at for _, at in steps] == sorted(at for _, at in steps)
    assert len(arrows) == 3


class PixelDetector(fakes.FakeDetector):
    """Calls `rgb` twice: the image is made once."""

    def detect(self, frames):
        for frame in frames:
            frame.rgb(), frame.rgb()
        return super().detect(frames)


class SlowFrame(fakes.GrayFrame):
    def _make_rgb(self):
        since = now()
        while now()[0] - since[0] < 0.001:
            pass
        return super()._make_rgb()


class SlowSource(fakes.FakeSource):
    def __iter__(self):
        for frame in super().__iter__():
            frame.__class__ = SlowFrame
            yield frame


def test_pixels_are_spans_within_the_stage_that_made_them(tmp_path):
    trace = run(SlowSource(2), PixelDetector(), {"list": (sink := fakes.FakeSink())})
    events = [e for e in trace.events() if e["ph"] == "X"]
    made = [e for e in events if e["cat"] == "frame"]
    assert [(e["name"], e["args"]["frame"]) for e in made] == [("rgb", 0), ("rgb", 1)]
    (stage,) = [e for e in events if e["name"] == "detector" and e["args"]["frame"] == 0]
    assert stage["tid"] == made[0]["tid"]
    assert stage["ts"] <= made[0]["ts"]
    assert made[0]["dur"] >= 1000
    assert all(isinstance(result.frame, SlowFrame) for result in sink.results)


def test_a_dropped_frame_is_marked():
    trace = Trace()
    trace.add("source", "stage", fakes.frame(7), now())
    (mark,) = [event for event in trace.events() if event["ph"] == "i"]
    assert (mark["name"], mark["args"]) == ("dropped", {"frame": 7})


def test_processors_in_use_are_averaged():
    trace = Trace()
    for n in range(5):  # samples 0.2 s apart with 0.3 s of processor time: 1.5
        at = trace.zero + 0.2 * n
        trace.record(Span("tracker", "stage", "test", n, 1, at, at, 0.0, {"process_cpu": 0.3 * n}))
    busy = [event["args"]["busy"] for event in trace.events() if event["ph"] == "C"]
    assert busy == [1.5] * 4


def test_only_the_latest_spans_are_kept(tmp_path, caplog):
    trace = Trace(max_spans=2)
    for n in range(3):
        trace.add("source", "stage", fakes.frame(n), now())
    trace.write(tmp_path / "trace.json")
    assert "only the latest 2 of 3 spans" in caplog.text
    spans = [event for event in trace.events() if event["ph"] == "X"]
    assert [span["args"]["frame"] for span in spans] == [1, 2]


def test_a_trace_that_cannot_be_written_is_logged(tmp_path, caplog):
    Trace().write(tmp_path / "no folder" / "trace.json")
    assert "cannot write" in caplog.text


class CameraSource(fakes.FakeSource):
    def __init__(self):
        super().__init__(1)
        self.stopped = False
        self.outages = Outages()

    def stop(self):
        self.stopped = True


class FileSink(fakes.FakeSink):
    outputs = ("a.txt",)

    def bind_stats(self, stats):
        self.stats = stats


def test_optional_interfaces_are_forwarded():
    source, sink = CameraSource(), FileSink()
    parts = Parts(source, fakes.FakeDetector(), fakes.FakeTracker(), {"file": sink})
    traced = with_trace(parts, Trace(), {})
    assert isinstance(traced.source, Stoppable)
    traced.source.stop()
    assert source.stopped
    assert isinstance(traced.source, ReportsOutages)
    assert traced.source.outages is source.outages
    assert isinstance(traced.sinks["file"], ReportsOutputs)
    assert traced.sinks["file"].outputs == ("a.txt",)
    assert isinstance(traced.sinks["file"], StatsAware)
    traced.sinks["file"].bind_stats("statistics")
    assert sink.stats == "statistics"


def test_optional_interfaces_may_be_missing():
    parts = Parts(
        fakes.FakeSource(), fakes.FakeDetector(), fakes.FakeTracker(), {"list": fakes.FakeSink()}
    )
    traced = with_trace(parts, Trace(), {})
    traced.source.stop()
    assert not list(traced.source.outages)
    assert not traced.sinks["list"].outputs
    traced.sinks["list"].bind_stats("statistics")
