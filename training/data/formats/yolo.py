"""YOLO: a text file for each image, a line for each box: class, center and size as fractions.

A line with more numbers may be a polygon: see `yolo_lines`. Class names come from `data.yaml`
(Ultralytics, Roboflow), `classes.txt` (LabelImg) or `obj.names` (Darknet). Layouts: `images/` next
to `labels/`, or everything in one folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from vidan.errors import SourceError
from vidan.support.yaml_limit import check_yaml

from .dataset import AnnotatedImage
from .issues import IssueLog
from .options import ReadOptions
from .paths import ImageIndex, read_text
from .repair import RawAnnotation
from .writing import OutputFolder
from .yolo_lines import Lines

NAME_FILES = (
    "data.yaml",
    "data.yml",
    "dataset.yaml",
    "classes.txt",
    "obj.names",
    "_darknet.labels",
)
MAX_QUOTED_CHARACTERS = 60  # of a broken line in a message


def names_file(folder: Path) -> Path | None:
    """The file with the class names: in the folder, or up to two levels above it."""
    for place in (folder, folder / "labels", folder.parent, folder.parent.parent):
        for name in NAME_FILES:
            if (place / name).is_file():
                return place / name
    return None


def read(
    path: Path, options: ReadOptions
) -> tuple[tuple[str, ...] | None, Iterator[RawAnnotation]]:
    """Read the labels in the order of their numbers, and the annotations in the text files."""
    found = names_file(path)
    if found is None:
        raise SourceError(f"no class names for {str(path)!r}: expected data.yaml or classes.txt")
    names = read_names(found)
    labeled = path / "labels" if (path / "labels").is_dir() else path
    lines = Lines.of(found, read_yaml(found) if _is_yaml(found) else {}, labeled, options.issues)
    return tuple(dict.fromkeys(names)), _annotations(path, labeled, names, lines, options.issues)


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a `data.yaml`.

    Raises:
        SourceError: the file is not YAML.
    """
    try:
        text = read_text(file)
        check_yaml(text)
        content = OmegaConf.to_container(OmegaConf.create(text))
    except SourceError:
        raise
    except Exception as error:  # the library raises assertion and date errors, too
        why = (str(error) or "not YAML of lists and names").splitlines()[0]
        raise SourceError(f"cannot read {str(file)!r}: {why}") from error
    return {str(k): v for k, v in content.items()} if isinstance(content, dict) else {}


def read_names(file: Path) -> tuple[str, ...]:
    """Read the class names in the order of their numbers.

    Raises:
        SourceError: there are none, or the numbers have gaps.
    """
    if not _is_yaml(file):
        names = [line.strip() for line in read_text(file).splitlines() if line.strip()]
    else:
        read_yaml(file)  # for its errors
        names = _names_as_written(file)
    if not names:
        raise SourceError(f"no class names in {str(file)!r}")
    return tuple(names)


def _is_yaml(file: Path) -> bool:
    return file.suffix in (".yaml", ".yml")


def _names_as_written(file: Path) -> list[str]:
    """The names as texts: for YAML, `yes` is true, `007` is 7 and `null` is nothing."""
    root = yaml.compose(read_text(file), Loader=yaml.SafeLoader)
    entries = root.value if isinstance(root, yaml.MappingNode) else []
    given = next((value for key, value in entries if key.value == "names"), None)
    if given is None or (isinstance(given, yaml.ScalarNode) and given.tag.endswith(":null")):
        return []
    if isinstance(given, yaml.MappingNode):
        by_text = {str(number.value): name for number, name in given.value}
        numbers = [str(number) for number in range(len(by_text))]
        if set(by_text) != set(numbers):
            got = ", ".join(by_text)
            raise SourceError(f"{str(file)!r}: names must be 0, 1, 2 …, got {got}")
        nodes = [by_text[number] for number in numbers]
    else:
        nodes = given.value if isinstance(given, yaml.SequenceNode) else [given]
    if given in nodes or not all(isinstance(node, yaml.ScalarNode) for node in nodes):
        raise SourceError(f"{str(file)!r}: names: expected a list of names")
    return [str(node.value).strip() for node in nodes]


