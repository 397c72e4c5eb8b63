import pytest

from vidan.errors import ConfigError
from vidan_training.data import formats

from ...drawn import LABELS, draw


def test_labels_are_selected_and_renamed(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    assert drawn.labels == LABELS
    one = drawn.select(["square"])
    assert (one.labels, one.images[0].labels) == (("square",), ("square",))
    merged = drawn.select(rename={"disc": "square"})
    assert (merged.labels, merged.images[0].labels) == (("square",), ("square", "square"))
    turned = drawn.select(["square", "round"], {"disc": "round"})
    assert turned.samples()[0].classes.tolist() == [1, 0]
    assert drawn.select(rename={"disc": None}).images[0].labels == ("square",)
    with pytest.raises(ConfigError, match="labels: no label 'sqare'; did you mean 'square'"):
        drawn.select(["sqare"])
    with pytest.raises(ConfigError, match="rename: no label 'dics'"):
        drawn.select(rename={"dics": "a"})
