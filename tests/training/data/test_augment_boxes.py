"""Every augmentation, alone and combined, keeps boxes on their objects.

Bright boxes are drawn on a dark background, augmented, and located again in the pixels.
"""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from vidan_training.data.augment import Augmentation, augment, mosaic
from vidan_training.data.sample import IGNORED, Objects

OFF = Augmentation(
    scale=(1.0, 1.0), focus=0.0, flip=0.0, color=0.0, degrade=0.0, min_visible=0.5, min_side=0.0
)
# Must have every field of Augmentation; a test below fails for a new one that is missing.
STRENGTHS = {
    "scale": (0.5, 2.0),
    "focus": 1.0,
    "flip": 1.0,
    "color": 1.0,
    "degrade": 1.0,
    "haze": 1.0,
    "low_light": 1.0,
    "motion_blur": 1.0,
    "mosaic": 1.0,
    "resize_boxes": 1.0,
    "min_visible": 0.9,
    "min_side": 20.0,
}
TOLERANCE = 2.0  # px; blurred edges are located at half their brightness
SEEDS = range(12)


def drawn():
    """Two light boxes with space around them on a dark, slightly noisy background."""
    rng = np.random.default_rng(0)
    image = rng.integers(20, 30, (120, 160, 3)).astype(np.uint8)
    boxes = [(20, 30, 60, 62), (98, 48, 130, 96)]
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 220
    classes, weights = np.array([0, 1], np.int32), np.ones(2, np.float32)
    return image, Objects(np.array(boxes, np.float32), classes, weights)


def view(options, rng, size=160):
    """One view as in a training batch: a single one, or a mosaic of four at half the size."""
    tiles = [
        augment(*drawn(), size // 2 if options.mosaic else size, (160, 160), options, rng)
        for _ in range(4 if options.mosaic else 1)
    ]
    return mosaic(tiles) if options.mosaic else tiles[0]


def found(image, box):
    """Edges of the bright object near `box`, at half its brightness; None if unclear."""
    gray = cv2.GaussianBlur(image.mean(axis=2).astype(np.float32), (0, 0), 1.0)
    x1, y1, x2, y2 = np.round(box).astype(int)
    center = np.median(gray[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3])
    margin = 7
    near = [slice(max(0, y1 - margin), y2 + margin), slice(max(0, x1 - margin), x2 + margin)]
    ring = gray[near[0], near[1]].copy()
    ring[y1 - near[0].start : y2 - near[0].start, x1 - near[1].start : x2 - near[1].start] = np.nan
    background = np.nanmedian(ring)
    if center - background < 25:  # hidden by haze or darkness: nothing to measure
        return None
    bright = gray[near[0], near[1]] > (center + background) / 2
    # Edges along the row and the column through the middle of the box.
    row = bright[(y1 + y2) // 2 - near[0].start]
    column = bright[:, (x1 + x2) // 2 - near[1].start]
    xs, ys = np.flatnonzero(row) + near[1].start, np.flatnonzero(column) + near[0].start
    return np.array([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1])


def inside(box, size=160, tile=160):
    """Whether a box is completely inside its tile, with space around it."""
    low, high = box % tile, (box - 1) % tile + 1
    return (low[:2] > 8).all() and (high[2:] < tile - 8).all() and (box[2:] - box[:2] > 14).all()


def test_every_augmentation_has_a_strength():
    assert set(STRENGTHS) == {field.name for field in fields(Augmentation)}


@pytest.mark.parametrize("name", [*STRENGTHS, "all"])
def test_boxes_stay_on_their_objects(name):
    strengths = STRENGTHS if name == "all" else {name: STRENGTHS[name]}
    options = replace(OFF, **strengths)
    tile = 80 if options.mosaic else 160
    measured = 0
    for seed in SEEDS:
        image, (boxes, classes, _) = view(options, np.random.default_rng(seed))
        assert (image.shape, image.dtype) == ((160, 160, 3), np.uint8)
        assert len(boxes) == len(classes)
        assert set(classes.tolist()) <= {0, 1, IGNORED}
        for box in boxes:
            if inside(box, tile=tile) and (edges := found(image, box)) is not None:
                assert edges == pytest.approx(box, abs=TOLERANCE), (name, seed)
                measured += 1
    assert measured >= len(SEEDS) // 3


@pytest.mark.parametrize(
    "name", [n for n in STRENGTHS if n not in ("min_visible", "min_side", "focus")]
)
def test_each_augmentation_changes_the_image(name):
    plain = [view(OFF, np.random.default_rng(s))[0] for s in SEEDS]
    changed = [
        view(replace(OFF, **{name: STRENGTHS[name]}), np.random.default_rng(s))[0] for s in SEEDS
    ]
    assert any((a != b).any() for a, b in zip(plain, changed, strict=True))
