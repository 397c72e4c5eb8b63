"""Which objects went from which line or zone to which other, and when."""

from dataclasses import replace
from itertools import pairwise

import pytest

from vidan import ConfigError, Event, Measure
from vidan.cli import main as cli
from vidan.config.build import BuildContext
from vidan.events import CROSSED, ENTERED, EXITED, FLOW, PASSED
from vidan.execution.assemble import build_analyzers
from vidan.runtime.analysis import Analysis
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.flows import Flows
from vidan_plugins.analytics.lines import Lines
from vidan_plugins.analytics.zones import Zones

from .paths import events_of, path, result, results, straight
from .restarts import check_restarts

SCENE = {
    "lines": {
        "west": {"from": [100, 0], "to": [100, 480]},
        "east": {"from": [540, 0], "to": [540, 480]},
    },
    "zones": {"till": {"polygon": [[250, 100], [390, 100], [390, 400], [250, 400]]}},
}
Y = 240.0


def walk(*stops, speed=5.0):
    """Points of a path along a horizontal line through x positions; a number twice is a pause."""
    points = []
    for begin, end in pairwise(stops):
        count = round(abs(end - begin) / speed) or 60
        points += [(begin + (end - begin) * n / count, Y) for n in range(count)]
    return points


def flows_of(*paths, tail=120, **options):
    analysis = Analysis({"lines": Lines(SCENE), "zones": Zones(SCENE), "flows": Flows(**options)})
    events = [e for one in results(*paths, tail=tail) for e in analysis.update(one).events]
    events += [event for left in analysis.finish() for event in left]
    return [event for event in events if event.kind == FLOW], analysis


def pairs(events):
    return [(event.data["origin"], event.data["destination"]) for event in events]


