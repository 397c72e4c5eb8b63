"""Every line sequence of 200 px lines and 20 px boxes, and what events and explanations contain."""

import logging
from itertools import pairwise

import numpy as np
import pytest

import vidan
from vidan import ConfigError, Measure
from vidan.events import CROSSED
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.lines import Lines

from .paths import LABELS, counts, events_of, path, result, results, straight

LINE = {"from": [220, 240], "to": [420, 240]}  # left to right: downward is to the right, "in"
X = 320.0  # of its middle


def analyzer(line=LINE, **options):
    return Lines({"lines": {"line": line}}, **options)


def run(*paths, line=LINE, fps=30.0, **options):
    return events_of(analyzer(line, **options), results(*paths, fps=fps))


class TestLines(AnalyzerSuite):
    def make(self, tmp_path):
        return Lines({"lines": {"door": {"from": [0.5, 0], "to": [0.5, 1]}}})


def down(y0, y1, count, x=X):
    """Points of a vertical movement."""
    return [(x, float(y)) for y in np.linspace(y0, y1, count)]


def vertical(speed, *, up=False):
    begin, step = ((X, 340.0), -speed) if up else ((X, 140.0), speed)
    return straight(begin, (0.0, step), round(200 / speed) + 1)


SEQUENCES = {
    "1_down_at_2_px_per_frame": ([path(vertical(2))], (1, 0)),
    "1_down_at_5_px_per_frame": ([path(vertical(5))], (1, 0)),
    "1_down_at_10_px_per_frame": ([path(vertical(10))], (1, 0)),
    "1_up_at_5_px_per_frame": ([path(vertical(5, up=True))], (0, 1)),
    "2_fast_at_60_px_per_frame_visible_in_4_frames": (
        [path(straight((X, 150.0), (0, 60.0), 4))],
        (1, 0),
    ),
    "3_exactly_on_the_line_for_one_frame_downward": (
        [path([*down(200, 235, 8), (X, 240.0), *down(245, 280, 8)])],
        (1, 0),
    ),
    "3_exactly_on_the_line_for_one_frame_upward": (
        [path([*down(280, 245, 8), (X, 240.0), *down(235, 200, 8)])],
        (0, 1),
    ),
    "4_touches_the_line_from_above_and_turns_back": (
        [path([*down(200, 240, 9), *down(235, 200, 8)])],
        (0, 0),
    ),
    "4_touches_the_line_from_below_and_turns_back": (
        [path([*down(280, 240, 9), *down(245, 280, 8)])],
        (0, 0),
    ),
    "5_stays_30_frames_3_px_behind_the_line_and_returns": (
        [path([*down(200, 243, 10), *[(X, 243.0)] * 30, *down(240, 200, 10)])],
        (0, 0),
    ),
    "5_jitters_30_frames_within_3_px_and_returns": (
        [path([*down(200, 238, 10), *[(X, 240 + 3.0 * (-1) ** n) for n in range(30)],
               *down(238, 200, 10)])],
        (0, 0),
    ),
    "6_crosses_and_comes_back_5_s_later": (
        [path([*down(140, 340, 40), *[(X, 340.0)] * 150, *down(340, 140, 40)])],
        (1, 1),
    ),
    "7_passes_beyond_the_right_end": (
        [path(straight((440.0, 140.0), (0, 5.0), 41))],
        (0, 0),
    ),
    "7_walks_around_the_left_end_and_back_through_the_line": (
        [path([*down(140, 340, 40, x=200), *straight((200.0, 340.0), (4, 0), 30),
               *down(340, 140, 40)])],
        (0, 1),
    ),
    "8_not_detected_for_10_frames_while_crossing": (
        [path([p if not 15 <= n < 25 else None for n, p in enumerate(vertical(5))])],
        (1, 0),
    ),
    "10_at_45_degrees": ([path(straight((220.0, 140.0), (5.0, 5.0), 41))], (1, 0)),
    "10_grazing_at_3_degrees": (
        [path(straight((222.0, 240 - 98 * np.tan(np.radians(3))),
                       (2 * np.cos(np.radians(3)), 2 * np.sin(np.radians(3))), 160))],
        (1, 0),
    ),
    "14_5_objects_in_the_same_frame": (
        [path(straight((240.0 + 40 * n, 141.0), (0, 5.0), 41), track=n + 1) for n in range(5)],
        (5, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("paths", "expected"), SEQUENCES.values(), ids=SEQUENCES)
def test_sequence_at_a_horizontal_line_of_200_px(paths, expected):
    events = run(*paths)
    assert counts(events) == expected
    assert all(event.data["delay"] <= 1.0 for event in events)
    assert not any(event.data["joined"] for event in events)


@pytest.mark.parametrize("missing", [0, 1, 5, 10, 20, 27])
@pytest.mark.parametrize("speed", [2, 5])
def test_sequence_9_the_id_changes_while_crossing(speed, missing):
    points = vertical(speed)
    middle = len(points) // 2
    first, last = middle - 1 - missing // 2, middle + (missing + 1) // 2
    old, new = path(points[:first]), path(points[last:], start=last, track=2)
    (event,) = run(old, new)
    assert (event.data["direction"], event.data["joined"], event.track) == ("in", True, 2)
    assert event.at == pytest.approx((X, 240))
    assert event.time == pytest.approx(100 / speed / 30, abs=0.01)


def test_sequence_9_the_object_is_slower_while_it_is_hidden():
    old, new = path(down(140, 234, 20)), path(down(246, 340, 20), start=44, track=2)
    (event,) = run(old, new)
    assert event.data["joined"]


@pytest.mark.parametrize(
    ("where", "points"),
    [
        ("60 px to the side", straight((X + 60, 245.0), (0, 5.0), 20)),
        ("far ahead", straight((X, 440.0), (0, 1.0), 20)),
        ("opposite to the motion", straight((X, 140.0), (0, 5.0), 40)),
    ],
)
def test_another_object_that_appears_elsewhere_is_not_joined(where, points):
    events = run(path(down(140, 234, 20)), path(points, start=24, track=2))
    assert not any(event.data["joined"] for event in events)


def test_a_new_object_more_than_a_second_later_is_not_joined():
    assert run(path(down(140, 234, 20)), path(down(246, 340, 20), start=52, track=2)) == []


def test_one_track_is_continued_by_one_other():
    new = [path(straight((X + dx, 246.0), (0, 5.0), 20), start=22, track=2 + n)
           for n, dx in enumerate((0, 6))]  # fmt: skip
    events = run(path(down(140, 234, 20)), *new)
    assert [(event.track, event.data["joined"]) for event in events] == [(2, True)]


def test_sequence_11_the_label_is_a_vote_over_the_track():
    points = vertical(5)
    labels = ["truck" if 20 <= n <= 22 else "car" for n in range(len(points))]
    (event,) = run(path(points, label=labels))
    assert event.label == "car"


def test_sequence_12_two_lines_that_share_an_end_point():
    scene = {"lines": {"left": {"from": [220, 240], "to": [320, 240]},
                       "right": {"from": [320, 240], "to": [420, 240]}}}  # fmt: skip
    for x, expected in ((270.0, ["left"]), (370.0, ["right"]), (320.0, 1)):
        events = events_of(Lines(scene), results(path(straight((x, 140.0), (0, 5.0), 41))))
        if expected == 1:  # exactly through the shared point
            assert len(events) == 1
        else:
            assert [event.rule for event in events] == expected


@pytest.mark.parametrize(
    ("line", "there", "back"),
    [
        ({"from": [320, 140], "to": [320, 340]}, (420.0, 240.0), (220.0, 240.0)),  # vertical
        ({"from": [300, 140], "to": [340, 340]}, (420.0, 260.0), (220.0, 220.0)),  # steep diagonal
    ],
    ids=["vertical", "steep_diagonal"],
)
def test_sequence_13_both_directions(line, there, back):
    outward = [tuple(p) for p in np.linspace(there, back, 40)]
    events = run(path([*outward, *outward[::-1]]), line=line)
    # Standing at the upper end and facing down, the left of the image is to the right.
    assert [event.data["direction"] for event in events] == ["in", "out"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"from": [320, 0], "to": [320, 480]}, (0, 1)),
        ({"from": [0.5, 0], "to": [0.5, 0.995]}, (0, 1)),
        ({"from": [0.5, 0], "to": [0.5, 0.9]}, (0, 0)),
    ],
    ids=["to_the_edge", "almost_to_the_edge", "shorter"],
)
def test_an_anchor_below_the_image_crosses_a_line_that_ends_at_the_edge(line, expected):
    box_is_cut_off = straight((250.0, 500.0), (4.0, 0), 40)
    assert counts(run(path(box_is_cut_off, size=60.0), line=line)) == expected


