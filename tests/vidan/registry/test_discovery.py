import types
from pathlib import Path

import pytest

from vidan import ConfigError, PluginError, StageError, hookimpl
from vidan.registry.components import Component, Package
from vidan.registry.discovery import Plugins, load_plugins

STRANGE = Package("strange", "1.0")


def module(**hooks):
    plugin = types.ModuleType("strange")
    for name, function in hooks.items():
        setattr(plugin, name, hookimpl(function))
    return plugin


def adding(*components):
    def vidan_components(registry):
        for component in components:
            registry.add(*component)

    return module(vidan_components=vidan_components)


def discover(**plugins):
    found = Plugins()
    for name, plugin in plugins.items():
        found.add(name, lambda plugin=plugin: plugin, STRANGE)
    return found


def test_built_in_components_use_the_same_hooks():
    found = load_plugins()
    assert found.failures == {}
    kinds = {(c.kind, c.name): c.package.name for c in found.registry}
    assert kinds[("tracker", "sort")] == "vidan"
    assert {c.name for c in found.commands} >= {"plugins", "doctor", "train", "export"}


@pytest.mark.parametrize("component", list(load_plugins().registry), ids=lambda c: c.name)
def test_every_built_in_component_has_a_configuration(component):
    assert component.state() == "ok" or component.missing()


def test_a_broken_plugin_does_not_affect_others():
    def explode():
        raise ImportError("no module named nowhere")

    found = Plugins()
    found.add("broken", explode, STRANGE)
    found.add("good", lambda: adding(("tracker", "mine", "mine:Mine")), STRANGE)
    assert found.failures == {"broken": "ImportError: no module named nowhere"}
    assert found.registry.names("tracker") == ["mine"]


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (("tracer", "mine", "mine:Mine"), "unknown kind 'tracer', did you mean 'tracker'"),
        (("tracker", "mine", "mine.Mine"), "expected 'package.module:Name', got 'mine.Mine'"),
    ],
)
def test_a_bad_registration_leaves_out_the_whole_plugin(component, message):
    found = discover(strange=adding(("tracker", "fine", "mine:Mine"), component))
    assert message in found.failures["strange"]
    assert found.registry.names("tracker") == []


def test_an_error_in_a_hook_names_the_plugin():
    def vidan_run_started():
        raise ValueError("no report server")

    def other():
        pass

    found = discover(
        quiet=module(vidan_run_started=other), reports=module(vidan_run_started=vidan_run_started)
    )
    message = "vidan_run_started of the plugin 'reports': ValueError: no report server"
    with pytest.raises(StageError, match=message):
        found.call("vidan_run_started", run=None)


def test_an_error_that_a_hook_raises_deliberately_stays_as_it_is():
    def vidan_run_started():
        raise ConfigError("reports.server='x': unknown host")

    found = discover(reports=module(vidan_run_started=vidan_run_started))
    with pytest.raises(ConfigError, match=r"reports\.server='x': unknown host"):
        found.call("vidan_run_started", run=None)


def test_a_misspelled_hook_is_found():
    found = discover(strange=module(vidan_component=lambda registry: None))
    assert "vidan_component" in found.failures["strange"]


def test_a_name_registered_twice_is_an_error_when_chosen():
    mine = ("tracker", "mine", "mine:Mine")
    found = discover(one=adding(mine), two=adding(mine))
    with pytest.raises(PluginError, match="tracker 'mine' is registered twice, by 'strange' and"):
        found.registry.get("tracker", "mine")


def test_an_unknown_name_suggests_similar_ones():
    with pytest.raises(PluginError, match="unknown tracker 'deepsorr': did you mean 'deepsort'"):
        load_plugins().registry.get("tracker", "deepsorr")


def test_hooks_of_commands_and_configs():
    def vidan_commands(commands):
        commands.add("greet", "tests.vidan.registry.test_discovery:greet", "Say hello.")

    found = discover(
        strange=module(vidan_commands=vidan_commands, vidan_config=lambda: "pkg://strange.conf")
    )
    assert found.configs == ["pkg://strange.conf"]
    assert found.commands.get("greet").main(["you"]) == 7
    assert found.commands.get("other") is None
    found = discover(
        one=module(vidan_commands=vidan_commands), two=module(vidan_commands=vidan_commands)
    )
    assert "command 'greet' is registered twice" in found.failures["two"]


