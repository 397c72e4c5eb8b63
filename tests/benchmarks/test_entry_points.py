"""Every program that a person starts ends with one line of error, not with a traceback."""

import runpy
import sys
from pathlib import Path

import pytest

from vidan.errors import ConfigError, VidanError
from vidan.support.program import run_program

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("", "suite", "soak")
    for path in (ROOT / "benchmarks" / folder).glob("*.py")
    if "__main__" in path.read_text(encoding="utf-8")
)
OVERRIDES = {"benchmarks.suite.latency", "benchmarks.suite.ablation"}
"""They pass their arguments on as overrides."""


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("module", PROGRAMS)
def test_a_bad_option_ends_in_one_line(module, tmp_path, monkeypatch, capfd):
    bad = "mode=camera" if module in OVERRIDES else "--no-such-option"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [module, bad])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module(module, run_name="__main__")
    assert stop.value.code == 2
    assert len([line for line in capfd.readouterr().err.splitlines() if "error: " in line]) == 1


def test_all_programs_are_tested():
    assert {"benchmarks.suite.latency", "benchmarks.report", "benchmarks.soak.viewers"} <= {
        *PROGRAMS
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("a\nb"), 2), (VidanError("a\nb"), 1), (OSError("a\nb"), 1)],
)
def test_errors_of_users_are_one_line(error, code, capsys):
    def main():
        raise error

    with pytest.raises(SystemExit) as stop:
        run_program("name", main)
    assert stop.value.code == code
    assert capsys.readouterr().err == "name: error: a b\n"


def test_bugs_keep_their_traceback():
    def main():
        raise KeyError("a")

    with pytest.raises(KeyError):
        run_program("name", main)
