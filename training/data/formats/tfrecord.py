"""TFRecords of the TF Object Detection API: images and boxes in `tf.train.Example`s.

Keys: research/object_detection/data_decoders/tf_example_decoder.py and
dataset_tools/create_pascal_tf_record.py. All but `image/encoded` may be missing.
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
from .dataset import Picture
from .options import OutputDecoding
from .places import basename, find_label_map, read_label_map
from .problems import Problems
from .records import BrokenRecordError, files_of, missing, read_records, write_record
from .repair import Raw
from .writing import Target

BOX = "image/object/bbox/"
CORNERS = ("xmin", "ymin", "xmax", "ymax")
PER_SHARD = 1000
"""Images in a shard where nobody says how many shards: about 100 MB of photographs."""
KINDS = {"JPEG": b"jpeg", "MPO": b"jpeg", "PNG": b"png"}
MODES = ("RGB", "L", "P", "1", "RGBA", "LA")
QUALITY = 95


@dataclass(slots=True)
class Naming:
    """What classes are called: by the label map, else by the records' own texts.

    Attributes:
        items: of the label map; empty without one.
    """

    items: Sequence[labelmap.Item] = ()
    _ids: dict[int, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ids = {item.id: item.label for item in self.items}
        self._texts = {item.name: item.label for item in self.items if item.name}
        self._texts |= {item.display_name: item.label for item in self.items if item.display_name}

    def label(self, text: str, number: int | None) -> str | None:
        """The label of a box: by its text if that is known, else by its id; None: unknown."""
        if text and (not self.items or text in self._texts):
            return self._texts.get(text, text)
        return self._ids.get(number) if number is not None else None


def read(path: Path, reading: OutputDecoding) -> tuple[tuple[str, ...] | None, Iterator[Raw]]:
    """Labels of the label map, if there is one, and what the records say.

    Without a label map the labels are the records' own texts, in the order of their ids.
    """
    files = files_of(path)
    folders = list(dict.fromkeys(file.parent for file in files))
    found = reading.label_map or find_label_map([*folders, *(f.parent for f in folders)])
    naming = Naming(read_label_map(found) if found else ())
    labels = tuple(item.label for item in naming.items) or _own_labels(files)
    return labels, _pictures(files, naming, reading.problems)


def _own_labels(files: Sequence[Path]) -> tuple[str, ...] | None:
    """The texts in the records, in the order of the ids that they come with most often."""
    pairs: Counter[tuple[int, str]] = Counter()
    texts = False
    for file in files:
        try:
            for _, data in read_records(file):
                features = example.parse(data)
                names = features.get("image/object/class/text", [])
                numbers = features.get("image/object/class/label", [])
                texts = texts or bool(names)
                if numbers and not names:
                    raise SourceError(
                        f"{str(file)!r} names classes by numbers alone: say label_map=<file>"
                    )
                paired = numbers if len(numbers) == len(names) else [0] * len(names)
                pairs.update((int(n), _text(name)) for n, name in zip(paired, names, strict=True))
        except (BrokenRecordError, ValueError):
            continue  # said where the images are read
    ids: dict[str, int] = {}
    for (number, text), _ in pairs.most_common():
        ids.setdefault(text, number)
    return tuple(sorted(ids, key=lambda text: (ids[text], text))) if texts else None


def _pictures(files: Sequence[Path], naming: Naming, problems: Problems) -> Iterator[Raw]:
    for name in missing(list(files)):
        problems.repairs(str(files[0].parent / name), "missing shard", "no file", mendable=False)
    for file in files:
        number = 0
        try:
            for number, (offset, data) in enumerate(read_records(file), 1):
                where = f"{file}: record {number}"
                try:
                    raw = _picture(file, offset, data, where, naming, problems)
                except (ValueError, TypeError) as error:
                    problems.repairs(where, "broken record", str(error), mendable=False)
                    continue
                if raw is not None:
                    yield raw
        except (BrokenRecordError, OSError) as error:
            text = f"{error}; {number} records before it are good"
            problems.repairs(str(file), "broken record", text, mendable=False)


def _picture(
    file: Path, offset: int, data: bytes, where: str, naming: Naming, problems: Problems
) -> Raw | None:
    features = example.parse(data)
    encoded = features.get("image/encoded") or [b""]
    name = _first(features, "image/filename") or _first(features, "image/source_id")
    if not encoded[0]:
        problems.repairs(where, "missing picture", "no image/encoded", mendable=False)
        return None
    inside = ImageFile(file, offset + data.index(encoded[0]), len(encoded[0]))
    name = basename(name) or f"{file.stem}_{offset}"
    raw = Raw(f"{where} ({name})", inside, name, normalized=True)
    sides = [features.get(f"image/{side}") or [0] for side in ("width", "height")]
    if all(int(side[0]) > 0 for side in sides):
        raw.declared = (int(sides[0][0]), int(sides[1][0]))
    corners = [features.get(BOX + corner, []) for corner in CORNERS]
    counts = sorted({len(values) for values in corners})
    if len(counts) > 1:
        text = f"{counts[0]} to {counts[-1]} corners of boxes"
        problems.repairs(raw.where, "broken record", text, mendable=False)
        return None
    texts = [_text(text) for text in features.get("image/object/class/text", [])]
    numbers = features.get("image/object/class/label", [])
    for row, corner in enumerate(zip(*corners, strict=True)):
        text = texts[row] if row < len(texts) else ""
        number = int(numbers[row]) if row < len(numbers) else None
        label = naming.label(text, number)
        if label is None:
            said = f"label {text!r}" if text else f"label id {number}"
            problems.unknown(raw.where, f"{said} is not in the label map", row + 1)
            continue
        raw.labels.append(label)
        raw.corners.append(corner)
        raw.crowd.append(_flag(features, "image/object/is_crowd", row))
        raw.difficult.append(_flag(features, "image/object/difficult", row))
    return raw


def _text(data: Any) -> str:
    return bytes(data).decode("utf-8", "replace").strip()


def _first(features: Mapping[str, Sequence[Any]], key: str) -> str:
    values = features.get(key)
    return _text(values[0]) if values else ""


def _flag(features: Mapping[str, Sequence[Any]], key: str, row: int) -> bool:
    values = features.get(key, [])
    return row < len(values) and bool(values[row])


class Writer:
    """Writes `data.record-00000-of-00010` and so on, and `label_map.pbtxt`.

    The API decodes JPEG and PNG only, and knows nothing of EXIF: other images, and those that
    lie on a side, are encoded anew as JPEG.
    """

    loses = ()

    def __init__(self, target: Target) -> None:
        self._target = target
        shards = target.shards or max(1, math.ceil(target.pictures / PER_SHARD))
        self._streams: list[BinaryIO] = [
            (target.folder / f"data.record-{shard:05d}-of-{shards:05d}").open("wb")
            for shard in range(shards)
        ]
        self._written = 0

    def write(self, picture: Picture) -> None:
        """Append the image to the next shard."""
        stream = self._streams[self._written % len(self._streams)]
        write_record(stream, example.dump(self._features(picture)))
        self._written += 1

    def _features(self, picture: Picture) -> example.Features:
        encoded, kind = encode(picture)
        name = self._target.name(picture).encode()
        boxes = picture.boxes / (*picture.size, *picture.size)
        numbers = [self._target.labels.index(label) + 1 for label in picture.labels]
        return {
            "image/height": [picture.size[1]],
            "image/width": [picture.size[0]],
            "image/filename": [name],
            "image/source_id": [name],
            "image/key/sha256": [hashlib.sha256(encoded).hexdigest().encode()],
            "image/encoded": [encoded],
            "image/format": [kind],
            **{BOX + c: boxes[:, i].tolist() for i, c in enumerate(CORNERS)},
            "image/object/class/text": [label.encode() for label in picture.labels],
            "image/object/class/label": numbers,
            "image/object/is_crowd": [int(flag) for flag in picture.crowd],
            "image/object/difficult": [int(flag) for flag in picture.difficult],
        }

    def close(self) -> None:
        """Finish the shards, and write the label map."""
        for stream in self._streams:
            stream.close()
        text = labelmap.dump_labels(self._target.labels)
        (self._target.folder / "label_map.pbtxt").write_text(text, encoding="utf-8")


def encode(picture: Picture) -> tuple[bytes, bytes]:
    """The image as the API can read it, and `jpeg` or `png`."""
    header = picture.file.header()
    if header.orientation == 1 and header.kind in KINDS and header.mode in MODES:
        return picture.file.read(), KINDS[header.kind]
    image = cv2.cvtColor(picture.file.decode(), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes(), b"jpeg"
