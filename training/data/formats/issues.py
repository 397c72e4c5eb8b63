"""Issues of a data set: reported with file and box, and repaired or left out as configured."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from vidan.errors import SourceError
from vidan.options import choice

log = logging.getLogger(__name__)

REPAIR, DROP, ERROR = "repair", "drop", "error"
POLICIES = {
    REPAIR: "repair what can be repaired, leave out the rest",
    DROP: "leave out every box or image that has an issue",
    ERROR: "stop at the first issue",
}
MAX_LOGGED_PER_KIND = 5


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of a data set.

    Attributes:
        location: the file; may be followed by a colon and a line or record.
        box: number of the box in the file, from 1; None if the whole image is affected.
        kind: one or two words, equal for all issues of a kind.
        text: what is wrong, with the values.
        action: what was done: `repaired`, `left out` or `noted`.
    """

    location: str
    box: int | None
    kind: str
    text: str
    action: str

    def __str__(self) -> str:
        place = self.location if self.box is None else f"{self.location}: box {self.box}"
        return f"{place}: {self.kind}: {self.text}: {self.action}"


class IssueLog:
    """Collects the issues of a data set and decides whether each is repaired.

    Args:
        policy: one of POLICIES.
    """

    def __init__(self, policy: str = REPAIR) -> None:
        self.policy = choice("issues", policy, POLICIES)
        self.issues: list[Issue] = []

    def report(
        self, location: str, kind: str, text: str, box: int | None = None, repairable: bool = True
    ) -> bool:
        """Report an issue; return whether the caller should repair it or else leave it out.

        Args:
            location: the file, line or record.
            kind: kind of the issue.
            text: what is wrong.
            box: number of the box, from 1.
            repairable: whether there is a way to repair it.

        Raises:
            SourceError: the policy is `error`.
        """
        repaired = repairable and self.policy == REPAIR
        issue = Issue(location, box, kind, text, "repaired" if repaired else "left out")
        if self.policy == ERROR:
            raise SourceError(
                f"{str(issue).removesuffix(': left out')}; issues=repair repairs it or leaves it "
                "out"
            )
        self.issues.append(issue)
        return repaired

    def report_unknown_label(self, location: str, text: str, box: int | None = None) -> None:
        """Report a label that does not exist; its box is left out only on explicit request.

        Raises:
            SourceError: the policy is not `drop`.
        """
        self.report_serious(location, "unknown label", text, box)

    def report_serious(self, location: str, kind: str, text: str, box: int | None = None) -> None:
        """Report an issue whose boxes are left out only on explicit request.

        Raises:
            SourceError: the policy is not `drop`.
        """
        if self.policy != DROP:
            place = location if box is None else f"{location}: box {box}"
            raise SourceError(f"{place}: {text}; issues=drop leaves such boxes out")
        self.report(location, kind, text, box, repairable=False)

    def note(self, location: str, kind: str, text: str, box: int | None = None) -> None:
        """Report a possible issue that is left as it is."""
        self.issues.append(Issue(location, box, kind, text, "noted"))

    def counts(self) -> dict[str, int]:
        """Number of issues of each kind, most frequent first."""
        return dict(Counter(issue.kind for issue in self.issues).most_common())

    def log(self) -> None:
        """Log the first issues of each kind, and how many more there are."""
        for kind, count in self.counts().items():
            for issue in [i for i in self.issues if i.kind == kind][:MAX_LOGGED_PER_KIND]:
                log.warning("%s", issue)
            if count > MAX_LOGGED_PER_KIND:
                log.warning("%s: %d more", kind, count - MAX_LOGGED_PER_KIND)
