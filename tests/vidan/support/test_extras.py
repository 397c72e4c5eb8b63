import ast
import sys

import pytest

from tests.structure import modules
from vidan.errors import PluginError
from vidan.support.extras import import_extra

OTHERS = {"vidan.support.extras", "vidan.authoring.new", "vidan_plugins.sinks.video.codec"}
"""Modules that name `pip install` for another reason than a missing extra."""


def test_a_missing_package_is_named_with_its_extra():
    assert import_extra("json", "eval") is sys.modules["json"]
    with pytest.raises(PluginError) as error:
        import_extra("nowhere_at_all.inside", "eval", "a=1")
    assert str(error.value) == "a=1: nowhere_at_all is not installed: pip install 'vidan[eval]'"
    with pytest.raises(PluginError, match=r"^nowhere is not installed: pip install nowhere$"):
        import_extra("nowhere", None)


def test_a_package_that_is_broken_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_one.py").write_text("import nowhere_at_all")
    (tmp_path / "broken_two.py").write_text("raise ImportError('libGL.so.1: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError, match=r"broken_one cannot be imported \(No module named 'nowh"):
        import_extra("broken_one", "eval")
    with pytest.raises(PluginError, match=r"broken_two cannot be imported \(libGL\.so\.1"):
        import_extra("broken_two", "eval")


def test_no_module_has_a_message_of_its_own_about_a_missing_extra():
    found = [
        name
        for name, path in modules().items()
        if name not in OTHERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and "pip install" in str(node.value)
    ]
    assert found == []
