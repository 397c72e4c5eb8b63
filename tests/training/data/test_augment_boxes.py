"""Every augmentation, one at a time and all at once: boxes stay on what they mark.

Bright boxes are drawn on a dark ground, changed, and found again in the pixels.
"""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from vidan_training.data.augment import Augmentation, augment, mosaic
from vidan_training.data.sample import IGNORED

OFF = Augmentation(
    scale=(1.0, 1.0), focus=0.0, flip=0.0, color=0.0, degrade=0.0, visible=0.5, smallest=0.0
)
# Every field of Augmentation must be here: a new one without a strength fails the test below.
STRENGTHS = {
    "scale": (0.5, 2.0),
    "focus": 1.0,
    "flip": 1.0,
    "color": 1.0,
    "degrade": 1.0,
    "haze": 1.0,
    "dark": 1.0,
    "motion": 1.0,
    "mosaic": 1.0,
    "resize_boxes": 1.0,
    "visible": 0.9,
    "smallest": 20.0,
}
TOLERANCE = 2.0  # px; blurred edges are found where they are half as bright
SEEDS = range(12)


def drawn():
    """Two light boxes with room around them on a dark, slightly noisy ground."""
    rng = np.random.default_rng(0)
    image = rng.integers(20, 30, (120, 160, 3)).astype(np.uint8)
    boxes = [(20, 30, 60, 62), (98, 48, 130, 96)]
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 220
    return image, np.array(boxes, np.float32), np.array([0, 1], np.int32)


def view(options, rng, size=160):
    """As the loader makes it: one view, or four of half the size."""
    tiles = [
        augment(*drawn(), size // 2 if options.mosaic else size, 160, options, rng)
        for _ in range(4 if options.mosaic else 1)
    ]
    return mosaic(tiles) if options.mosaic else tiles[0]


def found(image, box):
    """Where the bright thing around `box` really ends, to half its brightness; None if unclear."""
    gray = cv2.GaussianBlur(image.mean(axis=2).astype(np.float32), (0, 0), 1.0)
    x1, y1, x2, y2 = np.round(box).astype(int)
    center = np.median(gray[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3])
    margin = 7
    near = [slice(max(0, y1 - margin), y2 + margin), slice(max(0, x1 - margin), x2 + margin)]
    ring = gray[near[0], near[1]].copy()
    ring[y1 - near[0].start : y2 - near[0].start, x1 - near[1].start : x2 - near[1].start] = np.nan
    ground = np.nanmedian(ring)
    if center - ground < 25:  # hidden by haze or darkness: nothing to measure
        return None
    bright = gray[near[0], near[1]] > (center + ground) / 2
    # Edges by the row and the column through the middle of the box.
    row = bright[(y1 + y2) // 2 - near[0].start]
    column = bright[:, (x1 + x2) // 2 - near[1].start]
    xs, ys = np.flatnonzero(row) + near[1].start, np.flatnonzero(column) + near[0].start
    return np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1])


def inside(box, size=160, tile=160):
    """A box that is whole, with room around it, in its tile."""
    low, high = box % tile, (box - 1) % tile + 1
    return (low[:2] > 8).all() and (high[2:] < tile - 8).all() and (box[2:] - box[:2] > 14).all()


def test_every_augmentation_has_a_strength():
    assert set(STRENGTHS) == {field.name for field in fields(Augmentation)}


@pytest.mark.parametrize("name", [*STRENGTHS, "all"])
def test_boxes_stay_on_what_they_mark(name):
    strengths = STRENGTHS if name == "all" else {name: STRENGTHS[name]}
    options = replace(OFF, **strengths)
    tile = 80 if options.mosaic else 160
    measured = 0
    for seed in SEEDS:
        image, boxes, classes = view(options, np.random.default_rng(seed))
        assert (image.shape, image.dtype) == ((160, 160, 3), np.uint8)
        assert len(boxes) == len(classes)
        assert set(classes.tolist()) <= {0, 1, IGNORED}
        for box in boxes:
            if inside(box, tile=tile) and (edges := found(image, box)) is not None:
                assert edges == pytest.approx(box, abs=TOLERANCE), (name, seed)
                measured += 1
    assert measured >= len(SEEDS) // 3


@pytest.mark.parametrize(
    "name", [n for n in STRENGTHS if n not in ("visible", "smallest", "focus")]
)
def test_each_augmentation_changes_the_image(name):
    plain = [view(OFF, np.random.default_rng(s))[0] for s in SEEDS]
    changed = [
        view(replace(OFF, **{name: STRENGTHS[name]}), np.random.default_rng(s))[0] for s in SEEDS
    ]
    assert any((a != b).any() for a, b in zip(plain, changed, strict=True))
