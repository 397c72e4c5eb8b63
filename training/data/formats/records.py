"""TFRecord files: a sequence of records, each with checksums.

A record consists of its length (uint64, little endian), the masked CRC-32C of the length
(uint32), its data, and the masked CRC-32C of the data (uint32). Source:
tensorflow/core/lib/io/record_writer.h. TensorFlow itself is not needed, so that data can be read
wherever Keras runs on another backend.
"""

from __future__ import annotations

import glob
import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from vidan.errors import SourceError
from vidan.support.extras import import_extra

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
GZIP_MAGIC = b"\x1f\x8b"
SHARD = re.compile(r"(?P<stem>.*)-(?P<number>\d{5,})-of-(?P<count>\d{5,})$")


@cache
def _google_crc32c() -> Any:
    return import_extra("google_crc32c", "train", "TFRecord files")


class BrokenRecordError(Exception):
    """A TFRecord file is truncated or has a wrong checksum."""


def masked_crc32c(data: bytes) -> int:
    """The masked CRC-32C: rotated right by 15 bits, plus a constant."""
    crc = int(_google_crc32c().value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def write_record(stream: BinaryIO, data: bytes) -> None:
    """Append a record to a stream."""
    length = struct.pack("<Q", len(data))
    stream.write(length + _TAIL.pack(masked_crc32c(length)))
    stream.write(data + _TAIL.pack(masked_crc32c(data)))


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the offset of each record's data in the file, and the data.

    Raises:
        BrokenRecordError: the rest of the file cannot be read.
    """
    with path.open("rb") as stream:
        size = path.stat().st_size
        while head := stream.read(_HEAD.size):
            if head[:2] == GZIP_MAGIC and stream.tell() == _HEAD.size:
                raise BrokenRecordError("the file is compressed: unpack it with gunzip first")
            if len(head) < _HEAD.size or masked_crc32c(head[:8]) != _HEAD.unpack(head)[1]:
                raise BrokenRecordError(f"no record at byte {stream.tell() - len(head)}")
            length, offset = _HEAD.unpack(head)[0], stream.tell()
            if offset + length + _TAIL.size > size:
                raise BrokenRecordError(f"the file ends within the record at byte {offset}")
            data = stream.read(length)
            if masked_crc32c(data) != _TAIL.unpack(stream.read(_TAIL.size))[0]:
                raise BrokenRecordError(f"wrong checksum of the record at byte {offset}")
            yield offset, data


def is_record_file(path: Path) -> bool:
    """Whether a file has a name of a TFRecord file or shard."""
    has_suffix = path.suffix in (".tfrecord", ".tfrecords", ".record", ".records")
    is_shard = SHARD.match(path.name) is not None
    return path.is_file() and (has_suffix or is_shard)


def record_files(path: Path) -> list[Path]:
    """List the TFRecord files that a path stands for, sorted.

    The path may be a folder, a file, a pattern, a shard, or the part of a shard's name before
    `-00000-of-00010` (also as `name@10`). `missing_shards` finds shards that do not exist.

    Raises:
        SourceError: there are none.
    """
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if is_record_file(file))
    elif path.is_file():
        found = [path]
    else:
        stem = re.sub(r"@\d+$", "", str(path))
        found = sorted(map(Path, glob.glob(str(path))))  # noqa: PTH207 - any folder in the pattern
        found = found or sorted(map(Path, glob.glob(glob.escape(stem) + "-*-of-*")))  # noqa: PTH207
    if not found:
        raise SourceError(f"no TFRecords in {str(path)!r}")
    return found


def missing_shards(files: list[Path]) -> list[str]:
    """Names of the shards that belong to the given ones but do not exist."""
    present = {file.name for file in files}
    expected: set[str] = set()
    for file in files:
        if shard := SHARD.match(file.name):
            stem, count = shard["stem"], int(shard["count"])
            expected |= {f"{stem}-{number:05d}-of-{shard['count']}" for number in range(count)}
    return sorted(expected - present)