def test_in_left_swaps_the_directions():
    assert counts(run(path(vertical(5)), line=LINE | {"in": "left"})) == (0, 1)


def test_only_the_given_labels_are_counted():
    paths = path(vertical(5)), path(straight((X + 50, 140.0), (0, 5.0), 41), track=2, label="truck")
    assert [event.label for event in run(*paths, line=LINE | {"labels": ["truck"]})] == ["truck"]


@pytest.mark.parametrize(("anchor", "y"), [("bottom", 240), ("center", 240), ("top", 240)])
def test_the_anchor_is_what_crosses(anchor, y):
    (event,) = run(path(vertical(5)), line=LINE | {"anchor": anchor})
    assert event.at[1] == pytest.approx(y)


def test_an_event_is_dated_and_located_where_the_path_crossed():
    (event,) = run(path(straight((300.0, 141.0), (1.0, 6.0), 40)))
    frames = (240 - 141) / 6
    assert event.kind == CROSSED
    assert (event.phase, event.rule, event.track, event.label) == ("point", "line", 1, "car")
    assert event.time == pytest.approx(frames / 30)
    assert event.frame == round(frames)
    assert event.at == pytest.approx((300 + frames, 240))
    assert event.box == pytest.approx((290 + frames, 220, 310 + frames, 240))
    assert list(event.data) == ["direction", "joined", "delay"]
    assert 0 < event.data["delay"] < 0.1
    assert event.id == "test/line/1"


