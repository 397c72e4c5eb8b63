"""Lines of YOLO with more than four numbers after the class.

They are polygons (segmentation), or begin with a box: keypoints, a confidence or the id of a track
follow. `data.yaml` tells with `kpt_shape` or `task`, as Ultralytics writes them; without either,
the lines themselves may tell. If they do not, they are left out: a guess would be wrong boxes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from vidan.errors import SourceError
from vidan.options import choice

from .issues import IssueLog

Corners = tuple[float, float, float, float]

TASKS = {"detect": False, "pose": False, "segment": True, "obb": True}
"""Tasks of Ultralytics, and whether their lines are polygons."""

BORDER = 0.02
"""A box may exceed the image by this fraction of it, from rounding."""

MIN_ID = 2.0
"""A number from here on is the id of a track or the visibility of a keypoint, no fraction."""

MIN_POLYGON_FRACTION = 0.2
"""If more than this fraction of the long lines cannot begin with a box, all are polygons."""


class Lines(NamedTuple):
    """How to read lines with more than four numbers.

    Attributes:
        keypoints: number of values of the keypoints that follow a box; None if there are none.
        polygons: whether such lines are polygons; False if they begin with a box, None if that
            is unknown.
    """

    keypoints: int | None = None
    polygons: bool | None = None

    @classmethod
    def of(cls, names: Path, content: Mapping[str, Any], labeled: Path, issues: IssueLog) -> Lines:
        """How to read the lines of a data set.

        Args:
            names: the file with the class names.
            content: of this file if it is YAML.
            labeled: folder of the text files.
            issues: receives a note if the lines themselves decide that they begin with a box.

        Raises:
            SourceError: `kpt_shape` is not a list of counts.
            ConfigError: the task is unknown.
        """
        if shape := content.get("kpt_shape"):
            if not isinstance(shape, list) or not all(isinstance(n, int) and n > 0 for n in shape):
                what = f"kpt_shape={shape!r}: expected counts as in [17, 3]"
                raise SourceError(f"{str(names)!r}: {what}")
            return cls(keypoints=prod(shape))
        if "task" in content:
            task = choice(f"{str(names)!r}: task", content["task"], TASKS)
            return cls(polygons=TASKS[task])
        polygons = _are_polygons(labeled)
        if polygons is False:
            text = "some lines have numbers that are no fractions of the image: boxes come first"
            issues.note(str(labeled), "more than four numbers", text)
        return cls(polygons=polygons)

    @property
    def expected(self) -> str:
        """What is expected after the class, for messages."""
        if self.keypoints is not None:
            return f"four numbers, and {self.keypoints} of keypoints (kpt_shape)"
        if self.polygons is None:
            return (
                "four numbers (more may be a polygon, or a box with keypoints, a confidence or a "
                "track id: set kpt_shape, or task to segment or detect, in data.yaml)"
            )
        return "four numbers, or a polygon" if self.polygons else "at least four numbers"

    def corners(self, values: list[float]) -> Corners | None:
        """Corners of the box of a line, without its class; None if it cannot be read."""
        count = len(values)
        if self.keypoints is not None:
            begins_with_box = count in (4, 4 + self.keypoints)
        else:
            begins_with_box = count == 4 or (count > 4 and self.polygons is False)
        if begins_with_box:
            return _box(values)
        if count < 6 or count % 2 or not self.polygons or _has_id(values):
            return None
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])


def _are_polygons(labeled: Path) -> bool | None:
    """Whether the long lines of a data set are polygons; None if that cannot be told.

    The first four numbers of a polygon are a box inside the image only by chance.
    """
    count = without_box = with_id = 0
    for values in _long_lines(labeled):
        count += 1
        without_box += not _may_be_box(values)
        with_id += _has_id(values)
    if without_box > MIN_POLYGON_FRACTION * count:
        return True
    return False if with_id else None


def _long_lines(labeled: Path) -> Iterator[list[float]]:
    """The numbers after the class of each line that may be a polygon."""
    for file in labeled.rglob("*.txt"):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) < 7 or not len(words) % 2:
                continue
            try:
                yield [float(word) for word in words[1:]]
            except ValueError:
                continue  # reported when the boxes are read


def _has_id(values: list[float]) -> bool:
    """Whether a box is followed by what is no fraction of the image."""
    return _may_be_box(values) and max(values) >= MIN_ID


def _may_be_box(values: list[float]) -> bool:
    """Whether the first four numbers are a box inside the image."""
    corners = _box(values)
    return min(corners) >= -BORDER and max(corners) <= 1 + BORDER and min(values[2:4]) > 0


def _box(values: list[float]) -> Corners:
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
