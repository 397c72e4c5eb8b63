"""Words that the glossary replaces, wherever a reader would meet them.

    python -m tests.language [file or folder ...]

prints every banned word with its place; without arguments, in the whole repository.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs/glossary.md"
SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".tmpl", ".html", ".js", ".css"}
LEFT_OUT = {"docs/glossary.md", "tests/language.py", "LICENSE"}
OTHERS = ("PictureType",)
"""Names that other libraries have chosen."""


class Use(NamedTuple):
    """A banned word and where it stands."""

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
    """`maxPicture_size` as `max Picture size`: identifiers as words."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return text.replace("_", " ")


def pattern() -> re.Pattern[str]:
    """Matches a banned word or phrase in lower-case text."""
    words = sorted(banned(), key=len, reverse=True)
    return re.compile(r"(?<![a-z])(" + "|".join(map(re.escape, words)) + r")(?![a-z])")


def uses(path: Path, matcher: re.Pattern[str]) -> Iterator[Use]:
    """The banned words of a file, in order."""
    name = str(path.relative_to(ROOT))
    text = path.read_text(encoding="utf-8")
    for other in OTHERS:
        text = text.replace(other, "")
    lines = _readable(text) if path.suffix == ".py" else list(enumerate(text.splitlines(), 1))
    for number, line in lines:
        for found in matcher.finditer(split(line).lower()):
            yield Use(name, number, found[1])


def _readable(text: str) -> list[tuple[int, str]]:
    """Identifiers, strings and comments of a Python file with their lines."""
    kinds = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT}
    kinds |= {getattr(tokenize, name) for name in ("FSTRING_MIDDLE",) if hasattr(tokenize, name)}
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in kinds:
            parts = re.sub(r"\s*\n\s*", "\n", token.string).split("\n")
            found += [(token.start[0] + n, part) for n, part in enumerate(parts)]
    return found


def files(*roots: str) -> list[Path]:
    """The tracked text files under some files or folders; all if none are named."""
    done = subprocess.run(
        ["git", "ls-files", "--", *roots], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        ROOT / name
        for name in done.stdout.splitlines()
        if Path(name).suffix in SUFFIXES and name not in LEFT_OUT and (ROOT / name).exists()
    ]


def all_uses(*roots: str) -> list[Use]:
    """Every banned word under some files or folders."""
    matcher = pattern()
    return [use for path in files(*roots) for use in uses(path, matcher)]


if __name__ == "__main__":
    found = all_uses(*sys.argv[1:])
    print(*found, sep="\n")
    print(f"{len(found)} banned words")
    sys.exit(bool(found))
