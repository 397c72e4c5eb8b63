"""TFRecord files: records one after the other, each between checksums.

A record: its length (uint64, little endian), the masked CRC-32C of the length (uint32), its
bytes, the masked CRC-32C of the bytes. Source: tensorflow/core/lib/io/record_writer.h. No
TensorFlow here, so that data can be read wherever Keras runs on another backend.
"""

from __future__ import annotations

import glob
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from vidan.errors import SourceError

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_MASK = 0xA282EAD8
SHARD = re.compile(r"(?P<stem>.*)-(?P<number>\d{5,})-of-(?P<count>\d{5,})$")


class BrokenRecordError(Exception):
    """A file that ends in mid-record, or whose checksums are wrong."""


def checksum(data: bytes) -> int:
    """The masked CRC-32C: rotated right by 15 bits, plus a constant."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def write_record(stream: BinaryIO, data: bytes) -> None:
    """Append a record to a stream."""
    length = struct.pack("<Q", len(data))
    stream.write(length + _TAIL.pack(checksum(length)) + data + _TAIL.pack(checksum(data)))


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Where each record's bytes begin in the file, and the bytes.

    Raises:
        BrokenRecordError: the rest of the file cannot be read.
    """
    with path.open("rb") as stream:
        size = path.stat().st_size
        while head := stream.read(_HEAD.size):
            if head[:2] == b"\x1f\x8b" and stream.tell() == _HEAD.size:
                raise BrokenRecordError("it is compressed: unpack it by gunzip first")
            if len(head) < _HEAD.size or checksum(head[:8]) != _HEAD.unpack(head)[1]:
                raise BrokenRecordError(f"no record at byte {stream.tell() - len(head)}")
            length, offset = _HEAD.unpack(head)[0], stream.tell()
            if offset + length + _TAIL.size > size:
                raise BrokenRecordError(f"it ends in the record at byte {offset}")
            data = stream.read(length)
            if checksum(data) != _TAIL.unpack(stream.read(_TAIL.size))[0]:
                raise BrokenRecordError(f"wrong checksum of the record at byte {offset}")
            yield offset, data


def is_record_file(path: Path) -> bool:
    """Whether a file is called like a TFRecord and begins like one, or is a shard."""
    named = path.suffix in (".tfrecord", ".tfrecords", ".record", ".records")
    shard = SHARD.match(path.name) is not None
    return path.is_file() and (named or shard)


def files_of(path: Path) -> list[Path]:
    """The record files that a path means, in order.

    It may be a folder, a file, a pattern, a shard, or what shards have before `-00000-of-00010`
    (also as `name@10`). Shards that are not there are left for `missing` to name.

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


def missing(files: list[Path]) -> list[str]:
    """Names of the shards that should be beside those given."""
    there = {file.name for file in files}
    wanted: set[str] = set()
    for file in files:
        if shard := SHARD.match(file.name):
            stem, count = shard["stem"], int(shard["count"])
            wanted |= {f"{stem}-{number:05d}-of-{shard['count']}" for number in range(count)}
    return sorted(wanted - there)