def test_a_slow_crossing_is_dated_at_most_a_second_before_it_is_known():
    (event,) = run(path(straight((X, 200.0), (0, 0.05), 1000)))
    assert event.data["delay"] == pytest.approx(1.0)


def test_fractions_and_pixels_are_the_same_line():
    fractions = {"from": [220 / 640, 0.5], "to": [420 / 640, 0.5]}
    assert run(path(vertical(5)), line=fractions)[0] == run(path(vertical(5)))[0]


def test_measures_and_shapes_have_the_counts_so_far():
    lines = analyzer()
    assert lines.shapes() == []
    truck = path(straight((X + 50, 340.0), (0, -5.0), 41), track=2, label="truck")
    events_of(lines, results(path(vertical(5)), truck))
    (shape,) = lines.shapes()
    assert shape.caption == "line in 1 out 1"
    assert (shape.rule, shape.inward) == ("line", "right")
    np.testing.assert_allclose(shape.points, [[220, 240], [420, 240]])
    labels = (("line", "line"), ("direction", "in"), ("label", "car"))
    assert lines.measures()[Measure("line_crossings_total", labels)] == 1
    assert sum(lines.measures().values()) == 2


def test_measures_are_the_same_mapping_until_a_count_changes():
    lines, given = analyzer(), results(path(vertical(5)), tail=0)
    seen = []
    for one in given:
        changed = bool(lines.update(one))
        seen.append((lines.measures(), changed))
    for (before, _), (after, changed) in pairwise(seen):
        assert (after is before) != changed


def test_counts_start_from_zero_again_and_events_are_numbered_on():
    lines = analyzer()
    events_of(lines, results(path(vertical(5)), tail=0))
    lines.reset_counts()
    assert list(lines.measures().values()) == [0, 0]
    (event,) = events_of(lines, results(path(vertical(5), track=2, start=60))[60:])
    assert event.id == "test/line/2"
    assert list(lines.measures().values()) == [1, 0]


def test_a_line_for_some_labels_has_their_counts_before_anything_crosses():
    lines = analyzer(line={"from": [220, 240], "to": [420, 240], "labels": ["car", "truck"]})
    assert list(lines.measures().values()) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "state", [{}, {"counts": 1}, {"counts": [], "numbers": [], "passages": []}]
)
def test_a_state_of_something_else_is_refused(state):
    with pytest.raises(ValueError, match="not a state of the analyzer lines"):
        analyzer().restore(state)


