"""TODO."""

from __future__ import annotations

KINDS = ("source", "detector", "tracker", "sink")
