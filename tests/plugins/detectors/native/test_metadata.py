import json

import pytest

from vidan.errors import ModelError
from vidan_plugins.detectors.native.metadata import Metadata

from ..models import metadata


def test_reads_what_a_model_says():
    found = Metadata.from_json(json.dumps(metadata(pad=114, later="ignored")), "model 'm'")
    assert found == Metadata(
        labels=("red", "green", "blue"),
        input_size=(64, 96),
        pad=114,
        exclusive=True,
        threshold=0.4,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "yolo"), ("version", 2), ("resize", "stretch"), ("color", "bgr")],
)
def test_refuses_forms_that_it_does_not_know(key, value):
    with pytest.raises(ModelError, match=f"^model 'm': its metadata says {key}={value!r}, and"):
        Metadata.from_json(json.dumps(metadata(**{key: value})), "model 'm'")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", []),
        ("labels", ["a", 1]),
        ("labels", "abc"),
        ("input_size", [320]),
        ("input_size", [320, 0]),
        ("input_size", 320),
        ("pad", 256),
        ("pad", 0.5),
        ("exclusive", "yes"),
        ("threshold", 1.5),
        ("threshold", True),
        ("threshold", None),
    ],
)
def test_refuses_values_that_cannot_be(key, value):
    with pytest.raises(ModelError, match=f"its metadata says {key}="):
        Metadata.from_json(json.dumps(metadata(**{key: value})), "model 'm'")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"'])
def test_refuses_what_is_no_json_object(text):
    with pytest.raises(ModelError, match=r"its metadata is not (a )?JSON"):
        Metadata.from_json(text, "model 'm'")
