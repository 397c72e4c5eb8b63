"""The code and the links in the README work."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_plugin_works(tmp_path):
    plugin = next(code for code in blocks("python") if "Counter" in code)
    assert len([line for line in plugin.splitlines() if line.strip()]) <= 20
    project = tmp_path / "project"
    project.mkdir()
    (project / "vidan_counter.py").write_text(plugin)
    (project / "pyproject.toml").write_text(blocks("toml")[0])
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(tmp_path / "site"), str(project)], check=True)
    (command,) = re.findall(r"`vidan (\+sink\.counter[^`]*)`", README)
    small = ["source.width=320", "source.height=180", "source.frames=5", "sink=[jsonl]"]
    subprocess.run(
        [sys.executable, "-m", "vidan", command, *small, "hydra.run.dir=out"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        check=True,
    )
    assert (tmp_path / "count.txt").read_text().endswith(" objects\n")


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_exist(link):
    assert (ROOT / link).exists()


def test_ci_runs_the_test_command():
    script = (ROOT / ".ci/run").read_text()
    assert "pip install -e '.[test]'" in README
    assert "-e '.[test]'" in script
    assert re.search(r"/pytest\"?$", script, re.MULTILINE)


def test_commands_are_valid():
    from vidan.config.compose import compose

    commands = re.findall(r"^vidan ((?:\w+=|source).*)$", "\n".join(blocks("sh")), re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        overrides = command.replace("'", "").replace("photos/*.jpg", "photos").split()
        compose([*overrides, "run_dir=out"])
