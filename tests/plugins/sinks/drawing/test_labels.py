"""Sizes of labels; their texts and places are tested with the painter."""

from vidan_plugins.sinks.drawing.labels import Style


def test_sizes_are_proportional_to_the_image_height():
    assert Style.of(1080) == Style(line=3, font=24, scores=True)
    assert Style.of(180) == Style(line=2, font=11, scores=False)
    assert Style.of(2160).font == 48
