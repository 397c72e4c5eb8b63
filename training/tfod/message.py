"""Messages of a `pipeline.config`, and a record of the fields that were used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vidan.errors import ConfigError
from vidan.formats.textproto import Field

REASONS = (
    (r"\.initializer\.", "layers are initialized as in vidan"),
    (r"eval_config\.", "evaluation follows COCO's rules, see vidan eval detection"),
    (r"eval_input_reader\.(shuffle|num_epochs)", "validation is read once, in order"),
    (r"post_processing\.", "suppression is an option of the detector, see conf/detector"),
    (r"batch_norm\.", "the momentum of batch norm is 0.99, in BiFPN and heads 0.97"),
    (r"sync_replicas|replicas_to_aggregate|startup_delay_steps", "training runs on one machine"),
    (r"max_number_of_boxes|unpad_groundtruth_tensors", "all boxes are used, without padding"),
    (r"num_readers|queue_|prefetch|shuffle|num_parallel", "images stay in memory"),
    (r"regularizer\.", "the weight decay of the feature extractor applies to all layers"),
    (r"inplace_batchnorm_update|use_matmul_gather|fine_tune_checkpoint_version",
     "it has no effect on the result"),
)  # fmt: skip
"""Why a field is not honored, by a pattern for its path; the first match applies."""


class Message:
    """A message of the file, which marks the fields that are read as used.

    Args:
        fields: fields of the message.
        path: path of the message in the file, with a dot at the end.
        usage: records the used fields.
        line: line where the message starts.
    """

    def __init__(
        self, fields: tuple[Field, ...], path: str, usage: FieldUsage, line: int = 1
    ) -> None:
        self.fields, self.path, self.usage, self.line = fields, path, usage, line

    def texts(self, name: str) -> list[str]:
        """All values of a repeated field, which may also be a list."""
        found = []
        for item in self.fields:
            if item.name == name and item.kind != "message":
                self.usage.used.add(id(item))
                found += [e.text for e in item.fields] if item.kind == "list" else [item.text]
        return found

    def text(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return (self.texts(name) or [default])[-1]

    def number(self, name: str, default: float) -> float:
        """The last value of a field as a number.

        Raises:
            ConfigError: it is not a number.
        """
        text = self.text(name)
        try:
            return float(text) if text else default
        except ValueError:
            raise ConfigError(
                f"{str(self.usage.file)!r}: {self.path}{name} is {text!r}, not a number"
            ) from None

    def flag(self, name: str, default: bool) -> bool:
        """The last value of a field as a flag."""
        return self.text(name, str(default)).lower() in ("true", "t", "1")

    def children(self, name: str = "") -> list[Message]:
        """The nested messages with a name, or all of them."""
        found = [f for f in self.fields if f.kind == "message" and name in ("", f.name)]
        for item in found:
            self.usage.used.add(id(item))
        return [Message(f.fields, f"{self.path}{f.name}.", self.usage, f.line) for f in found]

    def child(self, name: str) -> Message:
        """The last nested message with a name; an empty one if there is none."""
        return (self.children(name) or [Message((), f"{self.path}{name}.", self.usage)])[-1]

    @property
    def name(self) -> str:
        """Name of the message."""
        return self.path.rstrip(".").rpartition(".")[2]

    def note(self, name: str, reason: str) -> None:
        """Note that a field is not honored exactly, and mark it as used."""
        for item in self.fields:
            if item.name == name:
                self.usage.used.add(id(item))
                self.usage.notes.append((item.line, _format_note(item, self.path + name, reason)))

    def note_all(self, reason: str) -> None:
        """Note that the message as a whole is not honored exactly, and mark its fields as used."""
        self.usage.used.update(id(item) for _, item in _unused(self.fields, "", set()))
        text = f"line {self.line}: {self.path.rstrip('.')}: {reason}"
        self.usage.notes.append((self.line, text))


class FieldUsage:
    """Records which fields were used, and notes about the others.

    Args:
        file: the file, for messages.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.used: set[int] = set()
        self.notes: list[tuple[int, str]] = []

    def all_notes(self, fields: tuple[Field, ...]) -> tuple[str, ...]:
        """All notes sorted by line, including one for each unused field."""
        notes = list(self.notes)
        for path, item in _unused(fields, "", self.used):
            reason = next((why for end, why in REASONS if re.search(end, path)), "unknown to vidan")
            notes.append((item.line, _format_note(item, path, f"not honored: {reason}")))
        return tuple(text for _, text in sorted(notes, key=lambda note: note[0]))


def _format_note(item: Field, path: str, reason: str) -> str:
    value = "" if item.kind in ("message", "list") else f"={item.text!r}"
    return f"line {item.line}: {path}{value}: {reason}"


def _unused(fields: tuple[Field, ...], path: str, used: set[int]) -> Iterator[tuple[str, Field]]:
    """Paths and fields that were not used, including those of nested messages."""
    for item in fields:
        if item.kind == "message" and item.fields:
            yield from _unused(item.fields, f"{path}{item.name}.", used)
        elif id(item) not in used:
            yield path + item.name, item
