"""TFRecords of the TF Object Detection API: images and boxes in `tf.train.Example`s.

Keys: research/object_detection/data_decoders/tf_example_decoder.py and
dataset_tools/create_pascal_tf_record.py. All but `image/encoded` are optional.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from vidan.errors import SourceError
from vidan.formats import labelmap

from ..image_files import ImageFile
from . import example
from .dataset import AnnotatedImage
from .issues import IssueLog
from .options import ReadOptions
from .paths import basename, find_label_map, read_label_map
from .records import (
    BrokenRecordError,
    missing_shards,
    read_records,
    record_files,
    write_record,
)
from .repair import RawAnnotation
from .writing import OutputFolder

BOX = "image/object/bbox/"
CORNERS = ("xmin", "ymin", "xmax", "ymax")
IMAGES_PER_SHARD = 1000  # about 100 MB of photographs
API_FORMATS = {"JPEG": b"jpeg", "MPO": b"jpeg", "PNG": b"png"}
"""Names of the image formats that the API can decode, by Pillow's names."""

API_MODES = ("RGB", "L", "P", "1", "RGBA", "LA")
JPEG_QUALITY = 95


@dataclass(slots=True)
class LabelLookup:
    """Labels of boxes: from the label map, or else from the texts in the records.

    Attributes:
        items: items of the label map; empty without one.
    """

    items: Sequence[labelmap.Item] = ()
    _by_id: dict[int, str] = field(default_factory=dict)
    _by_text: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {item.id: item.label for item in self.items}
        self._by_text = {item.name: item.label for item in self.items if item.name}
        named = (item for item in self.items if item.display_name)
        self._by_text |= {item.display_name: item.label for item in named}

    def label(self, text: str, number: int | None) -> str | None:
        """Label of a box by its text if that is known, else by its id; None if unknown."""
        if text and (not self.items or text in self._by_text):
            return self._by_text.get(text, text)
        return self._by_id.get(number) if number is not None else None


def read(
    path: Path, options: ReadOptions
) -> tuple[tuple[str, ...] | None, Iterator[RawAnnotation]]:
    """Read the labels of the label map, if there is one, and the annotations in the records.

    Without a label map, the labels are the texts in the records, in the order of their ids.
    """
    files = record_files(path)
    folders = list(dict.fromkeys(file.parent for file in files))
    found = options.label_map or find_label_map([*folders, *(f.parent for f in folders)])
    lookup = LabelLookup(read_label_map(found) if found else ())
    labels = tuple(item.label for item in lookup.items) or _labels_in_records(files)
    return labels, _annotations(files, lookup, options.issues)


def _labels_in_records(files: Sequence[Path]) -> tuple[str, ...] | None:
    """The texts in the records, sorted by the id that each occurs with most often."""
    pairs: Counter[tuple[int, str]] = Counter()
    has_texts = False
    for file in files:
        try:
            for _, data in read_records(file):
                features = example.parse(data)
                names = features.get("image/object/class/text", [])
                numbers = features.get("image/object/class/label", [])
                has_texts = has_texts or bool(names)
                if numbers and not names:
                    raise SourceError(
                        f"{str(file)!r} has only numbers for classes: set label_map=<file>"
                    )
                paired = numbers if len(numbers) == len(names) else [0] * len(names)
                pairs.update((int(n), _text(name)) for n, name in zip(paired, names, strict=True))
        except (BrokenRecordError, ValueError):
            continue  # reported when the images are read
    ids: dict[str, int] = {}
    for (number, text), _ in pairs.most_common():
        ids.setdefault(text, number)
    return tuple(sorted(ids, key=lambda text: (ids[text], text))) if has_texts else None


def _annotations(
    files: Sequence[Path], lookup: LabelLookup, issues: IssueLog
) -> Iterator[RawAnnotation]:
    for name in missing_shards(list(files)):
        shard = str(files[0].parent / name)
        issues.report(shard, "missing shard", "no file", repairable=False)
    for file in files:
        number = 0
        try:
            for number, (offset, data) in enumerate(read_records(file), 1):
                location = f"{file}: record {number}"
                try:
                    raw = _annotation(file, offset, data, location, lookup, issues)
                except (ValueError, TypeError) as error:
                    issues.report(location, "broken record", str(error), repairable=False)
                    continue
                if raw is not None:
                    yield raw
        except (BrokenRecordError, OSError) as error:
            text = f"{error}; the {number} records before it are intact"
            issues.report(str(file), "broken record", text, repairable=False)


def _annotation(
    file: Path, offset: int, data: bytes, location: str, lookup: LabelLookup, issues: IssueLog
) -> RawAnnotation | None:
    features = example.parse(data)
    encoded = features.get("image/encoded") or [b""]
    name = _first(features, "image/filename") or _first(features, "image/source_id")
    if not encoded[0]:
        issues.report(location, "missing image", "no image/encoded", repairable=False)
        return None
    image = ImageFile(file, offset + data.index(encoded[0]), len(encoded[0]))
    name = basename(name) or f"{file.stem}_{offset}"
    raw = RawAnnotation(f"{location} ({name})", image, name, normalized=True)
    sides = [features.get(f"image/{side}") or [0] for side in ("width", "height")]
    if all(int(side[0]) > 0 for side in sides):
        raw.declared_size = (int(sides[0][0]), int(sides[1][0]))
    corners = [features.get(BOX + corner, []) for corner in CORNERS]
    counts = sorted({len(values) for values in corners})
    if len(counts) > 1:
        text = f"between {counts[0]} and {counts[-1]} values for the corners of boxes"
        issues.report(raw.location, "broken record", text, repairable=False)
        return None
    _add_boxes(raw, features, list(zip(*corners, strict=True)), lookup, issues)
    return raw