BROKEN = {
    "two_ids_alternate": (
        [path(straight((X, 140.0), (0, 5.0), 41), track=[1 + n // 4 % 2 for n in range(41)])],
        (1, 0),
    ),
    "the_id_changes_with_every_box": (
        [path(vertical(5), track=list(range(1, 42)))],
        (1, 0),
    ),
    "the_id_changes_exactly_on_the_line": (
        [path(down(140, 240, 21)), path(down(240, 340, 21), start=20, track=2)[1:]],
        (1, 0),
    ),
    "both_ids_change_of_two_that_cross_in_opposite_directions_at_once": (
        [path(down(140, 235, 20)), path(down(245, 340, 20), start=22, track=3),
         path(down(340, 245, 20, x=X + 12), track=2),
         path(down(235, 140, 20, x=X + 12), start=22, track=4)],
        (1, 1),
    ),
    "it_dies_after_coasting_over_the_line_and_is_found_again": (
        [path(down(140, 250, 23)), path(down(252, 340, 18), start=27, track=2)],
        (1, 0),
    ),
    "it_appears_exactly_on_the_line": ([path(down(240, 340, 20))], (0, 0)),
    "it_appears_just_behind_the_line": ([path(down(245, 340, 20))], (0, 0)),
    "it_vanishes_just_behind_the_line": ([path(down(140, 242, 20))], (0, 0)),
    "5_ids_change_in_a_gap_of_half_a_second": (
        [part for n in range(5) for part in (
            path(down(150, 230, 17, x=240.0 + 40 * n), track=n + 1),
            path(down(305, 385, 17, x=240.0 + 40 * n), start=31, track=n + 11))],
        (5, 0),
    ),
    "a_neighbor_appears_beside_an_object_that_vanished": (
        [path(down(140, 235, 20)), path(down(250, 340, 18, x=X + 30), start=25, track=2)],
        (0, 0),
    ),
    "a_much_larger_object_appears_where_another_vanished": (
        [path(down(140, 235, 20)), path(down(250, 340, 18), start=22, track=2, size=60.0)],
        (0, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("paths", "expected"), BROKEN.values(), ids=BROKEN)
def test_broken_tracks_at_a_horizontal_line_of_200_px(paths, expected):
    assert counts(run(*paths)) == expected


def test_the_camera_moves_by_60_px_while_the_id_changes():
    others = [
        path([(a, b + (60 if n >= 25 else 0)) for n, (a, b) in enumerate(down(50, 100, 50, x=x))],
             track=k) for k, x in enumerate((250.0, 330.0, 390.0))
    ]  # fmt: skip
    old, new = path(down(100, 196, 25), track=8), path(down(270, 366, 25), start=27, track=9)
    (event,) = run(old, new, *others)
    assert event.data["joined"]


@pytest.mark.parametrize("size", [10.0, 40.0, 100.0, 300.0])
@pytest.mark.parametrize("fps", [5.0, 15.0, 60.0])
@pytest.mark.parametrize("line", [([0, 480], [640, 0]), ([320, 0], [320, 480])], ids=str)
def test_noise_of_5_percent_of_the_size_neither_adds_nor_hides_crossings(size, fps, line):
    rng = np.random.default_rng(0)
    scene = {"from": line[0], "to": line[1]}
    times = np.arange(0, 6, 1 / fps)
    x = 320 + 1.5 * size * (1 - np.clip(np.abs(times - 3), 0, 2))  # there and back
    points = np.stack([x, np.full(len(x), 240.0)], axis=1)
    noisy = points + rng.normal(0, 0.05 * size, points.shape)
    assert sorted(counts(run(path(noisy.tolist(), size=size), line=scene, fps=fps))) == [1, 1]


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_a_gap_of_a_second_in_which_the_id_changes(fps):
    speed, gap = 100 / fps, round(fps)
    points = straight((X, 240 - 2.5 * 100), (0, speed), round(5 * fps) + 1)
    middle = len(points) // 2
    old, new = (
        path(points[: middle - gap // 2]),
        path(points[middle - gap // 2 + gap - 1 :], start=middle - gap // 2 + gap - 1, track=2),
    )
    (event,) = run(old, new, fps=fps)
    assert event.data["joined"]
    assert event.time == pytest.approx(2.5, abs=0.1)


EXPLAINED = {
    "it turned back": [path([*down(200, 240, 9), *down(235, 200, 8)])],
    "its track ended on the line": [path(down(200, 239, 9))],
    "it passed beyond the end": [path(straight((430.0, 140.0), (0, 5.0), 41))],
    "its track began on the line": [path(straight((X, 239.0), (0, 5.0), 21))],
    "label 'truck' is not counted": [path(vertical(5), label="truck")],
}


@pytest.mark.parametrize(("reason", "paths"), EXPLAINED.items(), ids=EXPLAINED)
def test_explain_logs_why_a_path_was_not_counted(caplog, reason, paths):
    with caplog.at_level(logging.INFO):
        assert run(*paths, line=LINE | {"labels": ["car"]}, explain=True) == []
    (line,) = caplog.messages
    assert line.startswith("line line: track 1 (")
    assert line.endswith(f"not counted: {reason}")


def test_explain_logs_each_crossing(caplog):
    with caplog.at_level(logging.INFO):
        run(path(vertical(5)), explain=True)
    assert [line.rpartition(": ")[0].endswith("counted") for line in caplog.messages] == [True]
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(path(vertical(5)))
    assert caplog.messages == []


def test_lines_follow_a_change_of_the_image_size():
    lines = Lines({"lines": {"line": {"from": [0.25, 0.5], "to": [0.75, 0.5]}}})
    small = path([(x / 2, y / 2) for x, y in vertical(5)], track=2)
    events = events_of(lines, results(path(vertical(5)), tail=0))
    events += events_of(lines, results(small, width=320, height=240))
    assert counts(events) == (2, 0)


def test_memory_is_bounded():
    lines, sizes = analyzer(explain=True), []
    for n in range(3000):
        y = 220.0 + n % 40
        rows = [(n, n // 5 * 3 + k, 0, (300.0, y - 20, 320.0, y)) for k in range(3)]
        lines.update(result(n, rows))
        sizes.append(len(lines._memory.ids))
    assert max(sizes[1000:]) == pytest.approx(max(sizes[:1000]), abs=30)
    assert len(lines._passages) < 500


def test_a_label_that_the_model_does_not_have_is_reported_with_the_first_result():
    lines = analyzer(LINE | {"labels": ["persn"]})
    with pytest.raises(ConfigError, match=r"scene\.lines\.line\.labels.*'persn'.*'person'"):
        lines.update(results(path(vertical(5)))[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dead_band": -0.1}, r"analytics\.dead_band"),
        ({"dead_band": 2}, r"analytics\.dead_band"),
        ({"join_within": 5}, r"analytics\.join_within"),
        ({"scene": {}}, "no line"),
    ],
)
def test_bad_options(options, message):
    scene = {"lines": {"line": LINE}}
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "lines", **({"scene": scene} | options))


def test_the_labels_of_the_paths_are_those_of_the_model():
    assert run(path(vertical(5), label="person"))[0].label == LABELS[2]


@pytest.mark.parametrize("missing", [6, 15])
@pytest.mark.parametrize("seed", range(4))
def test_two_cross_a_vertical_line_at_one_place_in_opposite_directions_and_both_ids_change(
    missing, seed
):
    line = {"from": [X, 40], "to": [X, 440]}
    random = np.random.default_rng(seed)
    before, after = 40 - missing // 2, 40 + (missing + 1) // 2
    paths = []
    for track, direction in ((1, 1), (2, -1)):
        points = np.array(straight((X - 60 * direction, 240.0), (1.5 * direction, 0.0), 81))
        points += random.normal(0, 1.2, points.shape)  # 3 % of the size
        old = path(points[:before], track=track, size=40.0)
        paths += [old, path(points[after:], start=after, track=track + 2, size=40.0)]
    events = run(*paths, line=line)
    assert counts(events) == (1, 1)
    assert all(event.data["joined"] for event in events)
