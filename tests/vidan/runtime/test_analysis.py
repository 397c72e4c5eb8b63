"""Analyzers that are called in order."""

import numpy as np

from tests.vidan.execution.tally import Tally
from tests.vidan.fakes import frame
from vidan import Detections, Result, Tracks
from vidan.events import Event, Measure, Shape
from vidan.runtime.analysis import Analysis
from vidan.scene import SceneContext


class Reader:
    """Reports nothing, draws a line, and keeps what it saw."""

    def update(self, result):
        self.seen = result.events
        return []

    def finish(self):
        return []

    def shapes(self):
        return [Shape("path", np.zeros((2, 2), np.float32))]


def empty(index=0):
    return Result(frame(index), Detections.empty(), Tracks.empty())


def test_each_sees_the_events_of_those_before_it():
    reader = Reader()
    analysis = Analysis({"tally": Tally(), "reader": reader})
    result = analysis.update(empty())
    assert result.events == reader.seen
    assert len(result.events) == 1
    assert len(result.shapes) == 1
    assert result.measures == analysis.measures() == {Measure("tally_total"): 1.0}
    assert result.timings["analytics"] > 0
    assert analysis.current == "reader"
    assert list(analysis.finish()) == [(), ()]


def test_without_analyzers_the_result_is_the_same_object():
    result = empty()
    assert Analysis({}).update(result) is result


class Counting:
    """A sink of events that counts them."""

    def emit(self, events):
        pass

    def measures(self):
        return {Measure("events_waiting", (("sink", "counting"),)): 2.0}

    def close(self):
        pass


def test_results_have_the_measures_of_sinks_too():
    analysis = Analysis({"tally": Tally()}, [Counting(), object()])
    expected = {Measure("tally_total"): 1.0} | Counting().measures()
    assert analysis.update(empty()).measures == expected


class Drawn:
    """Reports each scene that it is given."""

    def __init__(self):
        self.scenes = []

    def update(self, result):
        return []

    def change_scene(self, scene):
        self.scenes.append(scene)
        return [Event("x/1", "drawn", "point", "x", "drawn", 0.0, 0)]

    def finish(self):
        return []


def test_an_edited_scene_applies_from_the_next_frame_on():
    drawn, reader = Drawn(), Reader()
    analysis = Analysis({"tally": Tally(), "drawn": drawn, "reader": reader})
    analysis.update(empty())
    scene = SceneContext({"lines": {}})
    analysis.change_scene(SceneContext({}))
    analysis.change_scene(scene)
    result = analysis.update(empty(1))
    assert drawn.scenes == [scene]
    assert [event.kind for event in result.events].count("drawn") == 1
    assert result.events == reader.seen
    analysis.update(empty(2))
    assert drawn.scenes == [scene]