def adding_commands(*names):
    def vidan_commands(commands):
        for name in names:
            commands.add(name, "tests.vidan.registry.test_discovery:greet", f"About {name}.")

    return module(vidan_commands=vidan_commands)


def test_commands_of_two_words_from_several_plugins():
    found = discover(
        one=adding_commands("greet", "greet loudly"), two=adding_commands("greet softly")
    ).commands
    assert [c.name for c in found.group("greet")] == ["greet loudly", "greet softly"]
    assert found.group("gre") == []
    for arguments, name, behind in (
        (["greet"], "greet", []),
        (["greet", "you"], "greet", ["you"]),
        (["greet", "softly", "you"], "greet softly", ["you"]),
    ):
        command, rest = found.find(arguments)
        assert (command.name, rest) == (name, behind)
    assert found.find(["other", "greet"]) is None
    assert found.find([]) is None


@pytest.mark.parametrize("name", ["", "Greet", "greet --loudly", "a b c", "greet  you", "a=b"])
def test_names_of_commands_are_one_or_two_words(name):
    failures = discover(strange=adding_commands(name)).failures
    assert "expected a name of one or two lower-case words" in failures["strange"]


def greet(arguments):
    assert arguments == ["you"]
    return 7


def test_a_command_that_cannot_be_imported():
    def vidan_commands(commands):
        commands.add("greet", "nowhere.at_all:main", "Say hello.")

    with pytest.raises(PluginError, match="command 'greet' cannot be imported"):
        discover(strange=module(vidan_commands=vidan_commands)).commands.get("greet").main([])


def test_a_component_loads_its_target_or_says_why_not():
    package = Package("vidan", "0")
    fine = Component("sink", "fine", "tests.vidan.fakes:FakeSink", None, package)
    assert fine.load().__name__ == "FakeSink"
    assert fine.state() == "ok"
    gone = Component("sink", "gone", "nowhere_at_all:Sink", None, package)
    assert gone.state() == "import failed: no module 'nowhere_at_all'"
    with pytest.raises(PluginError, match="sink 'gone' of package 'vidan' cannot be imported"):
        gone.load()


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(
        "importlib.metadata.requires",
        lambda package: [
            "numpy>=2",
            "surely-not-there>=1; extra == 'big'",
            "numpy; extra == 'big'",
        ],
    )
    big = Component("detector", "big", "nowhere_at_all:Big", "big", Package("strange", "1"))
    assert big.missing() == ["surely-not-there"]
    assert big.state() == "needs surely-not-there: pip install 'strange[big]'"
    with pytest.raises(
        PluginError, match=r"needs surely-not-there, .*pip install 'strange\[big\]'"
    ):
        big.load()


ENDS = "ends the program when it is imported"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit(2)", ENDS),
        ("import argparse; argparse.ArgumentParser().parse_args(['x'])", ENDS),
        ("raise BaseException('a panic')", "BaseException: a panic"),
    ],
)
def test_a_plugin_file_that_cannot_be_imported_is_left_out(tmp_path, monkeypatch, code, reason):
    (tmp_path / "tool_that_fails.py").write_text(code)
    found = Plugins()
    found.add_folder(tmp_path)
    (failure,) = found.failures.values()
    assert reason in failure
    monkeypatch.syspath_prepend(tmp_path)
    late = Component("sink", "late", "tool_that_fails:Sink", None, Package("strange", "1"))
    with pytest.raises(PluginError, match=f"sink 'late' .*{reason}"):
        late.load()


SINK = """
from vidan import hookimpl

class Sink:
    where = {where!r}

@hookimpl
def vidan_components(registry):
    registry.add("sink", "of_{where}", f"{{__name__}}:Sink")
"""


def test_a_relative_folder_is_another_one_in_another_place(tmp_path, monkeypatch):
    plugins = Plugins()
    for where in ("first", "second"):
        folder = tmp_path / where / "plugins"
        folder.mkdir(parents=True)
        (folder / "same.py").write_text(SINK.format(where=where))
        monkeypatch.chdir(tmp_path / where)
        plugins.add_folder(Path("plugins"))
        plugins.add_folder(folder)
    assert plugins.failures == {}
    assert [component.name for component in plugins.local] == ["of_first", "of_second"]
    assert [component.load().where for component in plugins.local] == ["first", "second"]
