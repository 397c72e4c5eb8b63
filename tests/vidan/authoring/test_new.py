"""Packages that `vidan plugins new` creates work unchanged, for every kind."""

import os
import re
import subprocess
import sys

import pytest

from vidan.cli import main as cli
from vidan.kinds import KINDS

EACH = """
import sys
from vidan.cli.main import main

for name, component in zip(sys.argv[1::2], sys.argv[2::2]):
    assert main(["plugins", "check", name]) == 0
    assert main(["plugins", "show", component]) == 0
"""
"""Checks and shows packages, all in one process, which takes long to start."""


def test_new_packages_of_every_kind_install_pass_their_tests_and_are_found(tmp_path, capsys):
    names = {kind: f"my-{kind}" for kind in KINDS}
    for kind, name in names.items():
        assert cli.main(["plugins", "new", name, "--kind", kind, "--folder", str(tmp_path)]) == 0
        assert f"created {KINDS[kind].noun}" in capsys.readouterr().out
    site = tmp_path / "site"
    environment = os.environ | {"PYTHONPATH": str(site)}

    def run(*arguments):
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    pip = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    folders = [f"./{name}" for name in names.values()]
    run("-m", "pip", "install", *folders, "--target", str(site), *pip)
    once = ["-v", "-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib"]
    tested = run("-m", "pytest", *names.values(), *once)
    assert all(re.search(rf"test_my_{kind}\.py::.* PASSED", tested) for kind in names)
    pairs = [each for kind, name in names.items() for each in (name, f"{kind}/my_{kind}")]
    shown = run("-c", EACH, *pairs)
    assert "problem" not in shown
    assert shown.count("matches the constructor") == len(names)
    assert all(f"my_{kind}" in shown for kind in names)


@pytest.mark.parametrize("name", ["My-Blur", "blur_it", "2d", "class", "-x"])
def test_a_name_that_is_not_valid_for_a_package(name, tmp_path, capsys):
    given = ["plugins", "new", "--kind", "sink", "--folder", str(tmp_path), "--", name]
    assert cli.main(given) == 2
    assert f"name {name!r}: expected" in capsys.readouterr().err


def test_an_existing_folder_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    given = ["plugins", "new", "mine", "--kind", "sink", "--folder", str(tmp_path)]
    assert cli.main(given) == 2
    assert "exists already" in capsys.readouterr().err
