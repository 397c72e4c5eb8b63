"""What viewers may choose to see."""

import pytest

from vidan_plugins.sinks.drawing.options import Drawing
from vidan_plugins.sinks.web.choices import NOTHING, PARTS, chosen, configured, parsed

SOME = [Drawing(), NOTHING, Drawing(boxes=False, ids=False, scores=True), Drawing(trails=False)]


@pytest.mark.parametrize("drawing", SOME)
def test_what_is_configured_changes_nothing(drawing):
    assert chosen(drawing, configured(drawing)) == drawing


@pytest.mark.parametrize("drawing", SOME)
def test_parts_are_hidden_and_shown(drawing):
    nothing, everything = (configured(chosen(drawing, parsed(p))) for p in ([], list(PARTS)))
    assert (nothing, everything) == (frozenset(), frozenset(PARTS))


def test_options_of_a_part_stay_as_they_are_configured():
    drawing = Drawing(ids=False, unconfirmed=False, line_width=7)
    assert chosen(drawing, parsed(["boxes", "labels"])) == Drawing(
        ids=False, unconfirmed=False, line_width=7, trails=False
    )


def test_what_is_not_known_is_ignored():
    assert parsed(["boxes", "roi", "", "BOXES"]) == {"boxes"}