def _add_boxes(
    raw: RawAnnotation,
    features: Mapping[str, Sequence[Any]],
    corners: Sequence[tuple[float, float, float, float]],
    lookup: LabelLookup,
    issues: IssueLog,
) -> None:
    """Add the boxes whose label is known."""
    texts = [_text(text) for text in features.get("image/object/class/text", [])]
    numbers = features.get("image/object/class/label", [])
    for row, corner in enumerate(corners):
        text = texts[row] if row < len(texts) else ""
        number = int(numbers[row]) if row < len(numbers) else None
        label = lookup.label(text, number)
        if label is None:
            what = f"label {text!r}" if text else f"label id {number}"
            issues.report_unknown_label(raw.location, f"{what} is not in the label map", row + 1)
            continue
        raw.labels.append(label)
        raw.corners.append(corner)
        raw.crowd.append(_flag(features, "image/object/is_crowd", row))
        raw.difficult.append(_flag(features, "image/object/difficult", row))
        raw.weights.append(_weight(features, row))


def _text(data: Any) -> str:
    return bytes(data).decode("utf-8", "replace").strip()


def _first(features: Mapping[str, Sequence[Any]], key: str) -> str:
    values = features.get(key)
    return _text(values[0]) if values else ""


def _weight(features: Mapping[str, Sequence[Any]], row: int) -> float:
    """The API's `groundtruth_weights`; a box without weight, or with 0, counts fully."""
    values = features.get("image/object/weight", [])
    return (float(values[row]) if row < len(values) else 0.0) or 1.0


def _flag(features: Mapping[str, Sequence[Any]], key: str, row: int) -> bool:
    values = features.get(key, [])
    return row < len(values) and bool(values[row])


class TfrecordWriter:
    """Writes `data.record-00000-of-00010` and so on, and `label_map.pbtxt`.

    The API decodes only JPEG and PNG, and ignores EXIF: images in other formats or with a
    rotation are encoded again, JPEG as JPEG and everything else as PNG, which loses nothing.
    """

    unsupported = ()

    def __init__(self, output: OutputFolder) -> None:
        self._output = output
        shards = output.shards or max(1, math.ceil(output.image_count / IMAGES_PER_SHARD))
        self._streams: list[BinaryIO] = [
            (output.folder / f"data.record-{shard:05d}-of-{shards:05d}").open("wb")
            for shard in range(shards)
        ]
        self._written = 0

    def write(self, image: AnnotatedImage) -> None:
        """Append the image to the next shard."""
        stream = self._streams[self._written % len(self._streams)]
        write_record(stream, example.dump(self._features(image)))
        self._written += 1

    def _features(self, image: AnnotatedImage) -> example.Features:
        encoded, kind = encode(image)
        name = self._output.unique_name(image).encode()
        boxes = image.boxes / (*image.size, *image.size)
        numbers = [self._output.labels.index(label) + 1 for label in image.labels]
        return {
            "image/height": [image.size[1]],
            "image/width": [image.size[0]],
            "image/filename": [name],
            "image/source_id": [name],
            "image/key/sha256": [hashlib.sha256(encoded).hexdigest().encode()],
            "image/encoded": [encoded],
            "image/format": [kind],
            **{BOX + c: boxes[:, i].tolist() for i, c in enumerate(CORNERS)},
            "image/object/class/text": [label.encode() for label in image.labels],
            "image/object/class/label": numbers,
            "image/object/is_crowd": [int(flag) for flag in image.crowd],
            "image/object/difficult": [int(flag) for flag in image.difficult],
            "image/object/weight": image.weights.tolist(),
        }

    def close(self) -> None:
        """Close the shards and write the label map."""
        for stream in self._streams:
            stream.close()
        text = labelmap.dump_labels(self._output.labels)
        (self._output.folder / "label_map.pbtxt").write_text(text, encoding="utf-8")


def encode(image: AnnotatedImage) -> tuple[bytes, bytes]:
    """The image encoded so that the API can decode it, and its format: `jpeg` or `png`."""
    header = image.file.header()
    if header.orientation == 1 and header.format in API_FORMATS and header.mode in API_MODES:
        return image.file.read(), API_FORMATS[header.format]
    bgr = cv2.cvtColor(image.file.decode(), cv2.COLOR_RGB2BGR)
    if API_FORMATS.get(header.format) != b"jpeg":
        return cv2.imencode(".png", bgr)[1].tobytes(), b"png"
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return cv2.imencode(".jpg", bgr, options)[1].tobytes(), b"jpeg"
