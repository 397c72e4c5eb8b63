"""Single-file plugins with `plugins_dir=<folder>`; each run is a new process."""

import json
import os
import subprocess
import sys

import pytest

from vidan.cli import main as cli

PLUGIN = '''"""A sink in a file."""
from vidan import hookimpl

class Tally:
    """Counts results."""
    lossless = True
    def __init__(self, path: str, start: int = 0):
        self.path, self.count = path, start
    def write(self, result):
        self.count += 1
    def close(self):
        with open(self.path, "w") as file:
            file.write(str(self.count))

@hookimpl
def vidan_components(registry):
    registry.add("sink", "tally", __name__ + ":Tally")
'''
SMALL = ["source.width=160", "source.height=96", "max_frames=3", "detector.name=onnx"]


def run(tmp_path, *arguments):
    return vidan(tmp_path, "plugins_dir=mine", *SMALL, "hydra.run.dir=out", *arguments)


def vidan(tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "vidan", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plugin_in_a_file(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tally.py").write_text(PLUGIN)
    (tmp_path / "mine" / "broken.py").write_text("1/0")
    ran = run(tmp_path, "sink=tally", "sink.tally.path=n.txt", "sink.tally.start=10")
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "n.txt").read_text() == "13"
    assert "ZeroDivisionError" in ran.stderr
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["frames"] == 3


def test_errors_name_what_is_wrong(tmp_path):
    assert "no such folder" in run(tmp_path).stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tally.py").write_text(PLUGIN)
    assert "unknown sink 'taly': did you mean 'tally'" in run(tmp_path, "sink=taly").stderr
    ran = run(tmp_path, "sink=tally")
    assert ran.returncode == 2
    assert "sink.tally.path" in ran.stderr


def test_the_environment_names_a_folder_for_all_commands(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tally.py").write_text(PLUGIN)
    environment = os.environ | {"VIDAN_PLUGINS_DIR": str(tmp_path / "mine")}

    def vidan(*arguments):
        command = [sys.executable, "-m", "vidan", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert "tally" in vidan("plugins")
    assert "Counts results." in vidan("plugins", "show", "tally")
    assert "tally" in vidan("--help")
    vidan(*SMALL, "sink=tally", "sink.tally.path=n.txt", "run_dir=out")
    assert (tmp_path / "n.txt").read_text() == "3"


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["plugins"], "tally"),
        (["plugins", "show", "tally"], "sink/tally  Counts results."),
        (["plugins", "show", "sink/tally"], "vidan sink=tally sink.tally.<key>=<value>"),
        (["doctor"], "sink tally"),
    ],
)
def test_commands_about_plugins_know_those_of_a_folder(tmp_path, command, shown):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tally.py").write_text(PLUGIN)
    done = vidan(tmp_path, *command, "plugins_dir=mine")
    assert shown in done.stdout, done.stderr


@pytest.mark.parametrize(
    "command",
    [["plugins"], ["plugins", "show", "tally"], ["plugins", "show", "sink/tally"], ["doctor"]],
)
def test_commands_about_plugins_name_a_folder_that_does_not_exist(command, capsys):
    assert cli.main([*command, "plugins_dir=gone"]) == 3
    assert "plugins_dir='gone': no such folder" in capsys.readouterr().err
