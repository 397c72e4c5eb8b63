"""Commands and code on the pages run; those that cannot run are checked for existing names."""

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vidan.cli.main import is_command
from vidan.config.shortcuts import names_source
from vidan.registry.discovery import load_plugins
from vidan.testing import clip

from .pages import DOCS, PAGES, ROOT, blocks

EVERY = [block for page in PAGES for block in blocks(page)]
RUNNABLE = ("sh", "python")
RUN_PAGES = [
    page
    for page in sorted(DOCS.glob("*.md"))
    if any(b.language in RUNNABLE and "not run" not in b.notes for b in blocks(page))
]
"""Pages with blocks that are run."""

SHIM = """\
#!{python}
# Runs vidan with fewer frames.
import sys
from vidan.cli.main import is_command, main
arguments = sys.argv[1:]
run = not arguments or not is_command(arguments[0])
if run and not {{"-h", "--help", "--version"}} & set(arguments):
    arguments += ["max_frames=4"]
if arguments[:1] == ["bench"] and "--help" not in arguments:
    arguments += ["runs=1", "max_frames=10", "burn_in=2", "size=320x180"]
sys.exit(main(arguments))
"""

PYTEST = """\
#!{python}
# The pytest of this environment, even if it has no script for it.
import sys, pytest
sys.exit(pytest.console_main())
"""

PIP = """\
#!{python}
# Installs packages in the reader's folder; all others are already installed.
import subprocess, sys
paths = [a.split("[")[0] for a in sys.argv[2:] if a.startswith(("./", "../"))]
assert sys.argv[1] == "install"
for path in paths:
    subprocess.run(
        [{python!r}, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
         "--target", {site!r}, "--upgrade", path], check=True)
"""


@pytest.mark.parametrize("block", EVERY, ids=str)
def test_blocks_have_a_language(block):
    assert block.language or not block.commands, "blocks with commands need the language `sh`"
    assert set(block.notes) <= {"not run", "fails", "file", "setup", "generated"}


@pytest.mark.parametrize("block", [b for b in EVERY if b.commands], ids=str)
def test_commands_exist(block):
    commands = load_plugins().commands
    for line in block.commands:
        words = shlex.split(line.partition(" #")[0])
        if words and is_command(words[0]) and not names_source(words[0]):
            found = commands.find(words) or commands.group(words[0])
            assert found, f"vidan {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_extras_exist(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for extras in re.findall(r"(?:vidan|\.)\[([\w,]+)\]", page.read_text("utf-8")):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


def write_script(path, text):
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def reader(tmp_path):
    """The working directory and the environment variables of a reader."""
    home, programs, site = tmp_path / "home", tmp_path / "bin", tmp_path / "site"
    for folder in (home, programs, site):
        folder.mkdir()
    write_script(programs / "vidan", SHIM.format(python=sys.executable))
    write_script(programs / "pytest", PYTEST.format(python=sys.executable))
    write_script(programs / "pip", PIP.format(python=sys.executable, site=str(site)))
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {
        "PATH": path,
        "PYTHONPATH": str(site),
        "HOME": str(tmp_path),
        "MPLBACKEND": "agg",
    }
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]  # the reader does not run pytest in a test
    return home, environment


def provide(name, folder):
    """Create a file that the reader is assumed to have."""
    target = folder / name
    if target.exists():
        return
    if name.endswith(".mp4"):
        clip(target, 20)
    elif name.endswith(".onnx"):
        shutil.copy(ROOT / "plugins" / "models" / "facemask_lite0.onnx", target)
    else:
        raise ValueError(f"cannot create {name!r}")


@pytest.mark.docs
@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: page.name)
def test_pages_can_be_followed(page, reader):
    folder, environment = reader
    for block in blocks(page):
        for name in block.notes.get("setup", "").split():
            provide(name, folder)
        if "file" in block.notes:
            target = folder / block.notes["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.code)
            continue
        if block.language not in RUNNABLE or "not run" in block.notes:
            continue
        shell = ["bash", "-euo", "pipefail", "-c"]
        command = (
            [*shell, block.code] if block.language == "sh" else [sys.executable, "-c", block.code]
        )
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        expected = int(block.notes.get("fails", 0))
        assert ran.returncode == expected, f"{block}: {ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
