"""The code blocks of the documentation, in order.

Comments before a block describe exceptions:

    <!-- not run: reason -->     only checked against the registry and the configuration
    <!-- fails: 3 -->            exits with this code
    <!-- file: name.py -->       is written to this file, not run
    <!-- setup: street.mp4 -->   needs this file, which the test creates
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "benchmarks" / "README.md"]
BLOCK = re.compile(
    r"(?P<notes>(?:^<!--[^\n]*-->\n)*)^```(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$?\s*vidan (?P<words>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    code: str
    notes: dict[str, str]

    @property
    def commands(self):
        """The arguments of each `vidan` command, with continued lines joined."""
        text = re.sub(r"\\\n\s*|(?<=\[)\n\s*|,\n\s*(?=\w+:)", " ", self.code)
        return [m["words"].strip() for m in COMMAND.finditer(text)]

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    """The blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        notes = dict(re.findall(r"^<!-- ([\w ]+): (.*?) -->$", found["notes"], re.MULTILINE))
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(page.name, line, found["language"], found["code"], notes)
