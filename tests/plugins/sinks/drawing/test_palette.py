"""Colors of ids and classes."""

import itertools

import numpy as np

from vidan_plugins.sinks.drawing.palette import color_of


def test_successive_colors_differ_and_are_bright():
    colors = [np.array(color_of(n), float) for n in range(12)]
    for a, b in itertools.pairwise(colors):
        assert np.abs(a - b).max() > 60
    assert all(c.max() > 150 for c in colors)
    assert color_of(5) == color_of(5)


def test_colors_of_similar_hue_differ_in_lightness():
    # 34 and 89 are Fibonacci numbers: that many steps change the hue by less than 5 degrees
    for apart in (34, 89):
        a, b = (np.array(color_of(n), float) for n in (1, 1 + apart))
        assert np.abs(a - b).max() > 25
