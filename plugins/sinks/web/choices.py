"""What a viewer chooses to see in the image."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from ..drawing.options import Drawing

PARTS = {
    "boxes": ("boxes", "unconfirmed"),
    "labels": ("ids", "labels", "scores"),
    "trails": ("trails",),
}
"""What can be chosen, and the options of `Drawing` that belong to it."""

Choice = frozenset[str]
"""Those of PARTS that are shown."""

DEFAULTS = {field.name: field.default for field in fields(Drawing)}

NOTHING = Drawing(
    boxes=False, unconfirmed=False, ids=False, labels=False, scores=False, trails=False, scene=False
)
"""What `drawing=null` of a sink means."""


def configured(drawing: Drawing) -> Choice:
    """The parts of which the options show anything."""
    return frozenset(
        part for part, names in PARTS.items() if any(getattr(drawing, name) for name in names)
    )


def chosen(drawing: Drawing, choice: Choice) -> Drawing:
    """The options with the parts of a choice, and without the others.

    A part that the options do not show has its default options if it is chosen.
    """
    shown, changes = configured(drawing), dict[str, Any]()
    for part, names in PARTS.items():
        if part not in choice:
            changes |= dict.fromkeys(names, False)
        elif part not in shown:
            changes |= {name: DEFAULTS[name] for name in names}
    return replace(drawing, **changes)


def parsed(words: list[str]) -> Choice:
    """A choice that a viewer sent; what is not known is ignored."""
    return frozenset(PARTS).intersection(words)
