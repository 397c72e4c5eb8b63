"""Discovery of plugins.

A plugin is a module, or an object, with hooks; an entry point of the group `vidan` names it. A
plugin that fails to load is left out with its reason, which is an error only if one of its
components is chosen. Components are registered as strings and imported on first use.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import itertools
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ..errors import PluginError, StageError, VidanError
from ..options import expanded
from . import hookspecs
from .commands import BUILTIN_COMMANDS, Commands
from .components import Component, Package, Registrar, Registry, import_failure

GROUP = "vidan"
"""The group of the entry points of plugins."""

FOLDER_VARIABLE = "VIDAN_PLUGINS_DIR"
"""Environment variable with a folder of single-file plugins, for all commands."""

PLUGINS_DIR_HELP = "plugins_dir=<folder> adds the single-file plugins of a folder."

API = 1
"""Version of the interfaces of plugins; increased when existing plugins have to change."""


@dataclass
class Plugins:
    """The discovered plugins.

    Attributes:
        manager: the plugin manager of pluggy, to call hooks.
        registry: their components.
        commands: their subcommands.
        configs: the locations of their config groups, as Hydra search paths.
        local: components of single-file plugins, which have no configuration files.
        failures: why plugins were left out, by the name of the entry point.
    """

    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("vidan"))
    registry: Registry = field(default_factory=Registry)
    commands: Commands = field(default_factory=Commands)
    configs: list[str] = field(default_factory=list)
    local: list[Component] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    _folders: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.manager.add_hookspecs(hookspecs)

    def add(self, name: str, load: Callable[[], object], package: Package) -> None:
        """Import and register one plugin; an error is kept in `failures`."""
        plugin = None
        try:
            plugin = load()
            declared_api(plugin)
            self.manager.register(plugin, name)
            self.manager.check_pending()
            self._collect(plugin, package)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # libraries in Rust raise errors that are no Exception
            if plugin is not None and self.manager.is_registered(plugin):
                self.manager.unregister(plugin)
            self.failures[name] = import_failure(error)

    def call(self, hook: str, **arguments: Any) -> Any:
        """Call a hook of all plugins.

        Raises:
            StageError: what a plugin raised, with its name.
            VidanError: raised by a plugin deliberately.
        """
        caller = getattr(self.manager.hook, hook)
        try:
            return caller(**arguments)
        except VidanError:
            raise
        except Exception as error:
            raised = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
            for plugin in caller.get_hookimpls():
                if plugin.function.__code__ in raised:
                    name = f"{hook} of the plugin {plugin.plugin_name!r}"
                    raise StageError(name, None, error) from error
            raise

    def add_folder(self, folder: Path) -> None:
        """Load each `.py` file of a folder as a plugin, once, for `plugins_dir=`.

        Raises:
            PluginError: the folder does not exist.
        """
        if not folder.is_dir():
            raise PluginError(f"plugins_dir={str(folder)!r}: no such folder")
        whole = folder.resolve()  # a relative path names another folder elsewhere
        if whole in self._folders:
            return
        self._folders.add(whole)
        for file in sorted(folder.glob("[!_]*.py")):
            before = set(self.registry)
            name = str(file if not self.manager.has_plugin(str(file)) else file.resolve())
            self.add(name, functools.partial(load_file, file), Package(file.name, "local"))
            self.local += sorted(set(self.registry) - before, key=lambda c: (c.kind, c.name))

    def _collect(self, plugin: object, package: Package) -> None:
        """Call the hooks of this plugin only."""
        others = self.manager.get_plugins() - {plugin}
        call = self.manager.subset_hook_caller
        registrar = Registrar(package)
        call("vidan_components", others)(registry=registrar)
        configs = call("vidan_config", others)()
        call("vidan_commands", others)(commands=self.commands)
        for component in registrar.components:
            self.registry.register(component)
        self.configs += configs


def with_folder(arguments: Iterable[str]) -> list[str]:
    """Load the plugins of the last `plugins_dir=<folder>`; returns the other arguments.

    Raises:
        PluginError: the folder does not exist.
    """
    given = [argument.partition("=") for argument in arguments]
    folders = [value for key, equals, value in given if equals and key == "plugins_dir"]
    if folders and folders[-1] not in ("", "null"):
        load_plugins().add_folder(expanded(folders[-1]))
    return [f"{key}{equals}{value}" for key, equals, value in given if key != "plugins_dir"]


def declared_api(plugin: object) -> int | None:
    """The version that a plugin declares as `vidan_api`; None if it declares none.

    Raises:
        PluginError: it is not the current version.
    """
    declared = getattr(plugin, "vidan_api", None)
    if declared is None or declared == API:
        return declared
    newer = isinstance(declared, int) and declared > API
    raise PluginError(
        f"written for plugin API {declared!r}, but this vidan has {API}: "
        f"update {'vidan' if newer else 'the plugin'}"
    )


def load_file(file: Path) -> ModuleType:
    """Import a Python file by its path, as the module `vidan_local_<name>`.

    If a file of another folder has this name, a number is added.
    """
    name = first = f"vidan_local_{file.stem}"
    for number in itertools.count(2):
        taken = sys.modules.get(name)
        if taken is None or taken.__file__ == str(file.resolve()):
            break
        name = f"{first}_{number}"
    spec = importlib.util.spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise PluginError(f"{str(file)!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@functools.cache
def load_plugins() -> Plugins:
    """Discover the installed plugins, once per process: built-in ones first, then by name."""
    found = Plugins()
    for command in BUILTIN_COMMANDS:
        found.commands.add(*command)
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=lambda p: (p.dist is None or p.dist.name != "vidan", p.name)):
        package = Package(point.dist.name, point.dist.version) if point.dist else Package("?", "?")
        found.add(f"{package.name}:{point.name}", point.load, package)
    if folder := os.environ.get(FOLDER_VARIABLE):
        found.add_folder(expanded(folder))
    return found
