"""Detections of a file job, kept exactly as they are until it is done: see `vidan resume`.

The file begins with MAGIC. A record is HEAD and then the arrays of Detections one after another,
little-endian; a process that was killed may leave the last one cut off.
"""

from __future__ import annotations

import logging
import struct
import threading
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import SinkError, SourceError
from ..interfaces import Batching, Detector
from ..types import Detections, Frame

log = logging.getLogger(__name__)

FILE = "detections.bin"
"""Its name in the run directory."""

MAGIC = b"vidan detections 1\n"

HEAD = struct.Struct("<IqdIIIi")
"""CRC-32 of all that follows; the frame's index, time in s, width and height in px; how many
detections; numbers in a feature, -1 if there are none."""

LARGEST = 4 * 10**9
"""Bytes after which no more is remembered: a file that is played in a loop has no end."""


class ReplayDetector:
    """A detector that is not asked again for frames that it was asked for before.

    Args:
        detector: that is asked for all others.
        path: of the file.
        resumed: whether what is in the file counts; else it is replaced.

    Attributes:
        count: frames that were remembered at the beginning.

    Raises:
        SinkError: the file cannot be written.
        SourceError: from `detect`, a frame is another than the one remembered.
    """

    def __init__(self, detector: Detector, path: Path, *, resumed: bool) -> None:
        self._detector = detector
        self._store = DetectionStore(path, resumed=resumed)
        self.count = self._store.count

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Detector`."""
        return self._detector.labels

    @property
    def batch(self) -> int:
        """See `Batching`; 1 if the detector is not."""
        return self._detector.batch if isinstance(self._detector, Batching) else 1

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is remembered, and for other frames what the detector finds."""
        known = [self._store.find(frame) for frame in frames]
        unknown = [frame for frame, found in zip(frames, known, strict=True) if found is None]
        if not unknown:
            return [found for found in known if found is not None]
        made = self._detector.detect(unknown)
        if len(made) != len(unknown):
            return made  # the pipeline says what is wrong with that
        for frame, found in zip(unknown, made, strict=True):
            self._store.add(frame, found)
        rest = iter(made)
        return [next(rest) if found is None else found for found in known]

    def close(self) -> None:
        """Close the detector and the file, which stays."""
        self._store.close()
        self._detector.close()


class DetectionStore:
    """The file; for several threads.

    Args:
        path: of the file.
        resumed: whether what is in it counts; else it is replaced.

    Attributes:
        count: frames that were known at the beginning.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path, *, resumed: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._file: BinaryIO = path.open("r+b" if resumed and path.exists() else "w+b", 0)
            self._frames, self._offsets = _scan(self._file)
            self._size = self._file.tell()
            self._file.truncate()
            if not self._size:
                self._size = self._file.write(MAGIC)
        except OSError as error:
            raise SinkError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        self._full = False
        self.count = len(self._frames)

    def find(self, frame: Frame) -> Detections | None:
        """What is known of a frame; None if nothing is.

        Raises:
            SourceError: the frame known by its index has another time or size.
        """
        row = int(np.searchsorted(self._frames, frame.index))
        if row == len(self._frames) or self._frames[row] != frame.index:
            return None
        with self._lock:
            self._file.seek(int(self._offsets[row]))
            head, found = _read(self._file)
        _, index, time, width, height, *_ = head
        if (time, width, height) != (frame.time, frame.width, frame.height):
            raise SourceError(
                f"the source has changed since: frame {index} was {width}x{height} px at "
                f"{time:.3f} s, now {frame.width}x{frame.height} px at {frame.time:.3f} s; "
                "begin a new run"
            )
        return found

    def add(self, frame: Frame, found: Detections) -> None:
        """Append what was found in a frame; where there is no room, no more is remembered."""
        data = _packed(frame, found)
        with self._lock:
            if self._full or self._file.closed:
                return
            try:
                if self._size + len(data) > LARGEST:
                    raise OSError(f"larger than {LARGEST / 1e9:g} GB")
                self._file.seek(self._size)
                if self._file.write(data) != len(data):
                    raise OSError("no room")
                self._size += len(data)
            except OSError as error:
                self._full = True
                log.warning(
                    "%s: %s; vidan resume would go on at frame %d",
                    self._path,
                    error.strerror or error,
                    frame.index,
                )
                with suppress(OSError):
                    self._file.truncate(self._size)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            self._file.close()


def _packed(frame: Frame, found: Detections) -> bytes:
    features = found.features
    columns = -1 if features is None else features.shape[1]
    arrays = [found.boxes, found.scores, found.classes, *([] if features is None else [features])]
    values = frame.index, frame.time, frame.width, frame.height, len(found), columns
    # Two passes over the head, since the sum is in it.
    rest = HEAD.pack(0, *values)[4:] + b"".join(a.tobytes() for a in arrays)
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def _read(file: BinaryIO) -> tuple[tuple[Any, ...], Detections]:
    """The record at the file's position.

    Raises:
        ValueError: it is cut off or damaged.
    """
    start = file.read(HEAD.size)
    if len(start) < HEAD.size:
        raise ValueError("cut off")
    head = HEAD.unpack(start)
    count, columns = head[-2:]
    sizes = [16 * count, 4 * count, 4 * count, 4 * count * max(columns, 0)]
    body = file.read(sum(sizes)) if sum(sizes) <= LARGEST else b""
    if len(body) < sum(sizes) or zlib.crc32(start[4:] + body) != head[0]:
        raise ValueError("cut off or damaged")
    boxes, scores, classes, features = (
        body[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(4)
    )
    return head, Detections(
        np.frombuffer(boxes, "<f4").reshape(count, 4),
        np.frombuffer(scores, "<f4"),
        np.frombuffer(classes, "<i4"),
        None if columns < 0 else np.frombuffer(features, "<f4").reshape(count, columns),
    )


def _scan(file: BinaryIO) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Frames (N,), rising, and where their records begin (N,); the file is then behind the last.

    What is no such file counts as empty.
    """
    frames, offsets = [], []
    end = len(MAGIC) if file.read(len(MAGIC)) == MAGIC else 0
    while end:
        try:
            head, _ = _read(file)
        except ValueError:
            break
        frames.append(head[1])
        offsets.append(end)
        end = file.tell()
    file.seek(end)
    order = np.argsort(np.array(frames, np.int64), kind="stable")
    return np.array(frames, np.int64)[order], np.array(offsets, np.int64)[order]
