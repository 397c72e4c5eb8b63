import numpy as np
import pytest

from vidan_training.data.augment import (
    Augmentation,
    augment,
    crop,
    flip,
    letterbox,
    mosaic,
    resize,
)
from vidan_training.data.sample import IGNORED, Objects

PLAIN = Augmentation(scale=(0.5, 2.0), color=0.0, degrade=0.0)


def image_with(width, height, *boxes):
    """A black image with white boxes (integer corners), and the boxes."""
    image = np.zeros((height, width, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[y1:y2, x1:x2] = 255
    return image, np.array(boxes, np.float32).reshape(-1, 4)


def objects(boxes, *classes):
    """Boxes with their classes; weights count from 1."""
    weights = np.arange(1, len(boxes) + 1, dtype=np.float32)
    return Objects(boxes, np.array(classes, np.int32), weights)


def found(image):
    """Tight box around the white pixels."""
    rows, columns = (np.flatnonzero((image[..., 0] > 127).any(axis=a)) for a in (1, 0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def test_flip():
    image, boxes = image_with(10, 4, (1, 1, 3, 2))
    mirrored, moved = flip(image, boxes)
    assert moved.tolist() == [[7, 1, 9, 2]]
    assert found(mirrored) == [7, 1, 9, 2]


def test_crop_inside_and_outside():
    image, boxes = image_with(20, 20, (5, 6, 9, 10))
    view, moved = crop(image, boxes, 3, 2, 8)  # cuts 3 px off the left and 2 off the top
    assert found(view) == moved[0].tolist() == [2, 4, 6, 8]
    view, moved = crop(image, boxes, -4, -5, 32)  # the image starts at (4, 5)
    assert found(view) == moved[0].tolist() == [9, 11, 13, 15]
    assert view[0, 0].tolist() == [0, 0, 0]


def test_the_letterbox_is_at_the_top_left():
    image, boxes = image_with(200, 100, (20, 30, 60, 70))
    canvas, scale = letterbox(image, 128, 128)
    assert canvas.shape == (128, 128, 3)
    assert scale == (0.64, 0.64)  # 128 / 200
    assert found(canvas) == pytest.approx(boxes[0] * 0.64, abs=1)
    assert not canvas[64:].any()


def test_resize_averages_when_shrinking():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.unique(resize(stripes, 0.5)).tolist() == [100]


@pytest.mark.parametrize("seed", range(40))
def test_boxes_stay_on_their_objects(seed):
    image, boxes = image_with(90, 60, (40, 20, 60, 45))
    rng = np.random.default_rng(seed)
    view, (moved, classes, _) = augment(image, objects(boxes, 1), 128, (128, 128), PLAIN, rng)
    assert view.shape == (128, 128, 3)
    if len(moved):
        assert found(view) == pytest.approx(moved[0], abs=1.5)
    assert set(classes.tolist()) <= {1, IGNORED}


def test_color_and_degradation_do_not_move_boxes():
    image, boxes = image_with(90, 60, (40, 20, 60, 45))
    for seed in range(20):
        strong = Augmentation(scale=(0.5, 2.0), color=1.0, degrade=1.0)
        (_, plain), (view, moved) = (
            augment(image, objects(boxes, 1), 128, (128, 128), options, np.random.default_rng(seed))
            for options in (PLAIN, strong)
        )
        assert view.dtype == np.uint8
        assert moved.boxes.tolist() == plain.boxes.tolist()


def test_cut_and_tiny_boxes_are_ignored():
    # At scale 1 and without focus a view of 64 px shows a quarter of the 128 px image.
    options = Augmentation(scale=(1.0, 1.0), focus=0.0, flip=0.0, color=0.0, degrade=0.0)
    image, boxes = image_with(128, 128, (50, 50, 80, 80), (2, 2, 5, 5))
    seen = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        _, moved = augment(image, objects(boxes, 0, 1), 64, (128, 128), options, rng)
        for box, label in zip(moved.boxes, moved.classes, strict=True):
            share = (box[2:] - box[:2]).prod() / 900
            if label == 0:
                assert share >= 0.5
            seen.add(int(label))
            assert label != 1  # 3 px: smaller than `min_side`
    assert seen == {0, IGNORED}


def test_the_generator_is_the_only_source_of_randomness():
    image, boxes = image_with(90, 60, (40, 20, 60, 45))
    views = [
        augment(image, objects(boxes, 0), 64, (64, 64), Augmentation(), np.random.default_rng(5))[0]
        for _ in range(2)
    ]
    assert (views[0] == views[1]).all()


def test_an_image_without_boxes():
    image, boxes = image_with(30, 20)
    view, moved = augment(
        image, objects(boxes), 64, (64, 64), Augmentation(), np.random.default_rng(0)
    )
    assert view.shape == (64, 64, 3)
    assert [values.shape for values in moved] == [(0, 4), (0,), (0,)]


def test_scale_one_is_the_letterbox_of_a_wide_input():
    # A square of 100 px fits an input of 256 x 512 by its height: 2.56 times larger, not 5.12.
    options = Augmentation(scale=(1.0, 1.0), focus=0.0, flip=0.0, color=0.0, degrade=0.0)
    image, boxes = image_with(100, 100, (40, 40, 60, 70))
    rng = np.random.default_rng(0)
    _, (moved, _, _) = augment(image, objects(boxes, 0), 256, (256, 512), options, rng)
    assert moved[0, 2:] - moved[0, :2] == pytest.approx([51.2, 76.8], abs=0.5)


def test_boxes_keep_their_weights():
    options = Augmentation(scale=(1.0, 1.0), focus=0.0, flip=1.0, color=0.0, degrade=0.0)
    image, boxes = image_with(128, 128, (10, 10, 40, 40), (80, 60, 120, 100))
    rng = np.random.default_rng(0)
    tile = augment(image, objects(boxes, 0, 1), 128, (128, 128), options, rng)
    _, combined = mosaic([tile] * 4)
    assert tile[1].weights.tolist() == [1, 2]
    assert combined.classes.tolist() == [0, 1] * 4
    assert combined.weights.tolist() == [1, 2] * 4
