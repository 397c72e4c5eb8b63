"""Label maps of the TensorFlow Object Detection API: protocol buffers in text format.

item { id: 1 name: "/m/01g317" display_name: "person" }   # ids from 1, gaps allowed

Id 0 is the background, as for the API: an item of this id is left out if it is named so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import textproto
from .textproto import TextProtoError

BACKGROUND_NAMES = ("background", "__background__", "unlabeled")
"""Names of what is no class, in lower case."""

_BEGINS = re.compile(r"(?:\s|#.*\n)*item\s*:?\s*[{<]")


@dataclass(frozen=True, slots=True)
class Item:
    """One class.

    Attributes:
        id: of the class, 1 or more.
        name: of the class in TFRecords (`image/object/class/text`); may be empty.
        display_name: the name for people; may be empty.
    """

    id: int
    name: str
    display_name: str = ""

    @property
    def label(self) -> str:
        """The display name, or the name if there is none."""
        return self.display_name or self.name


def is_label_map(text: str) -> bool:
    """Whether a text starts like a label map."""
    return _BEGINS.match(text) is not None


def parse(text: str) -> list[Item]:
    """The items of a label map, by ascending id.

    Raises:
        TextProtoError: the text is malformed, an item has no id or name, or an id is duplicated.

    >>> [item.label for item in parse("item { id: 2 name: 'b' } item { id: 1 name: 'a' }")]
    ['a', 'b']
    """
    items: dict[int, Item] = {}
    for field in textproto.parse(text):
        item = _item(field)
        if item.id == 0:
            continue
        if item.id in items:
            raise TextProtoError(f"duplicate id {item.id}", field.line)
        items[item.id] = item
    return [items[number] for number in sorted(items)]


def dump(items: Iterable[Item]) -> str:
    """The text of a label map.

    >>> print(dump([Item(1, "with_mask")]), end="")
    item {
      id: 1
      name: "with_mask"
    }
    """
    return "".join(
        f"item {{\n  id: {item.id}\n{_line('name', item.name)}"
        f"{_line('display_name', item.display_name)}}}\n"
        for item in items
    )


def dump_labels(labels: Iterable[str]) -> str:
    """The text of a label map with ids from 1."""
    return dump(Item(number, label) for number, label in enumerate(labels, 1))


def _line(name: str, text: str) -> str:
    return f"  {name}: {textproto.quote(text)}\n" if text else ""


def _item(field: textproto.Field) -> Item:
    if (field.name, field.kind) != ("item", "message"):
        raise TextProtoError(f"expected 'item {{', got {field.name!r}", field.line)
    fields = {inner.name: inner for inner in field.fields}
    number = fields.get("id")
    names = [fields[key] for key in ("name", "display_name") if key in fields]
    if number is None or not names:
        raise TextProtoError("an item needs an id and a name", field.line)
    if not number.text.isdecimal():
        wrong = f"an id must be an integer, 1 or more, got {number.text!r}"
        raise TextProtoError(wrong, number.line)
    if int(number.text) == 0 and names[-1].text.lower() not in BACKGROUND_NAMES:
        wrong = f"id 0 is the background, but {names[-1].text!r} has it: count ids from 1"
        raise TextProtoError(wrong, number.line)
    for name in names:
        if name.kind != "string" or not name.text:
            raise TextProtoError("a name must be a string in quotes", name.line)
    texts = {name.name: name.text for name in names}
    return Item(int(number.text), texts.get("name", ""), texts.get("display_name", ""))
