"""Finds sequences in MOTChallenge layout: detections, ground truth, features, images.

The official layout keeps all of a sequence in one folder. Ground truth, features and
images may also stand in folders beside the sequences, once for all detectors of a
scene: `gt/MOT17-02` then serves `MOT17-02-DPM`, `MOT17-02-FRCNN` and so on.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidan.errors import ConfigError, SourceError, did_you_mean

from ...formats.mot import read_seqinfo

RATE = 30.0
"""Frames per second where nobody says."""

DETECTOR = re.compile(r"-(DPM|FRCNN|SDP)$")
"""The end of a MOT17 sequence's name: whose detections these are."""


@dataclass(frozen=True)
class Video:
    """One sequence.

    Attributes:
        name: of the sequence; its results are in `<name>.txt`.
        scene: the name without the detector's: sequences of one scene show the same images.
        detections: its det.txt; None if there is none.
        truth: its gt.txt; None if there is none.
        features: its .npy of appearance vectors; None if there is none.
        alone: whether boxes, too, come from there: somebody named the folder of features.
        images: a folder of images, or a video; None if there are none.
        rate: frames per second.
        length: frames; None if no seqinfo.ini says.
        size: width and height, px; None if no seqinfo.ini says.
    """

    name: str
    scene: str
    detections: Path | None
    truth: Path | None
    features: Path | None
    alone: bool
    pictures: Path | None
    rate: float
    length: int | None
    size: tuple[int, int] | None


@dataclass(frozen=True)
class Folders:
    """Where to look; None is the place where MOTChallenge or the README puts it."""

    data: Path
    gt: Path | None = None
    features: Path | None = None
    pictures: Path | None = None
    rate: float | None = None


def find(folders: Folders, wanted: Sequence[str] | None = None) -> list[Video]:
    """The sequences under a folder, by name.

    Args:
        folders: where to look.
        wanted: names or patterns of those to take; None for all.

    Raises:
        SourceError: there are none, or a seqinfo.ini cannot be read.
        ConfigError: nothing there has a wanted name.
    """
    given = (folders.data, folders.gt, folders.features, folders.pictures)
    for folder in given:
        if folder is not None and not folder.is_dir():
            raise SourceError(f"there is no folder {str(folder)!r}: check data, gt, features …")
    names = {place.name: place for place in _places(folders.data)}
    if not names:
        raise SourceError(
            f"no sequences in {str(folders.data)!r}: expected <seq>/det/det.txt or <seq>/gt/gt.txt"
        )
    chosen = sorted(names if wanted is None else select(names, wanted))
    return [_video(names[name], folders) for name in chosen]


def select(names: Iterable[str], wanted: Sequence[str]) -> set[str]:
    """Those of some names that a name or pattern in `wanted` fits.

    Raises:
        ConfigError: one of them fits nothing.
    """
    names = list(names)
    chosen: set[str] = set()
    for pattern in wanted:
        fitting = fnmatch.filter(names, pattern)
        if not fitting:
            raise ConfigError(f"no sequence {pattern!r}: {did_you_mean(pattern, names)}")
        chosen.update(fitting)
    return chosen


def _places(data: Path) -> Iterator[Path]:
    """The folders of the sequences: `data` itself, those in it, or those in `data/det`."""
    for root in ([data], sorted(data.iterdir()), _inside(data / "det")):
        places = [p for p in root if _has(p, "det") or _has(p, "gt")]
        if places and root == [data]:
            return iter([data.resolve()])
        with_detections = [p for p in places if _has(p, "det")]
        if places:
            return iter(with_detections or places)
    return iter(())


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _has(place: Path, kind: str) -> bool:
    return (place / kind / f"{kind}.txt").is_file()


def _video(place: Path, folders: Folders) -> Video:
    name = place.name
    scene = DETECTOR.sub("", name)
    beside = place.parent.parent if place.parent.name == "det" else place.parent
    truth = _truth(place, folders.gt, beside / "gt", (name, scene))
    about = _seqinfo(place, truth)
    info = read_seqinfo(about)
    width, height = info.get("imwidth"), info.get("imheight")
    pictures = _pictures(folders.pictures or beside / "frames", (name, scene))
    own = place / str(info.get("imdir", "img1"))
    if folders.pictures is None and own.is_dir():
        pictures = own
    detections = place / "det" / "det.txt"
    root = folders.features or beside / "features"
    features = _first(root / f"{n}.npy" for n in (name, scene))
    return Video(
        name,
        scene,
        detections if detections.is_file() else None,
        truth,
        features,
        features is not None and folders.features is not None,
        pictures,
        folders.rate or _number(about, info, "framerate") or RATE,
        int(_number(about, info, "seqlength") or 0) or None,
        (int(width), int(height)) if width and height else None,
    )


def _seqinfo(place: Path, truth: Path | None) -> Path:
    """The seqinfo.ini of a sequence: its own, or else the one beside its ground truth."""
    own = place / "seqinfo.ini"
    others = [] if truth is None else [truth.with_name(own.name), truth.parent.with_name(own.name)]
    return _first([own, *others]) or own


def _truth(place: Path, given: Path | None, beside: Path, names: Sequence[str]) -> Path | None:
    own = [place / "gt" / "gt.txt"] if given is None else []
    root = given or beside
    forms = ("{}/gt.txt", "{}/gt/gt.txt", "{}.txt")
    return _first([*own, *(root / form.format(name) for name in names for form in forms)])


def _pictures(root: Path, names: Sequence[str]) -> Path | None:
    forms = ("{}/img1", "{}.mp4", "{}.webm", "{}.avi", "{}.mkv")
    return _first(root / form.format(name) for name in names for form in forms)


def _first(places: Iterable[Path]) -> Path | None:
    return next((place for place in places if place.exists()), None)


def _number(about: Path, info: Mapping[str, str], key: str) -> float | None:
    text = info.get(key)
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = -1.0
    if value is not None and not 0 < value < np.inf:
        raise SourceError(f"{about}: {key}={text!r}: expected a number above 0")
    return value


def last_frame(file: Path) -> int:
    """The highest frame number, from 1, in a MOTChallenge file; 0 if it has no rows.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        return max((int(float(line.split(",")[0])) for line in lines if line.strip()), default=0)
    except (OSError, ValueError) as error:
        raise SourceError(f"cannot read {str(file)!r}: {error}") from error
