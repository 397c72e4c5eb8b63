"""Analyzers that share what they remember of tracks."""

import json

import pytest

from vidan.config.build import BuildContext
from vidan.execution.assemble import build_analyzers
from vidan.scene import SceneContext

from .paths import HEIGHT, LABELS, WIDTH, path, result, straight

SCENE = {
    "lines": {"gate": {"from": [320, 0], "to": [320, 480]}},
    "zones": {"middle": {"polygon": [[220, 100], [420, 100], [420, 400], [220, 400]]}},
}
NAMES = ("lines", "zones", "stationary")
BROKEN = path(straight((100.0, 250.0), (3.0, 0.5), 150), track=[1] * 73 + [2] * 77)
BROKEN = [row for row in BROKEN if not 68 <= row[0] < 78]
OTHERS = [path(straight((500.0, 120.0 + 60 * n), (-2.0, 0), 170), track=5 + n) for n in range(3)]
ROWS = [*BROKEN, *(row for one in OTHERS for row in one), *path([(300.0, 300.0)] * 170, track=9)]
GIVEN = [
    result(
        n,
        [row for row in ROWS if row[0] == n % 170],
        width=WIDTH * (1 + n // 170),
        height=HEIGHT * (1 + n // 170),
    )
    for n in range(340)
]
"""A stream with a broken track, whose image size changes."""


def made(*names):
    options = {name: {"name": name} for name in names}
    options.get("stationary", {})["after"] = 2.0
    known = build_analyzers(options, BuildContext(scene=SceneContext(SCENE, LABELS)))
    return [known[name] for name in names]


def run(analyzers, given):
    """The events of each analyzer."""
    events = [[] for _ in analyzers]
    for one in given:
        for found, analyzer in zip(events, analyzers, strict=True):
            found += analyzer.update(one)
    return [
        found + list(analyzer.finish()) for found, analyzer in zip(events, analyzers, strict=True)
    ]


def test_together_they_report_the_same_as_alone():
    together = run(made(*NAMES), GIVEN)
    assert together == [run(made(name), GIVEN)[0] for name in NAMES]
    assert all(together)
    assert any(event.data["joined"] for event in together[0])


def test_the_analyzers_of_a_run_share_one_memory_and_those_of_another_do_not():
    (lines, zones), (other,) = made("lines", "zones"), made("lines")
    for one in GIVEN[:5]:
        run([lines, zones, other], [one])
    assert lines._memory is zones._paths.memory is not other._memory


@pytest.mark.parametrize("cut", [70, 78, 120, 200])
def test_together_they_continue_from_their_states(cut):
    given, stopped, rest = GIVEN, made(*NAMES), made(*NAMES)
    expected = run(made(*NAMES), given)
    before = [[e for one in given[:cut] for e in each.update(one)] for each in made(*NAMES)]
    for one in given[:cut]:
        for analyzer in stopped:
            analyzer.update(one)
    for old, new in zip(stopped, rest, strict=True):
        new.restore(json.loads(json.dumps(old.state(), allow_nan=False)))
    after = run(rest, given[cut:])
    assert [a + b for a, b in zip(before, after, strict=True)] == expected
