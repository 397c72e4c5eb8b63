import pytest

from vidan import hookimpl
from vidan.cli import main as cli
from vidan.registry.commands import Check
from vidan.registry.discovery import load_plugins


def test_plugins_lists_every_component(capsys, register, monkeypatch):
    register("sink", "lost", "nowhere_at_all:Sink")
    monkeypatch.setitem(load_plugins().failures, "strange:x", "ImportError: no")
    assert cli.main(["plugins"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["kind", "name", "package", "version", "state"]
    rows = {tuple(line.split()[:2]): line for line in lines}
    for component in load_plugins().registry:
        assert (component.kind, component.name) in rows
    assert "strange" in rows[("sink", "lost")]
    assert "import failed: no module 'nowhere_at_all'" in rows[("sink", "lost")]
    assert "left out: ImportError: no" in rows[("plugin", "strange:x")]


def test_doctor_checks_everything(capsys, register):
    assert cli.main(["doctor"]) == 0
    text = capsys.readouterr().out
    for what in ("Python", "onnxruntime", "H.264 encoder", "OpenCV packages", "display"):
        assert what in text
    for what in ("cameras", "ONNX Runtime providers", "tracker sort"):
        assert what in text
    register("sink", "lost", "nowhere_at_all:Sink")
    assert cli.main(["doctor"]) == 1
    assert "sink 'lost' of package 'strange' cannot be imported" in capsys.readouterr().out


def test_doctor_survives_a_plugin_whose_checks_fail(capsys):
    class Strange:
        @hookimpl
        def vidan_checks(self):
            yield Check("fine", "ok", "so far")
            raise BaseException("no such bus")  # as of libraries in Rust

    manager = load_plugins().manager
    plugin = Strange()
    manager.register(plugin, "strange:checks")
    try:
        assert cli.main(["doctor"]) == 1
    finally:
        manager.unregister(plugin)
    text = capsys.readouterr().out
    assert "so far" in text
    assert "checks of strange:checks" in text
    assert "BaseException: no such bus" in text


@pytest.mark.parametrize("command", ["plugins", "doctor"])
def test_commands_have_help(command, capsys):
    assert cli.main([command, "--help"]) == 0
    assert f"usage: vidan {command}" in capsys.readouterr().out
