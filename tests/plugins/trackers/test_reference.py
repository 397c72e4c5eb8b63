"""SORT and DeepSORT against the output of the authors' code, on MOT15 and MOT17.

The same rows in each frame, boxes within 0.02 px, ids one to one. Settings and origin of
the references: the README and the PROVENANCE files of the data.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tests.real import DATA, needs_data
from vidan.types import Detections
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.sort import Sort

from .scenes import Blank

pytestmark = needs_data


def read(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


def detections_of(rows, features=None):
    """Detections of MOTChallenge rows (frame, -1, x, y, w, h, ...)."""
    boxes = rows[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Detections(
        boxes.astype(np.float32),
        np.ones(len(rows), np.float32),
        np.zeros(len(rows), np.int32),
        None if features is None else features.astype(np.float32),
    )


def run(tracker, rows, features=None):
    """(id, x, y, w, h) of every track, by frame."""
    numbers = rows[:, 0].astype(int)
    out = {}
    for number in range(1, numbers.max() + 1):
        here = numbers == number
        found = detections_of(rows[here], None if features is None else features[here])
        tracks = tracker.update(Blank(number - 1), found)
        boxes = tracks.boxes.astype(np.float64)
        boxes[:, 2:] -= boxes[:, :2]
        out[number] = np.column_stack([tracks.ids, boxes])
    return out


def assert_equal(out, reference):
    """Compare tracks with a reference file."""
    forth, back, rows = {}, {}, 0
    for number in sorted({*out, *reference[:, 0].astype(int).tolist()}):
        wanted = reference[reference[:, 0] == number]
        got = out.get(number, np.zeros((0, 5)))
        assert len(got) == len(wanted), f"frame {number}"
        off = np.abs(got[:, None, 1:] - wanted[None, :, 2:6]).max(axis=2, initial=0)
        mine, theirs = linear_sum_assignment(off)
        assert (off[mine, theirs] <= 0.02).all(), f"frame {number}"
        for a, b in zip(got[mine, 0].tolist(), wanted[theirs, 1].tolist(), strict=True):
            assert forth.setdefault(a, b) == b, f"frame {number}"
            assert back.setdefault(b, a) == a, f"frame {number}"
        rows += len(got)
    assert rows == len(reference) > 0


def files(folder):
    return sorted((DATA / folder).glob("*.txt"))


def sort_cases():
    for reference in files("mot15/reference_sort"):
        yield reference, DATA / "mot15" / "det" / reference.stem / "det" / "det.txt"
    for reference in files("mot17/reference/sort"):
        yield reference, DATA / "mot17" / reference.stem / "det" / "det.txt"


def deepsort_cases():
    for reference in files("mot15/reference_deepsort"):
        yield reference, DATA / "mot15" / "features" / f"{reference.stem}.npy", 10
    for name, column in (("deepsort", 10), ("deepsort_128d", 7)):
        for reference in files(f"mot17/reference/{name}"):
            features = DATA / "mot17" / "features" / f"{reference.stem}.npy"
            if features.exists():
                yield reference, features, column


def name(value):
    return f"{value.parent.name}-{value.stem}" if isinstance(value, Path) else None


def test_all_references_exist():
    assert len(list(sort_cases())) == 22
    assert len(list(deepsort_cases())) == 6


@pytest.mark.parametrize(("reference", "detections"), list(sort_cases()), ids=name)
def test_sort(reference, detections):
    assert_equal(run(Sort(), read(detections)), read(reference))


@pytest.mark.parametrize(("reference", "array", "column"), list(deepsort_cases()), ids=name)
def test_deepsort(reference, array, column):
    rows = np.load(array)
    assert_equal(run(DeepSort(), rows, rows[:, column:]), read(reference))


def test_the_filterpy_filters():
    reference, detections = next(iter(sort_cases()))
    assert_equal(run(Sort(kalman="filterpy"), read(detections)), read(reference))
    reference, array, column = next(iter(deepsort_cases()))
    rows = np.load(array)
    assert_equal(run(DeepSort(kalman="filterpy"), rows, rows[:, column:]), read(reference))
