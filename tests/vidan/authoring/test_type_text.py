from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from vidan.authoring.type_text import type_text


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "int"),
        (Any, "Any"),
        (None | str, "None | str"),
        (Literal["a", 1] | None, "'a' | 1 | None"),
        (Annotated[int, Meta(ge=0, le=51)], "int 0 to 51"),
        (Annotated[float, Meta(gt=0)], "float > 0"),
        (Annotated[float, Meta(gt=0, le=1)] | None, "float > 0, <= 1 | None"),
        (Annotated[list[int], Meta(min_length=1)], "list[int] of length >= 1"),
        (Annotated[str, "no range"], "str"),
        (Sequence[str], "Sequence[str]"),
        (tuple[int, ...], "tuple[int, ...]"),
        ("Unresolved | None", "Unresolved | None"),
    ],
)
def test_text_of_a_type_hint(hint, text):
    assert type_text(hint) == text
