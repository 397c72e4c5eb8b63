"""How a data set is to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .problems import Problems


@dataclass(frozen=True, slots=True)
class OutputDecoding:
    """Options that readers share.

    Attributes:
        problems: what to do about what is wrong, and where it is kept.
        label_map: a label map in another place than beside the data.
        one_based: pixels count from 1, as in Pascal VOC's own data; None: look whether it
            seems so, and say so.
    """

    problems: Problems = field(default_factory=Problems)
    label_map: Path | None = None
    one_based: bool | None = None
