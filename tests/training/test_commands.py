import sys

import pytest

from vidan.errors import ConfigError, PluginError
from vidan_training import commands


@pytest.fixture
def no_keras(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)


def test_help_lists_the_keys_without_keras(no_keras, capsys):
    with pytest.raises(SystemExit) as end:
        commands.train(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert "epochs: 40" in shown
    assert "  learning_rate: 0.001 " in shown
    assert "facemask_lite0" in shown


def test_a_bad_recipe_is_an_error_before_keras_is_imported(no_keras):
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        commands.train(["epoch=3"])


@pytest.mark.parametrize("command", [commands.train, commands.export])
def test_a_missing_keras_names_the_extra(command, no_keras):
    with pytest.raises(PluginError, match=r"pip install 'vidan\[train\]'"):
        command([])


def test_a_long_import_is_announced(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(commands.keras_backend, "select", lambda: None)
    monkeypatch.setattr(commands, "import_extra", lambda *_: None)
    commands._load_keras()
    assert "loading Keras" in capsys.readouterr().err
