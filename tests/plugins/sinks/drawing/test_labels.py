"""Sizes of labels, and captions; texts and places of labels are tested with the painter."""

import numpy as np

from vidan_plugins.sinks.drawing.canvas import RgbCanvas
from vidan_plugins.sinks.drawing.labels import Labels
from vidan_plugins.sinks.drawing.palette import color_of
from vidan_plugins.sinks.drawing.style import Style
from vidan_plugins.sinks.drawing.text import Text


def test_sizes_are_proportional_to_the_image_height():
    assert Style.of(1080) == Style(line=3, font=24, scores=True)
    assert Style.of(180) == Style(line=2, font=11, scores=False)
    assert Style.of(2160).font == 48


def test_captions_at_the_same_point_do_not_cover_each_other():
    image, style, text = np.zeros((240, 320, 3), np.uint8), Style.of(240), Text()
    labels = Labels(RgbCanvas(image, text), style, text)
    for n in range(14):  # more than a label has places for
        labels.add_caption((160, 120), f"line {n}", color_of(n))
    labels.draw()
    width, height = text.size("line 9", style.font)
    shown = [(image == color_of(n)).all(axis=2).sum() for n in range(14)]
    assert min(shown) > 0.6 * width * height


def placed(*boxes, label="a long label"):
    """The area that the labels of boxes cover, without the boxes."""
    image, style, text = np.zeros((240, 320, 3), np.uint8), Style.of(240), Text()
    labels = Labels(RgbCanvas(image, text), style, text)
    for n, corners in enumerate(boxes):
        labels.add(corners, f"#{n}", label, None, color_of(n))
    labels.draw()
    return image.any(axis=2)


def test_labels_of_small_people_do_not_cover_their_neighbors():
    boxes = [(20 + 24 * n, 100 + 9 * (n % 3), 32 + 24 * n, 122 + 9 * (n % 3)) for n in range(10)]
    covered = placed(*boxes)
    parts = [covered[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in boxes]
    assert max(parts) <= 0.25
    assert sum(part > 0.02 for part in parts) <= 2
    assert covered.any()


def test_a_label_moves_below_its_box_to_leave_a_neighbor_visible():
    covered = placed((100, 100, 120, 130), (100, 70, 130, 98))
    assert not covered[70:98, 100:130].any()
    assert covered[130:144, 100:120].mean() > 0.5
