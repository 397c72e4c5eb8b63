"""Deciding how an exported model is used: its input, its decode, its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from vidan.errors import ConfigError, ModelError
from vidan.modelspec import ModelDefaults

from ..labels import BUILT_IN, coco_names
from ..native.signature import MAX_LABELS_SHOWN, Shape, Signature, batch_size
from ..preprocess import Layout, Preprocessing, PreprocessOverrides
from .decoding import DecodeName, ModelInfo, OutputDecoding, choose
from .metadata import image_hints, own_labels, stored_size
from .run import IMAGE_DTYPES, TRIAL_SIZE, Array, ImageInput, Labels, Run, attempt, inputs_for

FirstId = Literal[0, 1]
"""Option: number of the first label in a model's outputs."""


class Plan(NamedTuple):
    """How an exported model is used.

    Attributes:
        decode: name of the decode.
        decoding: of its outputs.
        image: the input that takes the image.
        preprocessing: of images for that input.
        labels: its labels.
        labels_origin: where they come from, for people.
        batch: most images in one run, as far as its inputs and outputs tell.
        zero_is_background: whether the user says that a class 0 of a model that counts from 1 is
            the background; otherwise it proves that the model counts from 0.
    """

    decode: str
    decoding: OutputDecoding
    image: ImageInput
    preprocessing: Preprocessing
    labels: Labels
    labels_origin: str
    batch: int
    zero_is_background: bool

    @property
    def defaults(self) -> ModelDefaults:
        """Values unless the user sets others; no second suppression after one in the graph."""
        labels = tuple(self.labels.values())
        if self.decoding.suppressed:
            return ModelDefaults(labels=labels, iou_threshold=1.0)
        return ModelDefaults(labels=labels)

    def __str__(self) -> str:
        guess = f"; a guess: {self.decoding.guess}" if self.decoding.guess else ""
        return (
            f"decode {self.decode}: {self.decoding.reason}; takes {self.preprocessing}; "
            f"{len(self.labels)} labels {self.labels_origin}{guess}"
        )


def make_plan(
    signature: Signature,
    properties: Mapping[str, str],
    run: Run,
    labels: Labels | None = None,
    decode: DecodeName = "auto",
    overrides: PreprocessOverrides | None = None,
    first_id: FirstId | None = None,
) -> Plan:
    """Find out how a model is used by running it once on a blank image.

    Args:
        signature: its inputs and outputs.
        properties: its metadata.
        run: runs it.
        labels: given by the user; None for its own, or those of COCO if their number matches.
        decode: `auto` for the one that matches.
        overrides: of the preprocessing.
        first_id: number of the first label in the outputs; None for what is usual for the decode.

    Raises:
        ConfigError: an option contradicts the model.
        ModelError: the model cannot be used.
    """
    given = (overrides or PreprocessOverrides()).given()
    image = image_input(signature, given.get("layout"))
    size = _size(image, given.get("size"), properties)
    own = own_labels(properties)
    labels, labels_origin = (labels, "as given") if labels is not None else (own, "of its own")
    outputs = _trial(signature, run, image, size or TRIAL_SIZE)
    info = ModelInfo(
        signature=signature,
        image=image.name,
        size=size or TRIAL_SIZE,
        outputs=outputs,
        properties=properties,
        labels=labels,
        own_labels=own,
    )
    name, decoding = choose(info, decode)
    if first_id is not None:
        decoding = replace(decoding, first_label=1 - first_id, guess="")
    if size is None and not decoding.resizes:
        raise ModelError(
            "its input has a dynamic size: set detector.size=[height,width], in px, such as the "
            "size it was trained with"
        )
    usual = replace(decoding.preprocessing, layout=image.layout, **image_hints(properties))
    preprocessing = replace(usual, **{**given, "size": size})
    if labels is None:
        labels, labels_origin = _coco_labels(decoding.max_label)
    _check_labels(decoding, labels, own)
    batch = _batch(signature, image, decoding) if size is not None else 1
    return Plan(name, decoding, image, preprocessing, labels, labels_origin, batch, first_id == 1)


def _trial(
    signature: Signature, run: Run, image: ImageInput, size: tuple[int, int]
) -> dict[str, Array]:
    """The outputs for a blank image, by name."""
    blank = Preprocessing(size=size, layout=image.layout)
    tensor = blank.tensor(np.zeros((*size, 3), np.uint8), image.dtype, image.batched)
    names = list(signature.outputs)
    found = attempt(run, inputs_for(signature, image, tensor), names)
    return dict(zip(names, found, strict=True))


