"""`vidan data label`: pseudo-labels, for training without labels of your own.

Large detectors label images for a small one. A box keeps its score, which is its weight in
training; an uncertain box becomes a crowd: neither right nor wrong.
"""

from __future__ import annotations

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from omegaconf import MISSING, OmegaConf

from vidan import options
from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import console, setup_logging, track
from vidan.config.build import build
from vidan.config.compose import compose
from vidan.errors import ConfigError, SinkError, did_you_mean
from vidan.interfaces import Detector, Source
from vidan.types import Frame

from ..data import formats
from ..data.formats.dataset import AnnotatedImage
from ..data.image_files import ImageFile
from .labeling import LEFT_OUT, Labeler, LabelRules

LOWEST_SCORE = 0.1
"""Threshold of detectors without one of their own: lower scores hardly change a combined one."""

BATCH_SIZE = 8
"""Images given to a detector at once."""

JPEG_QUALITY = 95
"""Of the images of a source, from 0 to 100."""

HELP = """\
vidan data label source.path=<images> to=<folder> [detector.model=<file>] [key=value] ...
vidan data label source=file source.path=<video> every=10 to=<folder> ...
vidan data label from=<labeled images> complete=[<label>] to=<folder> ...

Labels images by one or several large detectors, so that a small one can learn from them. The score
of a box becomes its weight in training; uncertain boxes become crowds, neither right nor wrong.

Every key with its default:

{keys}
"""


def main(arguments: list[str]) -> int:
    """Run `vidan data label`."""
    if asks_for_help(arguments):
        write_help(HELP, "data_label")
        return 0
    setup_logging()
    config: Any = OmegaConf.to_container(compose(arguments, "data_label"), resolve=True)
    _check_given("to", config["to"])
    if config["from"] is None:
        _check_given("source.path", config["source"].get("path"))
    to = options.path("to", config["to"])
    formats.check_new(to)
    data = None if config["from"] is None else _read(config)
    labeler = _open(config, data.labels if data else ())
    try:
        with tempfile.TemporaryDirectory(prefix="vidan-") as folder:
            labels = labeler.rules.labels
            if data is not None:
                images = data.select([name for name in labels if name in data.labels]).images
            else:
                images = list(_images(config, Path(folder)))
            dataset = formats.Dataset(labels, list(_labeled(labeler, images)))
            formats.write(dataset, to, "coco")
    finally:
        labeler.close()
    _print_counts(to, dataset)
    return 0


def _check_given(key: str, value: Any) -> None:
    if value == MISSING:
        raise ConfigError(f"missing {key}: set {key}=<value> (vidan data label --help)")


def _read(config: Any) -> formats.Dataset:
    """The labeled images, under the new names of their labels."""
    data = formats.read(options.path("from", config["from"]), config["from_format"])
    rename = {old: new for old, new in _rename(config).items() if old in data.labels}
    return data.select(rename=rename)


def _open(config: Any, labels: Sequence[str]) -> Labeler:
    """The detectors, and how their classes become those of the result."""
    detectors = [_detector(values) for values in (config["detector"], *_further(config))]
    own = list(dict.fromkeys((*labels, *(name for d in detectors for name in d.labels))))
    rename, crowds = _rename(config), _names("crowd_labels", config["crowd_labels"])
    _check_known((*rename, *crowds), own)
    new = {name: rename.get(name, name) or "" for name in own}  # empty: left out
    known = list(dict.fromkeys(new[name] for name in own if new[name] and name not in crowds))
    result, complete = (_names(key, config[key]) for key in ("labels", "complete"))
    _check_known((*result, *complete), known)
    missing = None if config["from"] is None else complete
    rules = LabelRules(result or tuple(known), *_numbers(config), missing)
    index = {name: n for n, name in enumerate(rules.labels)}
    for_own = {name: index.get(new[name], LEFT_OUT) for name in own}
    for_own |= dict.fromkeys(crowds, len(index))
    classes = [np.array([for_own[name] for name in d.labels], np.int32) for d in detectors]
    return Labeler(detectors, classes, rules)


def _check_known(names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"no detector has the label {name!r}; {did_you_mean(name, known)}")


def _numbers(config: Any) -> tuple[float, float, float]:
    minimum, crowd, iou_threshold = (
        options.number(key, config[key], 0.0, 1.0)
        for key in ("min_score", "crowd_score", "iou_threshold")
    )
    if crowd > minimum:
        raise ConfigError(f"crowd_score={crowd:g}: expected at most min_score={minimum:g}")
    return minimum, crowd, iou_threshold


def _further(config: Any) -> list[dict[str, Any]]:
    """The options of further detectors."""
    given = config["detectors"] or []
    if not isinstance(given, list) or not all(isinstance(values, dict) for values in given):
        raise options.wrong("detectors", given, "a list of options, as [{model: other.onnx}]")
    return [{"name": "onnx", **values} for values in given]


def _detector(values: dict[str, Any]) -> Detector:
    """A detector, with a low threshold unless it was set."""
    if values.get("threshold") is None and values["name"] == "onnx":
        values = {**values, "threshold": LOWEST_SCORE}
    detector: Detector = build("detector", values)
    return detector


def _rename(config: Any) -> dict[str, str | None]:
    """The value of `rename`."""
    given = config["rename"] or {}
    if not isinstance(given, dict) or not all(isinstance(v, str | None) for v in given.values()):
        raise options.wrong("rename", given, "labels, such as {car: vehicle}")
    return given


def _names(key: str, value: Any) -> tuple[str, ...]:
    return () if value is None else options.names(key, value)


def _images(config: Any, folder: Path) -> Iterator[AnnotatedImage]:
    """The images of the source, as files in a folder, without boxes."""
    every = options.whole("every", config["every"], 1)
    source: Source = build("source", config["source"])
    try:
        for frame in itertools.islice(source, 0, None, every):
            name = Path(frame.filename or f"{frame.stream}_{frame.index:06d}").stem + ".jpg"
            file = ImageFile(_save(frame, folder / f"{frame.index}.jpg"))
            size, flags = (frame.width, frame.height), np.zeros(0, bool)
            yield AnnotatedImage(file, name, size, np.zeros((0, 4)), (), flags, flags, np.zeros(0))
    finally:
        source.close()


def _save(frame: Frame, path: Path) -> Path:
    """Write the image of a frame to a file."""
    image = cv2.cvtColor(frame.rgb(), cv2.COLOR_RGB2BGR)
    if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
        raise SinkError(f"cannot write {str(path)!r}: make room in the folder of temporary files")
    return path


def _labeled(labeler: Labeler, images: Sequence[AnnotatedImage]) -> Iterator[AnnotatedImage]:
    """The images with the boxes of the detectors."""
    for start in track(range(0, len(images), BATCH_SIZE), "labeling"):
        yield from labeler.label(images[start : start + BATCH_SIZE])


def _print_counts(to: Path, dataset: formats.Dataset) -> None:
    boxes = [
        label
        for image in dataset.images
        for label, crowd in zip(image.labels, image.crowd, strict=True)
        if not crowd
    ]
    crowds = sum(int(image.crowd.sum()) for image in dataset.images)
    counts = ", ".join(f"{n} {label}" for label, n in Counter(boxes).most_common())
    console().print(f"{to}: {len(dataset.images)} images, {counts or 'no boxes'}, {crowds} crowds")
