import json

import pytest

from vidan.errors import ModelError
from vidan_plugins.detectors.native.signature import (
    MAX_BATCH_SIZE,
    Signature,
    Tensor,
    batch_size,
    make_spec,
)

from ..models import metadata

IMAGES = Tensor("uint8", (None, 64, 96, 3))
BOXES = Tensor("float32", (None, 100, 4))
SCORES = Tensor("float32", (None, 100, 3))


def signature(images=IMAGES, boxes=BOXES, scores=SCORES):
    return Signature({"images": images}, {"boxes": boxes, "scores": scores})


def test_the_spec_comes_from_the_metadata():
    assert make_spec(signature(), json.dumps(metadata(pad=9)), None).pad == 9


def test_given_labels_replace_those_of_the_model():
    found = make_spec(signature(), json.dumps(metadata()), ("a", "b", "c"))
    assert (found.labels, found.class_agnostic) == (("a", "b", "c"), True)


def test_without_metadata_the_size_is_that_of_the_input():
    found = make_spec(signature(), None, ("a", "b", "c"))
    assert (found.input_size, found.pad, found.class_agnostic) == ((64, 96), 0, False)


def test_unknown_shapes_and_additional_outputs_are_accepted():
    loose = Signature(
        {"images": Tensor("uint8", None)},
        {"scores": Tensor("float32", None), "boxes": BOXES, "anchors": Tensor("int64", (1,))},
    )
    assert make_spec(loose, json.dumps(metadata()), None).input_size == (64, 96)


@pytest.mark.parametrize(
    "wrong",
    [
        signature(images=Tensor("float32", (None, 64, 96, 3))),
        signature(images=Tensor("uint8", (None, 3, 64, 96))),
        signature(images=Tensor("uint8", (64, 96, 3))),
        signature(boxes=Tensor("float32", (None, 100, 5))),
        signature(scores=Tensor("float32", (None, 100))),
        signature(scores=Tensor("float16", (None, 100, 3))),
        Signature({"input": IMAGES}, {"boxes": BOXES, "scores": SCORES}),
        Signature({"images": IMAGES, "size": IMAGES}, {"boxes": BOXES, "scores": SCORES}),
        Signature({"images": IMAGES}, {"boxes": BOXES}),
    ],
)
def test_other_inputs_and_outputs_are_rejected(wrong):
    with pytest.raises(ModelError, match=r"^expected input images uint8 \[N,H,W,3\]"):
        make_spec(wrong, json.dumps(metadata()), None)


def test_errors_list_the_inputs_and_outputs():
    wrong = Signature({"x": Tensor("float32", (1, 3, None))}, {})
    with pytest.raises(ModelError, match=r"inputs x float32 \[1,3,\?\] and outputs none$"):
        make_spec(wrong, None, None)


@pytest.mark.parametrize(
    ("found", "text", "labels", "message"),
    [
        (signature(), None, None, "set detector.labels=<file>"),
        (signature(), None, ("a", "b"), r"it has 3 classes, but there are 2 labels \(a, b\)"),
        (
            signature(),
            json.dumps(metadata(labels=list("abcdefg"))),
            None,
            r"3 classes, but there are 7 labels \(a, b, c, d, e, …\)",
        ),
        (
            signature(),
            json.dumps(metadata(input_size=[96, 64])),
            None,
            r"input_size=\[96, 64\], but its input is uint8 \[\?,64,96,3\]",
        ),
        (
            signature(images=Tensor("uint8", (None, None, None, 3))),
            None,
            ("a", "b", "c"),
            "export it with a fixed size",
        ),
    ],
)
def test_contradictions_are_rejected(found, text, labels, message):
    with pytest.raises(ModelError, match=message):
        make_spec(found, text, labels)


def test_batch_size():
    assert batch_size(IMAGES) == MAX_BATCH_SIZE
    assert batch_size(Tensor("uint8", None)) == MAX_BATCH_SIZE
    assert batch_size(Tensor("uint8", (1, 64, 96, 3))) == 1
    with pytest.raises(ModelError, match="its batch size is 4: export it with batch size 1"):
        batch_size(Tensor("uint8", (4, 64, 96, 3)))
