"""`vidan plugins check` finds mistakes in plugins."""

import pytest

from vidan.cli import main as cli

HEAD = "from vidan import hookimpl\nvidan_api = 1\n"
SINK = '''
class Good:
    """Ignores everything."""
    lossless = True
    def __init__(self, size: int = 1):
        pass
    def write(self, result):
        pass
    def close(self):
        pass
'''
HOOK = """
@hookimpl
def vidan_components(registry):
    registry.add("sink", "{name}", __name__ + ":{klass}")
"""


def checked(tmp_path, capsys, text):
    """The exit code and the output."""
    file = tmp_path / "thing.py"
    file.write_text(text)
    code = cli.main(["plugins", "check", str(file)])
    return code, capsys.readouterr().out


def test_a_correct_plugin(tmp_path, capsys):
    code, text = checked(tmp_path, capsys, HEAD + SINK + HOOK.format(name="good", klass="Good"))
    assert code == 0
    assert "problem" not in text
    assert "nothing heavy" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import cv2\n" + HEAD + SINK + HOOK.format(name="good", klass="Good"), "cv2 at discovery"),
        (HEAD + SINK + HOOK.format(name="video", klass="Good"), "taken by vidan"),
        (HEAD + SINK + HOOK.format(name="good", klass="Bad"), "cannot be imported"),
        (HEAD + "class Bad:\n  def write(self, r): ...\n" + HOOK.format(name="b", klass="Bad"),
         "Bad lacks close"),
        (HEAD + "@hookimpl\ndef vidan_component(registry): ...\n", "vidan_component"),
        (HEAD + "def vidan_components(registry): ...\n", "lacks @hookimpl"),
        (HEAD + "def vidan_componets(registry): ...\n", "did you mean 'vidan_components'"),
        (HEAD.replace("1", "2") + SINK, "written for plugin API 2, but this vidan has 1"),
        ("syntax error(", "SyntaxError"),
        ("import os\nos._exit(3)\n", "the interpreter exited"),
        (HEAD, "none of"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_problem(tmp_path, capsys, text, message):
    code, out = checked(tmp_path, capsys, text)
    assert code == 1
    assert message in " ".join(out.split())


def project(tmp_path, yaml, path="sink/good.yaml"):
    """A project whose sink `good` has this configuration."""
    package = tmp_path / "project" / "src" / "thing"
    file = package / "conf" / path
    file.parent.mkdir(parents=True)
    for folder in (package, package / "conf", file.parent):
        (folder / "__init__.py").touch()
    hooks = HOOK.format(name="good", klass="Good")
    hooks += '\n@hookimpl\ndef vidan_config():\n    return "pkg://thing.conf"\n'
    (package / "__init__.py").write_text(HEAD + SINK + hooks)
    file.write_text(yaml)
    (tmp_path / "project" / "pyproject.toml").write_text(
        '[project]\nname = "thing"\nversion = "1"\n[project.entry-points.vidan]\nthing = "thing"\n'
    )
    return str(tmp_path / "project")


@pytest.mark.parametrize(
    ("yaml", "message", "code"),
    [
        ("# @package sink.good\nname: good\nsize: 1\n", "matches the constructor", 0),
        ("name: good\nsize: 1\n", "with the line # @package sink.good", 1),
        ("# @package sink.good\nname: bad\nsize: 1\n", "its name is 'bad'", 1),
        ("# @package sink.good\nname: good\nsizes: 1\n", "'sizes' is not an argument", 1),
        ("# @package sink.good\nname: good\n", "lacks size", 1),
        ("name: [", "not YAML", 1),
    ],
)
def test_the_configuration_is_compared_with_the_constructor(tmp_path, capsys, yaml, message, code):
    assert cli.main(["plugins", "check", project(tmp_path, yaml)]) == code
    assert message in " ".join(capsys.readouterr().out.split())


def test_a_missing_configuration_is_a_note(tmp_path, capsys):
    assert cli.main(["plugins", "check", project(tmp_path, "", "sink/other.yaml")]) == 0
    assert "does not exist" in capsys.readouterr().out


def test_no_entry_point(tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "thing"\n')
    assert cli.main(["plugins", "check", str(tmp_path)]) == 1
    assert "no entry point" in capsys.readouterr().out


def test_an_unknown_package(capsys):
    assert cli.main(["plugins", "check", "no-such-package-anywhere"]) == 3
    assert "name an installed package" in capsys.readouterr().err
