"""Finds files of tracks, and what is known of their sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vidan.errors import SourceError

from ...formats.seqinfo import SequenceFacts, read_seqinfo, sequence_facts

TRUTH = ("gt/gt.txt", "gt.txt")
"""Ground truth in the folder of a sequence."""


@dataclass(frozen=True, slots=True)
class TrackFile:
    """The tracks of one sequence.

    Attributes:
        name: of the sequence.
        path: of the file.
        facts: in its seqinfo.ini.
    """

    name: str
    path: Path
    facts: SequenceFacts


def find_tracks(path: Path) -> list[TrackFile]:
    """The file itself, or the files of all sequences in a folder, by name.

    Raises:
        SourceError: there are none, or a seqinfo.ini cannot be read.
    """
    if not path.exists():
        raise SourceError(f"tracks={str(path)!r}: there is no such file or folder")
    if path.is_file():
        return [_track_file(path)]
    found = {file.name: file for file in _in_folder(path)}
    if not found:
        raise SourceError(
            f"tracks={str(path)!r}: expected <seq>.txt, <seq>/gt/gt.txt or <seq>/gt.txt in it"
        )
    return [found[name] for name in sorted(found)]


def _in_folder(folder: Path) -> Iterator[TrackFile]:
    truth = _truth(folder)
    if truth is not None:
        yield _track_file(truth)
        return
    for place in sorted(folder.iterdir()):
        if place.is_dir() and (truth := _truth(place)) is not None:
            yield _track_file(truth)
    for place in sorted(folder.glob("*.txt")):  # results have precedence over ground truth
        yield _track_file(place)


def _truth(folder: Path) -> Path | None:
    return next((folder / name for name in TRUTH if (folder / name).is_file()), None)


def _track_file(path: Path) -> TrackFile:
    place = path.resolve()
    if place.name == "gt.txt":
        folder = place.parent.parent if place.parent.name == "gt" else place.parent
        name = folder.name
    else:
        folder, name = place.with_suffix(""), place.stem
    seqinfo = folder / "seqinfo.ini"
    return TrackFile(name, path, sequence_facts(seqinfo, read_seqinfo(seqinfo)))