class TestFlows(AnalyzerSuite):
    def make(self, tmp_path):
        return Flows()

    def results(self):
        """With events as of `lines`."""
        names = ("west", "east")
        return [
            replace(one, events=tuple(at(names[one.frame.index // 8 % 2], one.frame.time,
                                         frame=one.frame.index, track=int(number))
                                      for number in one.tracks.ids[:2]))
            if one.frame.index % 8 == 4 else one
            for one in super().results()
        ]  # fmt: skip

    def check(self, events):
        assert {event.kind for event in events} == {FLOW}

    def test_runs_in_a_pipeline(self, tmp_path):
        """It reports nothing without other analyzers: see the tests below."""


def at(rule, time, kind=CROSSED, *, phase="point", track=1, name=None, frame=0, **data):
    """An event of `lines` or `zones`."""
    return Event(
        id=name or f"test/{rule}/{time}",
        kind=kind,
        phase=phase,
        stream="test",
        rule=rule,
        time=time,
        frame=frame,
        track=track,
        label="person",
        box=(0.0, 0.0, 10.0, 20.0),
        at=(5.0, 20.0),
        data=data,
    )


def run(*events, fps=10.0, seconds=12.0, delay=0.0, **options):
    """The flows of events, each of which becomes known after a delay, or in its data."""
    flows, found = Flows(**options), []
    for n in range(round(seconds * fps)):
        now = n / fps
        known = [e for e in events if now - 1 / fps < e.time + e.data.get("delay", delay) <= now]
        found += flows.update(replace(result(n, [], fps=fps), events=tuple(known)))
    return found + list(flows.finish())


def test_from_a_line_through_a_zone_to_a_line():
    flows, analysis = flows_of(path(walk(20, 320, 320, 620)))
    assert pairs(flows) == [("west", "till"), ("till", "east")]
    first, second = flows
    assert first.data["seconds"] == pytest.approx((250 - 100) / 5 / 30, abs=0.05)
    assert second.data["seconds"] == pytest.approx((540 - 390) / 5 / 30, abs=0.05)
    assert first.time == pytest.approx((250 - 20) / 5 / 30, abs=0.05)
    assert (first.id, first.phase, first.rule) == ("test/flows/1", "point", "flows")
    assert (first.track, first.label, first.data["joined"]) == (1, "car", False)
    labels = (("origin", "west"), ("destination", "till"), ("label", "car"))
    assert analysis.measures()[Measure("flows_total", labels)] == 1


def test_fast_through_a_zone_counts_as_being_there():
    flows, _ = flows_of(path(walk(20, 620, speed=25.0)))
    assert pairs(flows) == [("west", "till"), ("till", "east")]


def test_an_object_that_begins_inside_came_from_there():
    flows, _ = flows_of(path(walk(320, 320, 620)))
    assert pairs(flows) == [("till", "east")]


def test_the_same_place_again_is_no_flow():
    flows, _ = flows_of(path(walk(20, 180, 20, 180, 620)))
    assert pairs(flows) == [("west", "till"), ("till", "east")]


def test_there_and_back():
    flows, _ = flows_of(path(walk(20, 320, 320, 20)))
    assert pairs(flows) == [("west", "till"), ("till", "west")]


def test_each_object_has_its_own_journey():
    one = path(walk(20, 620))
    other = path([(x, 300.0) for x, _ in walk(620, 20)], track=2, label="person")
    flows, analysis = flows_of(one, other)
    assert sorted(pairs(flows)) == sorted(
        [("west", "till"), ("till", "east"), ("east", "till"), ("till", "west")]
    )
    assert sum(analysis.measures().values()) > 4


@pytest.mark.parametrize("gap", [0, 10, 25])
def test_a_broken_track_continues_its_journey(gap):
    points = walk(20, 620)
    cut = 38  # between the line and the zone
    old, new = path(points[:cut]), path(points[cut + gap :], start=cut + gap, track=2)
    flows, _ = flows_of(old, new)
    assert pairs(flows) == [("west", "till"), ("till", "east")]
    assert [flow.data["joined"] for flow in flows] == [True, True]
    assert flows[0].track == 2


def test_another_object_does_not_continue_a_journey():
    points = walk(20, 620)
    far = [(x, 60.0) for x, _ in points[45:]]
    flows, _ = flows_of(path(points[:40]), path(far, start=45, track=2))
    assert pairs(flows) == []


def test_events_are_ordered_by_their_time():
    late = at("a", 1.0, delay=1.0), at("b", 1.5, delay=0.1)
    assert pairs(run(*late)) == [("a", "b")]


def test_a_visit_that_another_track_ended_is_of_one_object():
    events = [
        at("line", 1.0, track=7),
        at("zone", 2.0, ENTERED, phase="start", track=7, name="visit"),
        at("zone", 6.0, EXITED, phase="end", track=9, name="visit", dwell=4.0, joined=True),
        at("other", 8.0, track=9),
    ]
    one, two = run(*events)
    assert pairs([one, two]) == [("line", "zone"), ("zone", "other")]
    assert two.data["seconds"] == pytest.approx(2.0)
    assert (one.data["joined"], two.data["joined"]) == (False, True)


def test_a_visit_within_which_a_line_is_crossed():
    events = [
        at("zone", 1.0, ENTERED, phase="start", track=7, name="visit"),
        at("line", 3.0, track=9),
        at("zone", 6.0, EXITED, phase="end", track=9, name="visit", dwell=5.0, joined=True),
        at("other", 7.0, track=9),
    ]
    flows = run(*events)
    assert sorted(pairs(flows)) == [("line", "other"), ("zone", "line")]
    assert {f.data["destination"]: f.data["seconds"] for f in flows} == {"line": 0.0, "other": 4.0}


def test_where_an_object_began_may_be_known_last():
    events = [
        at("line", 3.0),
        at("zone", 6.0, EXITED, phase="end", name="v", dwell=5.5, began_inside=True, delay=0.5),
        at("other", 9.0),
    ]
    assert sorted(pairs(run(*events))) == [("line", "other"), ("zone", "line")]


def test_a_passage_is_a_place():
    flows = run(at("line", 1.0), at("zone", 2.0, PASSED), at("other", 3.0))
    assert pairs(flows) == [("line", "zone"), ("zone", "other")]


def test_the_time_from_a_zone_that_was_not_left_is_0():
    events = at("zone", 1.0, ENTERED, phase="start", name="v"), at("line", 3.0)
    assert [flow.data["seconds"] for flow in run(*events)] == [0.0]


def test_what_is_pending_at_the_end_of_the_stream_is_reported():
    (flow,) = run(at("a", 10.0), at("b", 11.5))
    assert flow.time == 11.5


def test_an_object_is_forgotten_after_a_while():
    events = at("a", 1.0), at("b", 40.0)
    assert pairs(run(*events, seconds=50)) == [("a", "b")]
    assert pairs(run(*events, seconds=50, forget_after=10.0)) == []


def test_memory_is_bounded():
    flows = Flows(forget_after=5.0)
    for n in range(3000):
        row = (n, n // 10, 0, (0.0, 0.0, 20.0, 40.0))
        known = (at("ab"[n % 2], n / 10, track=n // 10),)
        flows.update(replace(result(n, [row], fps=10), events=known))
    assert len(flows._journeys) < 30
    assert len(flows._seen) < 30
    assert len(flows._waiting) < 30


def test_neither_lines_nor_zones_is_one_line(here, capsys):
    command = ["analytics=[flows]", "sink=[events]", "max_frames=2", "hydra.run.dir=out"]
    assert cli.main([*command, "source.live=false"]) == 2
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "error" in one]
    assert "analytics.flows" in line
    assert "[lines,zones,flows]" in line


def test_lines_and_zones_must_be_before():
    options = {name: {"name": name} for name in ("flows", "presence")}
    with pytest.raises(ConfigError, match="before it"):
        build_analyzers(options, BuildContext())
    with_lines = {"lines": {"name": "lines", "scene": SCENE}, "flows": {"name": "flows"}}
    assert list(build_analyzers(with_lines, BuildContext())) == ["presence", "lines", "flows"]


def test_events_of_a_straight_path_come_in_order():
    flows, _ = flows_of(path(straight((20.0, Y), (4.0, 0.0), 151)))
    assert [flow.time for flow in flows] == sorted(flow.time for flow in flows)


def stream_with_events():
    """Results with the events of lines and zones for a broken track, and for one that returns."""
    points = walk(20, 320, 320, 620)
    paths = (
        path(points[:38]),
        path(points[45:], start=45, track=2),
        path([(x, 300.0) for x, _ in walk(320, 320, 20)], track=3),
    )
    analysis = Analysis({"lines": Lines(SCENE), "zones": Zones(SCENE)})
    return [analysis.update(one) for one in results(*paths)]


def test_a_restart_at_any_frame_changes_nothing():
    events = check_restarts(Flows, stream_with_events())
    assert sorted(pairs(events)) == [("till", "east"), ("till", "west"), ("west", "till")]


def test_counts_can_be_reset():
    flows = Flows()
    events_of(flows, stream_with_events())
    assert sum(flows.measures().values()) == 3
    flows.reset_counts()
    assert sum(flows.measures().values()) == 0


@pytest.mark.parametrize("state", [{}, {"counts": 1}, {"counts": []}])
def test_what_is_no_state_is_an_error(state):
    with pytest.raises(ValueError, match="not a state of the analyzer flows"):
        Flows().restore(state)