def _batch(signature: Signature, image: ImageInput, decoding: OutputDecoding) -> int:
    """Most images in one run, by the shapes of the inputs and outputs."""
    shapes = [tensor.shape for tensor in signature.inputs.values()]
    shapes += [signature.outputs[name].shape for name in decoding.outputs]
    dynamic = all(shape is not None and shape[:1] == (None,) for shape in shapes)
    if not (image.batched and decoding.batched and dynamic):
        return 1
    return batch_size(signature.inputs[image.name])


def image_input(signature: Signature, layout: Layout | None) -> ImageInput:
    """The input that takes the image.

    Raises:
        ModelError: there is none, or more than one.
    """
    found = [
        ImageInput(name, tensor.dtype, order, *sizes, batched=len(tensor.shape or ()) == 4)
        for name, tensor in signature.inputs.items()
        if tensor.dtype in IMAGE_DTYPES
        and (sizes_order := _axes(tensor.shape, tensor.dtype, layout))
        for order, sizes in [sizes_order]
    ]
    if len(found) != 1:
        raise ModelError(
            "expected one input for images, [1,3,H,W] or [1,H,W,3] of uint8 or floats, it has "
            f"{signature}"
        )
    if found[0].batched:
        batch_size(signature.inputs[found[0].name])
    return found[0]


def _axes(
    shape: Shape | None, dtype: str, layout: Layout | None
) -> tuple[Layout, tuple[int | None, int | None]] | None:
    """Layout, height and width of an input for images; None if it is not one."""
    if shape is None or len(shape) not in (3, 4):
        return None
    channels, last = shape[-3], shape[-1]
    possible: dict[Layout, bool] = {"nchw": channels in (3, None), "nhwc": last in (3, None)}
    certain: dict[Layout, bool] = {"nchw": channels == 3, "nhwc": last == 3}
    if layout is not None:
        order = layout
    elif certain["nchw"] != certain["nhwc"]:
        order = "nchw" if certain["nchw"] else "nhwc"
    else:
        order = "nhwc" if dtype == "uint8" else "nchw"
    if not possible[order]:
        return None
    return order, (shape[-2], shape[-1]) if order == "nchw" else (shape[-3], shape[-2])


def _size(
    image: ImageInput, requested: tuple[int, int] | None, properties: Mapping[str, str]
) -> tuple[int, int] | None:
    """Height and width of the input: fixed or requested; None if unknown."""
    own = (image.height, image.width)
    if requested is not None:
        if any(mine not in (None, want) for mine, want in zip(own, requested, strict=True)):
            raise ConfigError(
                f"size={list(requested)}: the input of the model is {image.height or 'any'} px "
                f"high and {image.width or 'any'} px wide: omit the option"
            )
        return requested
    if own[0] is not None and own[1] is not None:
        return own[0], own[1]
    return stored_size(properties)


def _coco_labels(count: int | None) -> tuple[Labels, str]:
    """The labels of COCO, if a model without labels has as many classes.

    Raises:
        ModelError: it has not.
    """
    labels = coco_names(count)
    if labels is None:
        has = "" if count is None else f" {count} classes, and"
        raise ModelError(
            f"it has{has} no labels of its own: set detector.labels=<file>, one label per line "
            f"or a label_map.pbtxt, or one of {', '.join(BUILT_IN)}"
        )
    return labels, f"of COCO, because it has {count} classes and no labels"


def _check_labels(decoding: OutputDecoding, labels: Labels, own: Labels | None) -> None:
    """Check that the labels are as many as the model's classes.

    Raises:
        ModelError: they are not.
    """
    classes = decoding.max_label if own is None else max(own)
    if decoding.max_label not in (None, classes):
        raise ModelError(
            f"its outputs have scores for {decoding.max_label} classes, but its metadata names "
            f"{classes}: export it again"
        )
    if classes not in (None, max(labels)):
        shown = ", ".join(list(labels.values())[:MAX_LABELS_SHOWN])
        more = ", …" if len(labels) > MAX_LABELS_SHOWN else ""
        raise ModelError(
            f"it has {classes} classes, but there are {max(labels)} labels ({shown}{more}): use "
            "the label file that belongs to it"
        )
