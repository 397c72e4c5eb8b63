"""Messages of a `pipeline.config` and a record of which fields were used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vidan.errors import ConfigError
from vidan.formats.textproto import Field

# Why a field is not honored, by the end of its path; the first that fits counts.
REASONS = (
    (r"\.initializer\.", "layers start as vidan's do"),
    (r"eval_config\.", "vidan evaluates by COCO's rules, see vidan eval detection"),
    (r"eval_input_reader\.(shuffle|num_epochs)", "validation is read once, in order"),
    (r"post_processing\.", "export leaves suppression to the detector, see conf/detector"),
    (r"batch_norm\.", "batch norm is vidan's: momentum 0.99, in BiFPN and heads 0.97"),
    (r"sync_replicas|replicas_to_aggregate|startup_delay_steps", "one machine trains"),
    (r"max_number_of_boxes|unpad_groundtruth_tensors", "all boxes count, without padding"),
    (r"num_readers|queue_|prefetch|shuffle|num_parallel", "pictures stay in memory"),
    (r"regularizer\.", "the weight decay of the feature extractor counts for all layers"),
    (r"inplace_batchnorm_update|use_matmul_gather|fine_tune_checkpoint_version",
     "it changes no result here"),
)  # fmt: skip


class Message:
    """A message of the file; fields are ticked off as they are asked for."""

    def __init__(self, message: tuple[Field, ...], path: str, book: Book, line: int = 1) -> None:
        self.fields, self.path, self.book, self.line = message, path, book, line

    def texts(self, name: str) -> list[str]:
        """All values of a field that may come several times, or as a list."""
        found = []
        for item in self.fields:
            if item.name == name and item.kind != "message":
                self.book.used.add(id(item))
                found += [e.text for e in item.fields] if item.kind == "list" else [item.text]
        return found

    def text(self, name: str, default: str = "") -> str:
        """A value; the last one counts."""
        return (self.texts(name) or [default])[-1]

    def number(self, name: str, default: float) -> float:
        """A number."""
        text = self.text(name)
        try:
            return float(text) if text else default
        except ValueError:
            raise ConfigError(
                f"{str(self.book.file)!r}: {self.path}{name} is {text!r}, not a number"
            ) from None

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        return self.text(name, str(default)).lower() in ("true", "t", "1")

    def children(self, name: str = "") -> list[Message]:
        """Messages of a name, or all of them."""
        found = [f for f in self.fields if f.kind == "message" and name in ("", f.name)]
        for item in found:
            self.book.used.add(id(item))
        return [Message(f.fields, f"{self.path}{f.name}.", self.book, f.line) for f in found]

    def child(self, name: str) -> Message:
        """A message; an empty one where it is not there."""
        return (self.children(name) or [Message((), f"{self.path}{name}.", self.book)])[-1]

    @property
    def name(self) -> str:
        """Of the message itself."""
        return self.path.rstrip(".").rpartition(".")[2]

    def note(self, name: str, reason: str) -> None:
        """Say that a field is honored in another way than it says."""
        for item in self.fields:
            if item.name == name:
                self.book.used.add(id(item))
                self.book.notes.append((item.line, _line(item, self.path + name, reason)))

    def note_all(self, reason: str) -> None:
        """Say so of the message as a whole."""
        self.book.used.update(id(item) for _, item in _unused(self.fields, "", set()))
        text = f"line {self.line}: {self.path.rstrip('.')}: {reason}"
        self.book.notes.append((self.line, text))


class Book:
    """Which fields were used, and what is to be said about the others."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.used: set[int] = set()
        self.notes: list[tuple[int, str]] = []

    def close(self, message: tuple[Field, ...]) -> tuple[str, ...]:
        """All notes, by line, those about fields that nobody asked for included."""
        for path, item in _unused(message, "", self.used):
            reason = next((why for end, why in REASONS if re.search(end, path)), "unknown to vidan")
            self.notes.append((item.line, _line(item, path, f"not honored: {reason}")))
        return tuple(text for _, text in sorted(self.notes, key=lambda note: note[0]))


def _line(item: Field, path: str, reason: str) -> str:
    value = "" if item.kind in ("message", "list") else f"={item.text!r}"
    return f"line {item.line}: {path}{value}: {reason}"


def _unused(message: tuple[Field, ...], path: str, used: set[int]) -> Iterator[tuple[str, Field]]:
    """Fields that nobody asked for; of a message that was not asked for, each of its fields."""
    for item in message:
        if item.kind == "message" and item.fields:
            yield from _unused(item.fields, f"{path}{item.name}.", used)
        elif id(item) not in used:
            yield path + item.name, item
