"""Options of reading a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .issues import IssueLog


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options shared by the readers of all formats.

    Attributes:
        issues: receives the issues and decides what to do about them.
        label_map: a label map that is not next to the data.
        one_based: whether pixels count from 1, as in Pascal VOC's own data; None counts from 0
            and notes if 1 seems likely.
    """

    issues: IssueLog = field(default_factory=IssueLog)
    label_map: Path | None = None
    one_based: bool | None = None