def _annotations(
    path: Path, labeled: Path, labels: tuple[str, ...], lines: Lines, issues: IssueLog
) -> Iterator[RawAnnotation]:
    root = path / "images" if (path / "images").is_dir() else path
    images = ImageIndex([root])
    texts = {
        file.relative_to(labeled).with_suffix("").as_posix(): file
        for file in sorted(labeled.rglob("*.txt"))
        if file.name not in NAME_FILES and not _is_other_text(file, labeled, path)
    }
    for file in images.files:
        key = file.relative_to(root).with_suffix("").as_posix()
        text = texts.pop(key, None)  # None: an image without objects
        raw = RawAnnotation(str(text or file), images.find(file.name, file.parent), file.name)
        raw.normalized = True
        for number, line in enumerate(read_text(text).splitlines() if text else (), 1):
            _add_box(raw, line.split(), number, labels, lines, issues)
        yield raw
    for text in texts.values():
        issues.report(str(text), "missing image", f"none named {text.stem!r}", repairable=False)


def _is_other_text(file: Path, labeled: Path, path: Path) -> bool:
    """Whether a text file in a flat folder does not contain boxes (a README, a list)."""
    if labeled != path:
        return False
    first = next(iter(file.read_text(encoding="utf-8", errors="replace").split()), "0")
    return not first.isdigit()


def _add_box(
    raw: RawAnnotation,
    words: list[str],
    number: int,
    labels: tuple[str, ...],
    lines: Lines,
    issues: IssueLog,
) -> None:
    """Add the box of a line: class, center and size, or class and polygon."""
    if not words:
        return
    location = f"{raw.location}:{number}"
    try:
        index = int(float(words[0]))
        values = [float(word) for word in words[1:]]
    except ValueError:
        index, values = 0, []
    corners = lines.corners(values)
    if corners is None:
        line = " ".join(words)[:MAX_QUOTED_CHARACTERS]
        text = f"expected a class and {lines.expected}, got {line!r}"
        issues.report(location, "broken annotation", text, repairable=False)
        return
    if not 0 <= index < len(labels):
        issues.report_unknown_label(location, f"class {index}, but there are {len(labels)} names")
        return
    raw.labels.append(labels[index])
    raw.corners.append(corners)
    raw.crowd.append(False)
    raw.difficult.append(False)


class YoloWriter:
    """Writes `images/`, `labels/*.txt`, `data.yaml` and `classes.txt`."""

    unsupported = ("crowd", "difficult", "weights")

    def __init__(self, output: OutputFolder) -> None:
        self._output = output
        (output.folder / "labels").mkdir()

    def write(self, image: AnnotatedImage) -> None:
        """Write one image and its text file."""
        file = self._output.copy_image(image, "images")
        boxes = image.boxes / (*image.size, *image.size)
        lines = []
        for (x1, y1, x2, y2), label, crowd in zip(
            boxes.tolist(), image.labels, image.crowd, strict=True
        ):
            if not crowd:
                values = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
                numbers = " ".join(f"{value:.9f}" for value in values)
                lines.append(f"{self._output.labels.index(label)} {numbers}\n")
        path = self._output.folder / "labels" / f"{file.stem}.txt"
        path.write_text("".join(lines), encoding="utf-8")

    def close(self) -> None:
        """Write the class names."""
        folder, labels = self._output.folder, list(self._output.labels)
        (folder / "classes.txt").write_text("".join(f"{n}\n" for n in labels), encoding="utf-8")
        content = {"train": "images", "val": "images", "nc": len(labels), "names": labels}
        OmegaConf.save(OmegaConf.create(content), folder / "data.yaml")
