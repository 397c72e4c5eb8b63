"""Packages that `vidan plugins new` creates work unchanged, for every kind."""

import os
import subprocess
import sys

import pytest

from vidan.cli import main as cli
from vidan.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_package_installs_passes_its_tests_and_is_found(kind, tmp_path, capsys):
    name = f"my-{kind}"
    assert cli.main(["plugins", "new", name, "--kind", kind, "--folder", str(tmp_path)]) == 0
    assert f"created {KINDS[kind].noun}" in capsys.readouterr().out
    site = tmp_path / "site"
    environment = os.environ | {"PYTHONPATH": str(site)}

    def run(*arguments):
        ran = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    pip = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    run("pip", "install", f"./{name}", "--target", str(site), *pip)
    assert "passed" in run("pytest", name, "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    checked = run("vidan", "plugins", "check", name)
    assert "problem" not in checked
    assert "matches the constructor" in checked
    assert f"my_{kind}" in run("vidan", "plugins", "show", f"{kind}/my_{kind}")


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
