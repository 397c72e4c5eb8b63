"""Words that the glossary replaces, wherever a reader could meet them.

    python -m tests.language [file or folder ...]

prints every banned word with its place; without arguments, in the whole repository.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs/glossary.md"
SUFFIXES = (
    *("", ".css", ".html", ".ipynb", ".js", ".json", ".md", ".py", ".svg", ".tmpl", ".toml"),
    *(".txt", ".yaml", ".yml"),
)
LEFT_OUT = {"docs/glossary.md", "tests/language.py", "tests/test_language.py", "LICENSE"}
OTHERS = ("PictureType", "CancelledError")
"""Names that other libraries have chosen."""


class Use(NamedTuple):
    """A banned word and its place."""

    path: str
    line: int
    word: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r}"


def banned() -> list[str]:
    """The words and phrases in the last column of the glossary's tables."""
    lines = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if "|" in line]
    rows = [line.strip().strip("|").split("|") for line in lines]
    cells = [row[-1].strip() for row in rows if not set(row[-1].strip()) <= set("- ")]
    return [
        word.strip()
        for cell in cells
        if cell not in ("not", "instead of")
        for word in cell.split(",")
        if word.strip()
    ]


def split(text: str) -> str:
    """Identifiers as words: `maxPicture_size` as `max Picture size`."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return text.replace("_", " ")


def pattern() -> re.Pattern[str]:
    """Matches a banned word, or a phrase that may go on in the next line or comment."""
    words = sorted(banned(), key=len, reverse=True)
    joined = "|".join(re.escape(word).replace(r"\ ", r"[\s#*>\"']+") for word in words)
    return re.compile(rf"(?<![a-z])({joined})(?![a-z])")


def uses(name: str, text: str, matcher: re.Pattern[str]) -> Iterator[Use]:
    """The banned words in the path (as line 0) and in the text of a file, in order."""
    for other in OTHERS:
        text = text.replace(other, "")
    for found in matcher.finditer(split(name).lower()):
        yield Use(name, 0, found[1])
    text = split(text).lower()
    for found in matcher.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Use(name, line, re.sub(r"[^a-z]+", " ", found[1]))


def files(*roots: str) -> list[str]:
    """The tracked text files under some files or folders; all if none are named."""
    done = subprocess.run(
        ["git", "ls-files", "--", *roots], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in done.stdout.splitlines()
        if Path(name).suffix in SUFFIXES and name not in LEFT_OUT and (ROOT / name).is_file()
    ]


def all_uses(*roots: str) -> list[Use]:
    """Every banned word under some files or folders."""
    matcher = pattern()
    return [
        use
        for name in files(*roots)
        for use in uses(name, (ROOT / name).read_text(encoding="utf-8"), matcher)
    ]


if __name__ == "__main__":
    found = all_uses(*sys.argv[1:])
    print(*found, sep="\n")
    print(f"{len(found)} banned words")
    sys.exit(bool(found))
