"""Finds sequences in MOTChallenge layout: detections, ground truth, features, images.

The official layout keeps a sequence in one folder. Ground truth, features and images may also be
in folders next to the sequences, shared by all detectors of a scene: `gt/MOT17-02` then serves
`MOT17-02-DPM`, `MOT17-02-FRCNN` and so on.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vidan.errors import ConfigError, SourceError, did_you_mean
from vidan.support.score_scale import COMMON, ScoreScale

from ...formats.mot import IMAGES_FOLDER, last_frame
from ...formats.seqinfo import read_seqinfo, sequence_facts

DEFAULT_FRAME_RATE = 30.0
"""Frames per second if neither the user nor a seqinfo.ini gives a rate."""

LABELS = ("person",)
"""Labels of the boxes in a det.txt."""

DETECTOR_SUFFIX = re.compile(r"-(DPM|FRCNN|SDP)$")
"""End of a MOT17 sequence's name: the detector of its detections."""


@dataclass(frozen=True)
class MotSequence:
    """One sequence and its files.

    Attributes:
        name: of the sequence; its results are in `<name>.txt`.
        scene: the name without the detector; sequences of one scene have the same images.
        detections: its det.txt; None if there is none.
        truth: its gt.txt; None if there is none.
        features: its .npy of appearance vectors; None if there is none.
        boxes_from_features: whether boxes come from `features` too, because the user named
            that folder.
        images: a folder of images, or a video; None if there are none.
        rate: frames per second.
        length: number of frames in its seqinfo.ini; None if there is none.
        size: width and height, px, in its seqinfo.ini; None if there is none.
        labels: of its detections, by class index.
        label: the label whose tracks are scored.
        score_scale: of the scores of its detections; None if it is not known.
    """

    name: str
    scene: str
    detections: Path | None
    truth: Path | None
    features: Path | None
    boxes_from_features: bool
    images: Path | None
    rate: float
    length: int | None
    size: tuple[int, int] | None
    labels: tuple[str, ...] = LABELS
    label: str = LABELS[0]
    score_scale: ScoreScale | None = COMMON

    @cached_property
    def frame_count(self) -> int:
        """Number of frames: from seqinfo.ini, or else from the boxes, which are read once for it.

        Raises:
            SourceError: a file cannot be read.
        """
        files = [file for file in (self.detections, self.truth) if file is not None]
        return self.length or max(last_frame(file) for file in files)


@dataclass(frozen=True)
class Folders:
    """Where to search; None is the place in the layout described above.

    Attributes:
        data: folder of the sequences.
        gt: folder of ground truth.
        features: folder of appearance vectors.
        images: folder of images or videos; or the video of the only sequence.
        rate: frames per second; None for the rate in seqinfo.ini.
    """

    data: Path
    gt: Path | None = None
    features: Path | None = None
    images: Path | None = None
    rate: float | None = None


def find_sequences(folders: Folders, wanted: Sequence[str] | None = None) -> list[MotSequence]:
    """The sequences in a folder, by name.

    Args:
        folders: where to search.
        wanted: names or patterns of the sequences to use; None for all.

    Raises:
        SourceError: there are none, or a seqinfo.ini cannot be read.
        ConfigError: a wanted name or pattern matches no sequence.
    """
    for folder in (folders.data, folders.gt, folders.features, folders.images):
        is_video = folder is not None and folder == folders.images and folder.is_file()
        if folder is not None and not (folder.is_dir() or is_video):
            raise SourceError(f"there is no folder {str(folder)!r}: check data, gt, features …")
    names = {place.name: place for place in _sequence_folders(folders.data)}
    if not names:
        raise SourceError(
            f"no sequences in {str(folders.data)!r}: expected <seq>/det/det.txt or <seq>/gt/gt.txt"
        )
    chosen = sorted(names if wanted is None else select_names(names, wanted))
    if folders.images is not None and folders.images.is_file() and len(chosen) > 1:
        raise ConfigError(
            f"images={str(folders.images)!r} is one video for {len(chosen)} sequences: choose one "
            f"by sequences=, such as {chosen[0]}, or set images=<folder of <seq>.mp4>"
        )
    return [_sequence(names[name], folders) for name in chosen]


def select_names(names: Iterable[str], patterns: Sequence[str]) -> set[str]:
    """The names that match at least one name or pattern.

    Raises:
        ConfigError: a pattern matches nothing.
    """
    names = list(names)
    chosen: set[str] = set()
    for pattern in patterns:
        matching = fnmatch.filter(names, pattern)
        if not matching:
            raise ConfigError(f"no sequence {pattern!r}: {did_you_mean(pattern, names)}")
        chosen.update(matching)
    return chosen


def _sequence_folders(data: Path) -> Iterator[Path]:
    """The folders of the sequences: `data` itself, those in it, or those in `data/det`."""
    for root in ([data], sorted(data.iterdir()), _subfolders(data / "det")):
        places = [p for p in root if _has(p, "det") or _has(p, "gt")]
        if places and root == [data]:
            return iter([data.resolve()])
        with_detections = [p for p in places if _has(p, "det")]
        if places:
            return iter(with_detections or places)
    return iter(())


def _subfolders(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _has(place: Path, kind: str) -> bool:
    return (place / kind / f"{kind}.txt").is_file()


def _sequence(place: Path, folders: Folders) -> MotSequence:
    name = place.name
    scene = DETECTOR_SUFFIX.sub("", name)
    parent = place.parent.parent if place.parent.name == "det" else place.parent
    truth = _truth(place, folders.gt, parent / "gt", (name, scene))
    seqinfo = _seqinfo(place, truth)
    info = read_seqinfo(seqinfo)
    facts = sequence_facts(seqinfo, info, folders.rate)
    images = _images(folders.images or parent / "frames", (name, scene))
    own = place / info.get("imdir", IMAGES_FOLDER)
    if folders.images is None and own.is_dir():
        images = own
    detections = place / "det" / "det.txt"
    root = folders.features or parent / "features"
    features = _first(root / f"{n}.npy" for n in (name, scene))
    return MotSequence(
        name,
        scene,
        detections if detections.is_file() else None,
        truth,
        features,
        features is not None and folders.features is not None,
        images,
        facts.rate or DEFAULT_FRAME_RATE,
        facts.frames or None,
        facts.size,
    )


def _seqinfo(place: Path, truth: Path | None) -> Path:
    """The seqinfo.ini of a sequence: its own, or else the one next to its ground truth."""
    own = place / "seqinfo.ini"
    others = [] if truth is None else [truth.with_name(own.name), truth.parent.with_name(own.name)]
    return _first([own, *others]) or own


def _truth(place: Path, given: Path | None, default: Path, names: Sequence[str]) -> Path | None:
    own = [place / "gt" / "gt.txt"] if given is None else []
    root = given or default
    forms = ("{}/gt.txt", "{}/gt/gt.txt", "{}.txt")
    return _first([*own, *(root / form.format(name) for name in names for form in forms)])


def _images(root: Path, names: Sequence[str]) -> Path | None:
    if root.is_file():
        return root
    forms = (f"{{}}/{IMAGES_FOLDER}", "{}.mp4", "{}.webm", "{}.avi", "{}.mkv")
    return _first(root / form.format(name) for name in names for form in forms)


def _first(places: Iterable[Path]) -> Path | None:
    return next((place for place in places if place.exists()), None)
