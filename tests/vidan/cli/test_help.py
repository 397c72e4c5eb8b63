"""The help of every command can be read in a terminal of 80 columns."""

import pytest

from vidan.cli.main import main
from vidan.registry.discovery import load_plugins

WIDE = "1000"


def commands():
    names = [command.name for command in load_plugins().commands]
    groups = {name.split()[0] for name in names if " " in name}
    return ["", *sorted({*names, *groups})]


@pytest.fixture
def help_of(capsys, monkeypatch):
    def run(command, columns):
        monkeypatch.setenv("COLUMNS", columns)
        main([*command.split(), "--help"])
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("command", commands())
def test_help_is_at_most_80_columns_wide_and_breaks_no_word(command, help_of):
    narrow = help_of(command, "80")
    assert narrow.strip()
    assert [line for line in narrow.splitlines() if len(line) > 80] == []
    assert set(narrow.split()) <= {*help_of(command, WIDE).split(), "\\"}
