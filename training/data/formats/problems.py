"""What is wrong with a data set: said with file and box, and mended or left out as configured."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from vidan.errors import SourceError
from vidan.options import choice

log = logging.getLogger(__name__)

REPAIR, DROP, ERROR = "repair", "drop", "error"
POLICIES = {
    REPAIR: "mend what can be mended, leave out the rest",
    DROP: "leave out every box or picture that has something wrong",
    ERROR: "stop at the first",
}
SHOWN = 5
"""Problems of a kind that are logged one by one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: where; a line or a record may follow behind a colon.
        box: number of the box in it, from 1; None if the whole image is concerned.
        kind: a word or two, the same for all problems of the kind.
        text: what is wrong, with the values.
        done: what was done about it: `repaired`, `left out` or `noted`.
    """

    file: str
    box: int | None
    kind: str
    text: str
    done: str

    def __str__(self) -> str:
        where = self.file if self.box is None else f"{self.file}: box {self.box}"
        return f"{where}: {self.kind}: {self.text}: {self.done}"


class Problems:
    """Collects the problems of a data set, and decides what to do about each.

    Args:
        policy: one of POLICIES.
    """

    def __init__(self, policy: str = REPAIR) -> None:
        self.policy = choice("problems", policy, POLICIES)
        self.found: list[Problem] = []

    def repairs(
        self, file: str, kind: str, text: str, box: int | None = None, mendable: bool = True
    ) -> bool:
        """Report a problem; true if it is to be repaired, false if it is to be left out.

        Args:
            file: where.
            kind: of problem.
            text: what is wrong.
            box: number of the box, from 1.
            mendable: whether there is a way to repair it.

        Raises:
            SourceError: problems are errors.
        """
        repaired = mendable and self.policy == REPAIR
        problem = Problem(file, box, kind, text, "repaired" if repaired else "left out")
        if self.policy == ERROR:
            raise SourceError(
                f"{str(problem).removesuffix(': left out')}; problems=repair mends or leaves out "
                "what is wrong"
            )
        self.found.append(problem)
        return repaired

    def unknown(self, file: str, text: str, box: int | None = None) -> None:
        """Report a label that there is not: its box cannot be had, and to miss it must be meant.

        Raises:
            SourceError: unless problems are left out.
        """
        if self.policy != DROP:
            where = file if box is None else f"{file}: box {box}"
            raise SourceError(f"{where}: {text}; problems=drop leaves such boxes out")
        self.repairs(file, "unknown label", text, box, mendable=False)

    def note(self, file: str, kind: str, text: str, box: int | None = None) -> None:
        """Report what may be wrong, and is left as it is."""
        self.found.append(Problem(file, box, kind, text, "noted"))

    def kinds(self) -> dict[str, int]:
        """How many problems of each kind there are, most frequent first."""
        return dict(Counter(p.kind for p in self.found).most_common())

    def log(self) -> None:
        """Log the first problems of each kind, and how many more there are."""
        for kind, count in self.kinds().items():
            for problem in [p for p in self.found if p.kind == kind][:SHOWN]:
                log.warning("%s", problem)
            if count > SHOWN:
                log.warning("%s: %d more", kind, count - SHOWN)
