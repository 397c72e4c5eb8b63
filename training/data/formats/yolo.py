"""YOLO: a text file for each image, a line for each box: class, center and size as shares.

Names of the classes: `data.yaml` (Ultralytics, Roboflow), `classes.txt` (LabelImg) or
`obj.names` (Darknet). Layouts: `images/` beside `labels/`, or all in one folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan.errors import SourceError

from .dataset import Picture
from .options import OutputDecoding
from .places import ImageFolder, read_text
from .problems import Problems
from .repair import Raw
from .writing import Target

NAME_FILES = (
    "data.yaml",
    "data.yml",
    "dataset.yaml",
    "classes.txt",
    "obj.names",
    "_darknet.labels",
)
NO_BOX = (float("nan"),) * 4


def names_file(folder: Path) -> Path | None:
    """The file with the names of the classes: in the folder, or up to two above it."""
    for place in (folder, folder / "labels", folder.parent, folder.parent.parent):
        for name in NAME_FILES:
            if (place / name).is_file():
                return place / name
    return None


def read(path: Path, reading: OutputDecoding) -> tuple[tuple[str, ...] | None, Iterator[Raw]]:
    """Labels in the order of their numbers, and what the text files say."""
    found = names_file(path)
    if found is None:
        raise SourceError(
            f"no names of classes for {str(path)!r}: expected data.yaml or classes.txt"
        )
    labels = read_names(found)
    labeled = path / "labels" if (path / "labels").is_dir() else path
    return labels, _pictures(path, labeled, labels, reading.problems)


def read_yaml(file: Path) -> dict[str, Any]:
    """The content of a `data.yaml`.

    Raises:
        SourceError: it is not YAML.
    """
    try:
        content = OmegaConf.to_container(OmegaConf.create(read_text(file)))
    except SourceError:
        raise
    except Exception as error:  # also of assertions and dates, from inside the library
        why = (str(error) or "not YAML of lists and names").splitlines()[0]
        raise SourceError(f"cannot read {str(file)!r}: {why}") from error
    return {str(k): v for k, v in content.items()} if isinstance(content, dict) else {}


def read_names(file: Path) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers.

    Raises:
        SourceError: there are none, or the numbers have gaps.
    """
    if file.suffix not in (".yaml", ".yml"):
        names = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    else:
        given = read_yaml(file).get("names")
        if isinstance(given, dict):
            by_text = {str(number): name for number, name in given.items()}
            numbers = [str(number) for number in range(len(given))]
            if set(by_text) != set(numbers):
                got = ", ".join(by_text)
                raise SourceError(f"{str(file)!r}: names must be 0, 1, 2 …, got {got}")
            given = [by_text[number] for number in numbers]
        if given is not None and not isinstance(given, list):
            raise SourceError(f"{str(file)!r}: names={given!r}: expected a list of names")
        names = [str(name) for name in given or ()]
    if not names:
        raise SourceError(f"no names of classes in {str(file)!r}")
    return tuple(names)


def _pictures(
    path: Path, labeled: Path, labels: tuple[str, ...], problems: Problems
) -> Iterator[Raw]:
    images = path / "images" if (path / "images").is_dir() else path
    pictures = ImageFolder([images])
    texts = {
        file.relative_to(labeled).with_suffix("").as_posix(): file
        for file in sorted(labeled.rglob("*.txt"))
        if file.name not in NAME_FILES and not _is_list(file, labeled, path)
    }
    for picture in pictures.files:
        key = picture.relative_to(images).with_suffix("").as_posix()
        text = texts.pop(key, None)  # none: an image without objects
        raw = Raw(str(text or picture), pictures.find(picture.name, picture.parent), picture.name)
        raw.normalized = True
        for number, line in enumerate(read_text(text).splitlines() if text else (), 1):
            _add(raw, line.split(), number, labels, problems)
        yield raw
    for file in texts.values():
        problems.repairs(str(file), "missing picture", f"none named {file.stem!r}", mendable=False)


def _is_list(file: Path, labeled: Path, path: Path) -> bool:
    """Whether a text file in a flat folder is something else than labels (a README, a list)."""
    if labeled != path:
        return False
    first = next(iter(file.read_text(encoding="utf-8", errors="replace").split()), "0")
    return not first.isdigit()


def _add(
    raw: Raw, words: list[str], number: int, labels: tuple[str, ...], problems: Problems
) -> None:
    """Add the box of a line: class and center and size, or class and a polygon."""
    if not words:
        return
    where = f"{raw.where}:{number}"
    try:
        index = int(float(words[0]))
        values = [float(word) for word in words[1:]]
    except ValueError:
        index, values = 0, []
    if len(values) != 4 and (len(values) < 6 or len(values) % 2):
        text = f"expected a class and four numbers, or a polygon, got {' '.join(words)[:60]!r}"
        problems.repairs(where, "broken annotation", text, mendable=False)
        return
    if not 0 <= index < len(labels):
        problems.unknown(where, f"class {index}, but there are {len(labels)} names")
        return
    if len(values) == 4:
        x, y, width, height = values
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    else:
        corners = (min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2]))
    raw.labels.append(labels[index])
    raw.corners.append(corners)
    raw.crowd.append(False)
    raw.difficult.append(False)


class Writer:
    """Writes `images/`, `labels/*.txt`, `data.yaml` and `classes.txt`."""

    loses = ("crowd", "difficult")

    def __init__(self, target: Target) -> None:
        self._target = target
        (target.folder / "labels").mkdir()

    def write(self, picture: Picture) -> None:
        """Write one image and its text file."""
        file = self._target.copy(picture, "images")
        boxes = picture.boxes / (*picture.size, *picture.size)
        lines = []
        for (x1, y1, x2, y2), label, crowd in zip(
            boxes.tolist(), picture.labels, picture.crowd, strict=True
        ):
            if not crowd:
                values = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
                numbers = " ".join(f"{value:.9f}" for value in values)
                lines.append(f"{self._target.labels.index(label)} {numbers}\n")
        path = self._target.folder / "labels" / f"{file.stem}.txt"
        path.write_text("".join(lines), encoding="utf-8")

    def close(self) -> None:
        """Write the names."""
        folder, labels = self._target.folder, list(self._target.labels)
        (folder / "classes.txt").write_text("".join(f"{n}\n" for n in labels), encoding="utf-8")
        content = {"train": "images", "val": "images", "nc": len(labels), "names": labels}
        OmegaConf.save(OmegaConf.create(content), folder / "data.yaml")
