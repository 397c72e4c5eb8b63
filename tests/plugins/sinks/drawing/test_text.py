"""Text in images."""

import numpy as np
import pytest

from vidan_plugins.sinks.drawing.text import Text, legible


def test_letters_beyond_ascii_are_drawn():
    text = Text()
    image = np.zeros((40, 200, 3), np.uint8)
    text.draw(image, "Straße", 5, 5, 24, (255, 255, 255))
    question = np.zeros_like(image)
    text.draw(question, "Stra?e", 5, 5, 24, (255, 255, 255))
    assert image.max() > 200
    assert not np.array_equal(image, question)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("with mask?", "with mask?"),
        ("Gesichtsmaske é ß 口罩", "Gesichtsmaske é ß 口罩"),
        ("two\nlines\tand", "two lines and"),
        ("\u0939", "U+0939"),  # a Devanagari letter, of which the font has none
        ("\U0001d40c", "M"),  # a mathematical bold M
    ],
)
def test_characters_missing_in_the_font_are_replaced(text, shown):
    assert legible(text) == shown


def test_shortened_text_fits_the_width():
    text = Text()
    width = text.size("with ma…", 20)[0]
    assert text.shortened("with mask", 20, width) == "with ma…"
    assert text.shortened("with mask", 20, 1000) == "with mask"
    assert text.shortened("with mask", 20, 0) == "…"


def test_few_measurements_shorten_a_long_text(monkeypatch):
    text, measured = Text(), []
    size = text.size
    monkeypatch.setattr(text, "size", lambda *args: measured.append(args) or size(*args))
    shown = text.shortened("a long label " * 2000, 20, 300)
    assert size(shown, 20)[0] <= 300 < size(f"{shown[:-1]} label", 20)[0]
    assert len(measured) < 20
    assert max(len(each) for each, _ in measured) <= 302
