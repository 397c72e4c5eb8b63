"""Record the detections of a run over a file, exactly, so that `vidan resume` can reuse them.

The file starts with MAGIC. A record is a HEADER followed by the arrays of a `Detections`, all
little-endian; the last record is incomplete if the process was killed.
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
from ..interfaces import Detector
from ..runtime.detector_layer import DetectorLayer
from ..types import Detections, Frame

log = logging.getLogger(__name__)

FILE = "detections.bin"
"""Name of the file in the run directory."""

MAGIC = b"vidan detections 1\n"

HEADER = struct.Struct("<IqdIIIi")
"""CRC-32 of the rest of the record; index, time (s), width and height (px) of the frame; number of
detections; length of a feature vector, -1 for no features."""

INDEX, TIME = 1, 2
"""Columns of the header."""

MAX_BYTES = 4 * 10**9
"""Size after which no more is recorded: a file that is played in a loop never ends."""


class ReusingDetector(DetectorLayer):
    """Base class of a detector that is called only for frames whose detections are not known."""

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The known detections of frames, or what the detector finds in them."""
        known = [self._find(frame) for frame in frames]
        unknown = [frame for frame, found in zip(frames, known, strict=True) if found is None]
        made = self._detector.detect(unknown) if unknown else []
        if len(made) != len(unknown):
            return made  # the pipeline reports the error
        for frame, found in zip(unknown, made, strict=True):
            self._keep(frame, found)
        rest = iter(made)
        return [next(rest) if found is None else found for found in known]

    def _find(self, frame: Frame) -> Detections | None:
        """The detections of a frame; None if they are not known."""
        raise NotImplementedError

    def _keep(self, frame: Frame, found: Detections) -> None:
        """Take note of new detections."""


class ReplayDetector(ReusingDetector):
    """A detector that reuses recorded detections, and records new ones.

    Args:
        detector: called for frames that are not recorded.
        path: of the file.
        resumed: whether to use the records in the file; else it is replaced.

    Attributes:
        count: frames that were recorded at the start.

    Raises:
        SinkError: the file cannot be written.
        SourceError: from `detect`: a frame differs from the recorded one.
    """

    def __init__(self, detector: Detector, path: Path, *, resumed: bool) -> None:
        super().__init__(detector)
        self._store = DetectionStore(path, resumed=resumed)
        self.count = self._store.count

    def _find(self, frame: Frame) -> Detections | None:
        return self._store.find(frame)

    def _keep(self, frame: Frame, found: Detections) -> None:
        self._store.add(frame, found)

    def close(self) -> None:
        """Close the detector and the file."""
        self._store.close()
        super().close()


class DetectionStore:
    """The file of records; thread-safe.

    Args:
        path: of the file.
        resumed: whether to use the records in the file; else it is replaced.
        by_time: whether frames are found by their time and not by their index.

    Attributes:
        count: frames that were recorded at the start.

    Raises:
        SinkError: it cannot be written.
    """

    def __init__(self, path: Path, *, resumed: bool = False, by_time: bool = False) -> None:
        self._path, self._by_time = path, by_time
        self._lock = threading.Lock()
        try:
            self._file: BinaryIO = path.open("r+b" if resumed and path.exists() else "w+b", 0)
            self._keys, self._offsets = _scan(self._file, TIME if by_time else INDEX)
            self._size = self._file.tell()
            self._file.truncate()
            if not self._size:
                self._size = self._file.write(MAGIC)
        except OSError as error:
            raise SinkError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        self._full = False
        self.count = len(self._keys)

    def find(self, frame: Frame) -> Detections | None:
        """The recorded detections of a frame; None if there are none.

        Raises:
            SourceError: the recorded frame with that index has another time or size.
        """
        key = frame.time if self._by_time else frame.index
        row = int(np.searchsorted(self._keys, key))
        if row == len(self._keys) or self._keys[row] != key:
            return None
        with self._lock:
            self._file.seek(int(self._offsets[row]))
            header, found = _read(self._file)
        _, index, time, width, height, *_ = header
        if (time, width, height) != (frame.time, frame.width, frame.height):
            raise SourceError(
                f"the source has changed: frame {index} was {width}x{height} px at "
                f"{time:.3f} s, now {frame.width}x{frame.height} px at {frame.time:.3f} s; "
                "start a new run"
            )
        return found

    def add(self, frame: Frame, found: Detections) -> None:
        """Record the detections of a frame; after a write error, nothing more is recorded."""
        data = _packed(frame, found)
        with self._lock:
            if self._full or self._file.closed:
                return
            try:
                if self._size + len(data) > MAX_BYTES:
                    raise OSError(f"larger than {MAX_BYTES / 1e9:g} GB")
                self._file.seek(self._size)
                if self._file.write(data) != len(data):
                    raise OSError("no space left")
                self._size += len(data)
            except OSError as error:
                self._full = True
                log.warning(
                    "%s: %s; vidan resume would detect again from frame %d",
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
    # Packed without the checksum first, which is part of the header.
    rest = HEADER.pack(0, *values)[4:] + b"".join(a.tobytes() for a in arrays)
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def _read(file: BinaryIO) -> tuple[tuple[Any, ...], Detections]:
    """The header and the detections of the record at the file's position.

    Raises:
        ValueError: the record is incomplete or damaged.
    """
    start = file.read(HEADER.size)
    if len(start) < HEADER.size:
        raise ValueError("incomplete record")
    header = HEADER.unpack(start)
    count, columns = header[-2:]
    sizes = [16 * count, 4 * count, 4 * count, 4 * count * max(columns, 0)]
    body = file.read(sum(sizes)) if sum(sizes) <= MAX_BYTES else b""
    if len(body) < sum(sizes) or zlib.crc32(start[4:] + body) != header[0]:
        raise ValueError("incomplete or damaged record")
    boxes, scores, classes, features = (
        body[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(4)
    )
    return header, Detections(
        np.frombuffer(boxes, "<f4").reshape(count, 4),
        np.frombuffer(scores, "<f4"),
        np.frombuffer(classes, "<i4"),
        None if columns < 0 else np.frombuffer(features, "<f4").reshape(count, columns),
    )


def _scan(file: BinaryIO, column: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A value of each header (N,) float64 in ascending order, and the offsets (N,) int64.

    The file is left after the last intact record. A file without MAGIC counts as empty.

    Args:
        file: at its start.
        column: of the header.
    """
    keys, offsets = [], []
    end = len(MAGIC) if file.read(len(MAGIC)) == MAGIC else 0
    while end:
        try:
            header, _ = _read(file)
        except ValueError:
            break
        keys.append(header[column])
        offsets.append(end)
        end = file.tell()
    file.seek(end)
    values = np.array(keys, np.float64)
    order = np.argsort(values, kind="stable")
    return values[order], np.array(offsets, np.int64)[order]
