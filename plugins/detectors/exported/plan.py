"""Decide how an exported model is run: its input, its outputs, its labels."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from vidan.errors import ConfigError, ModelError
from vidan.modelspec import ModelDefaults

from ..labels import BUILT_IN, names_for
from ..native.signature import Shape, Signature, check_batch
from ..preprocess import Layout, Preprocessing, PreprocessOverrides
from .decoding import DecodeName, ModelInfo, OutputDecoding, choose
from .run import DTYPES, TRIED, ImageInput, Labels, Run, attempt, inputs_for


class Plan(NamedTuple):
    """How a model is to be used.

    Attributes:
        decode: the name of the decode.
        reading: how its outputs are read.
        image: the input that takes the image.
        preprocessing: how images become that.
        labels: its labels.
        whence: where they are from, for people.
    """

    decode: str
    reading: OutputDecoding
    image: ImageInput
    preprocessing: Preprocessing
    labels: Labels
    labels_origin: str

    def __str__(self) -> str:
        return (
            f"decode {self.decode}: {self.reading.why}; takes {self.preprocessing}; "
            f"{len(self.labels)} labels {self.labels_origin}"
        )


def plan(
    where: str,
    signature: Signature,
    properties: Mapping[str, str],
    run: Run,
    labels: Labels | None = None,
    decode: DecodeName = "auto",
    wishes: PreprocessOverrides | None = None,
) -> Plan:
    """Find out how a model is to be used: by trying it on an empty image.

    Args:
        where: the model, for errors.
        signature: its inputs and outputs.
        properties: its metadata.
        run: runs it.
        labels: those given; None for its own, or COCO's where their number fits.
        decode: `auto` for what fits.
        wishes: how images are to be prepared, where that is not as usual.

    Raises:
        ConfigError: an option has a bad value, or contradicts the model.
        ModelError: the model cannot be used.
    """
    given = (wishes or PreprocessOverrides()).given()
    image = image_input(where, signature, given.get("layout"))
    size = _size(where, image, given.get("size"), properties)
    labels, labels_origin = (
        (labels, "as given") if labels is not None else (_own_labels(where, properties), "its own")
    )
    tried = size or TRIED
    blank = Preprocessing(size=tried, layout=image.layout)
    picture = blank.tensor(np.zeros((*tried, 3), np.uint8), image.dtype, image.batched)
    names = list(signature.outputs)
    found = attempt(where, run, inputs_for(where, signature, image, picture), names)
    facts = ModelInfo(
        signature=signature,
        image=image.name,
        size=tried,
        outputs=dict(zip(names, found, strict=True)),
        properties=properties,
        labels=labels,
    )
    name, reading = choose(where, facts, decode)
    if size is None and not reading.scales:
        raise ModelError(
            f"{where}: its input may have any size: say detector.size=[height,width], in px, "
            "such as the one it was trained with"
        )
    usual = replace(reading.preprocessing, size=size, layout=image.layout)
    given = {**given, "size": size}
    if labels is None:
        labels, labels_origin = _by_count(where, reading.most)
    _check_labels(where, reading, labels)
    return Plan(name, reading, image, replace(usual, **given), labels, labels_origin)


def exported_advice(how: Plan) -> ModelDefaults:
    """What holds unless a user says otherwise: what a model suppressed is not suppressed again."""
    labels = tuple(how.labels.values())
    return (
        ModelDefaults(labels=labels, iou_threshold=1.0)
        if how.reading.suppressed
        else ModelDefaults(labels=labels)
    )


def image_input(where: str, signature: Signature, layout: Layout | None) -> ImageInput:
    """The input that takes the image.

    Raises:
        ModelError: there is none, or not one of a kind that is known.
    """
    found = [
        ImageInput(name, tensor.dtype, order, *sizes, batched=len(tensor.shape or ()) == 4)
        for name, tensor in signature.inputs.items()
        if tensor.dtype in DTYPES and (sizes_order := _axes(tensor.shape, tensor.dtype, layout))
        for order, sizes in [sizes_order]
    ]
    if len(found) != 1:
        raise ModelError(
            f"{where}: expected one input of pictures, [1,3,H,W] or [1,H,W,3] of uint8 or floats, "
            f"it has {signature}"
        )
    if found[0].batched:
        check_batch(where, signature.inputs[found[0].name])
    return found[0]


def _axes(
    shape: Shape | None, dtype: str, layout: Layout | None
) -> tuple[Layout, tuple[int | None, int | None]] | None:
    """The layout of an input of images, and its height and width; None if it is none."""
    if shape is None or len(shape) not in (3, 4):
        return None
    channels, last = shape[-3], shape[-1]
    could: dict[Layout, bool] = {"nchw": channels in (3, None), "nhwc": last in (3, None)}
    sure: dict[Layout, bool] = {"nchw": channels == 3, "nhwc": last == 3}
    if layout is not None:
        order = layout
    elif sure["nchw"] != sure["nhwc"]:
        order = "nchw" if sure["nchw"] else "nhwc"
    else:
        order = "nhwc" if dtype == "uint8" else "nchw"
    if not could[order]:
        return None
    return order, (shape[-2], shape[-1]) if order == "nchw" else (shape[-3], shape[-2])


def _size(
    where: str, image: ImageInput, asked: tuple[int, int] | None, properties: Mapping[str, str]
) -> tuple[int, int] | None:
    """Height and width of the input: its own, or as asked for; None if nobody says."""
    own = (image.height, image.width)
    if asked is not None:
        if any(mine not in (None, want) for mine, want in zip(own, asked, strict=True)):
            raise ConfigError(
                f"detector.size={list(asked)}: {where} takes {image.height or 'any'} px of "
                f"height and {image.width or 'any'} of width: leave it out"
            )
        return asked
    if own[0] is not None and own[1] is not None:
        return own[0], own[1]
    told = _literal(properties.get("imgsz"))
    if isinstance(told, list) and len(told) == 2 and all(isinstance(n, int) for n in told):
        return told[0], told[1]
    return None


def _own_labels(where: str, properties: Mapping[str, str]) -> Labels | None:
    """The labels in a model's metadata, as Ultralytics writes them: {0: 'person', ...}."""
    text = properties.get("names")
    if text is None:
        return None
    names = _literal(text)
    if isinstance(names, list):
        names = dict(enumerate(names))
    good = isinstance(names, dict) and all(isinstance(n, int) and n >= 0 for n in names)
    if not good or not names or not all(isinstance(n, str) for n in names.values()):
        raise ModelError(
            f"{where}: its metadata says names={text[:60]!r}, which are no labels: "
            "give detector.labels=<file>"
        )
    return {number + 1: names[number] for number in sorted(names)}


def _literal(text: str | None) -> Any:
    try:
        return ast.literal_eval(text or "None")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _by_count(where: str, most: int | None) -> tuple[Labels, str]:
    """COCO's labels where their number fits.

    Raises:
        ModelError: it does not.
    """
    labels = names_for(most)
    if labels is None:
        have = "" if most is None else f" {most} classes, and"
        raise ModelError(
            f"{where}: it has{have} no labels of its own: give detector.labels=<file>, one label "
            f"a line or a label_map.pbtxt, or one of {', '.join(BUILT_IN)}"
        )
    return labels, f"of COCO, because it has {most} classes and names none"


def _check_labels(where: str, reading: OutputDecoding, labels: Labels) -> None:
    if reading.most not in (None, max(labels)):
        raise ModelError(
            f"{where}: it has {reading.most} classes, and the labels end at {max(labels)}: "
            "give the label file that belongs to it"
        )
