"""Reproducible damage to files, as by transfer, disks, editors and attackers."""

from __future__ import annotations

import re

NUMBERS = b"nan inf -inf 1e308 -1 0 00 0x10 1_0 99999999999999999999 -0.0 1e-400 .5 +".split()
TEXTS = [
    "",
    "\x00",
    "null",
    "[",
    "{",
    "!!python/object/apply:os.system",
    "&a *a",
    "${x}",
    "\t",
    "é" * 99,
    "\ufeff",
]
TEXTS = [text.encode() for text in TEXTS] + NUMBERS
BYTES = [b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\n"]


def damaged(data, rng, text):
    """A damaged copy.

    Args:
        data: of a valid file.
        rng: random.Random.
        text: whether to replace words, too.
    """
    if rng.random() < 0.02:
        return b""
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        data = (_word if text and rng.random() < 0.6 else rng.choice(MUTATIONS))(data, rng)
    return data


def _word(data, rng):
    words = list(re.finditer(rb"[^\s,:{}\[\]]+", data))
    if not words:
        return data
    word = rng.choice(words)
    return data[: word.start()] + rng.choice(TEXTS) + data[word.end() :]


def _cut(data, rng):
    return data[: rng.randrange(len(data) + 1)]


def _flip(data, rng):
    if not data:
        return data
    changed = bytearray(data)
    for _ in range(rng.choice([1, 3, 30])):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(data, rng):
    at = rng.randrange(len(data) + 1)
    patch = rng.choice([*BYTES, rng.randbytes(rng.choice([1, 4, 64]))])
    return data[:at] + patch + data[at + len(patch) :]


def _insert(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice([1, 7, 100])) + data[at:]


def _remove(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice([1, 8, 200]) :]


def _repeat(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at : at + rng.choice([4, 40, 400])] * rng.choice([2, 9]) + data[at:]


def _swap(data, rng):
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


MUTATIONS = [_cut, _flip, _flip, _overwrite, _overwrite, _insert, _remove, _repeat, _swap]
