"""The benchmark of analyzers: its tracks and table, and no growth over long runs."""

import gc
from collections import Counter
from dataclasses import replace

import numpy as np

from benchmarks.suite import analytics


def test_people_walk_through_all_shapes():
    walk = analytics.walk(50, 300)
    results = list(walk.results())
    assert sum(len(one.tracks) for one in results) == len(walk.boxes)
    assert len(walk.boxes) / (50 * 300) > 0.9
    made = analytics.analyzers(("lines", "zones"))
    events = [event for one in results for a in made for event in a.update(one)]
    assert {event.rule for event in events} == {
        *(f"line{n}" for n in range(4)),
        *(f"zone{n}" for n in range(4)),
    }


def test_ids_come_and_go():
    walk = analytics.walk(10, 300, lifetime=60)
    per_frame = np.bincount(walk.frames)
    assert per_frame.max() <= 10
    assert len(set(walk.ids.tolist())) >= 50


def test_the_table_has_times_and_ratios():
    found = analytics.measure(analytics.walk(10, 60), None)
    assert list(found) == list(analytics.ANALYZERS)
    assert all(ms > 0 for ms in found.values())
    rows = {row[0]: row[2] for row in analytics.table(found).rows}
    assert rows["vidan lines + zones"] == 1


def test_nothing_is_kept_of_objects_that_left():
    """The number of objects in memory does not grow with the ids that come and go."""
    results = list(analytics.walk(10, 200, lifetime=50).results())
    nobody = analytics.renamed(results[0], 0, 0)
    nobody = replace(nobody, tracks=nobody.tracks[np.zeros(len(nobody.tracks), bool)])
    made = analytics.analyzers(("lines", "zones"))

    def lap(number):
        """Everybody comes and goes; 100 s later, all visits have ended."""
        begin = 10_000 * number
        for n, one in enumerate(results):
            analytics.update(made, analytics.renamed(one, begin + n, 1000 * number))
        for n in range(200, 3200, 30):
            analytics.update(made, analytics.renamed(nobody, begin + n, 0))
        gc.collect()
        return Counter(type(thing).__name__ for thing in gc.get_objects())

    lap(0)
    before, after = lap(1), lap(2)
    grown = {name: count - before[name] for name, count in after.items() if count > before[name]}
    assert not {name: count for name, count in grown.items() if count > 5}
