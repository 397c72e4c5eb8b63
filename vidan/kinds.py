"""The kinds of components."""

from __future__ import annotations

KINDS = ("source", "detector", "tracker", "sink")
