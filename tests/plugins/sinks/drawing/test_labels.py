"""Sizes of labels, and captions; texts and places of labels are tested with the painter."""

import numpy as np

from vidan_plugins.sinks.drawing.canvas import RgbCanvas
from vidan_plugins.sinks.drawing.labels import Labels, Style
from vidan_plugins.sinks.drawing.palette import color_of
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
