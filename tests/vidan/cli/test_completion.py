import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidan.cli.completion import SCRIPTS, complete
from vidan.cli.main import main
from vidan.registry.commands import Command
from vidan.registry.discovery import load_plugins

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vidan plu", ["plugins", "plugins_dir="]),
        ("vidan eval ", ["counting", "detection", "tracking"]),
        ("vidan plugins s", ["show"]),
        ("vidan plugins show tracker/d", ["tracker/deepsort"]),
        (
            "vidan plugins new my-blur --kind ",
            ["analytics", "detector", "runner", "sink", "source", "tracker"],
        ),
        ("vidan tracker=s", ["tracker=sort", "tracker=steady"]),
        ("vidan -m detector=m", ["detector=mot"]),
        ("vidan tracker=sort tracker.min", ["tracker.min_hits="]),
        ("vidan tracker=deepsort tracker.max_cos", ["tracker.max_cosine_distance="]),
        ("vidan sink=[video,js", ["sink=[video,jsonl"]),
        ("vidan source=file source.path=str", ["source.path=street.mp4", "source.path=streets/"]),
        ("vidan resume ru", ["runs/"]),
        ("vidan bench run", ["run_dir=", "runs="]),
        ("vidan batch runner=l", ["runner=local"]),
        ("vidan train recipe=d", ["recipe=d0"]),
        ("vidan completion b", ["bash"]),
        ("vidan tracker=srot tracker.", []),  # malformed arguments are no error
        ("vidan doctor x", []),
    ],
)
def test_completions(here, line, words):
    (here / "street.mp4").touch()
    (here / "streets").mkdir()
    (here / "runs").mkdir()
    assert [w for w in complete(line) if w != "--help"] == words


def greetings(words, last):
    assert (words, last) == (["loudly"], "hel")
    return ["hello", "hi"]


def test_a_command_brings_its_own_completion(monkeypatch):
    command = Command("greet", "nowhere:main", "Say hello.", f"{__name__}:greetings")
    monkeypatch.setattr(load_plugins().commands, "find", lambda words: (command, words[1:]))
    assert complete("vidan greet loudly hel") == ["hello"]


def test_every_command_is_offered():
    first = complete("vidan ")
    for command in load_plugins().commands:
        words = command.name.split()
        assert words[0] in first
        if len(words) == 2:
            assert words[1] in complete(f"vidan {words[0]} ")
        assert "--help" in complete(f"vidan {command.name} ")


def in_bash(line, folder):
    """The completions of a line in a real bash."""
    words = line.split(" ")
    script = f"""
        eval "$(vidan completion bash)"
        COMP_LINE={line!r} COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}
        COMP_WORDS=({" ".join(map(repr, words))})
        _vidan_completion
        printf '%s\\n' "${{COMPREPLY[@]}}"
        complete -p vidan
    """
    ran = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    *replies, rule = ran.stdout.splitlines()
    assert rule == "complete -o default -o nospace -F _vidan_completion vidan"
    return [reply for reply in replies if reply]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vidan doc", ["doctor"]),
        ("vidan tracker=b", ["tracker=bytetrack"]),
        ("vidan plugins ch", ["check"]),
        ("vidan sink=[jsonl,v", ["sink=[jsonl,video"]),
        ("vidan source.path=a", ["source.path=a film.mp4"]),
    ],
)
def test_in_bash(tmp_path, line, words):
    (tmp_path / "a film.mp4").touch()
    assert in_bash(line, tmp_path) == words


@pytest.mark.parametrize("shell", SCRIPTS)
def test_scripts_are_valid_in_their_shell(capsys, shell):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)
