"""Which components there are: discovery of plugins one by one, and the registry.

A plugin is a module (or object) with hooks, named by an entry point of the group
`vidan`. One that fails is left out and remembered; it is an error only when something
of it is chosen. Components are registered as strings and imported when first used.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pluggy
from packaging.requirements import Requirement

from . import hookspecs
from .errors import PluginError, did_you_mean

KINDS = ("source", "detector", "tracker", "sink")
GROUP = "vidan"
API = 1
"""What plugins are written against; counts up when a plugin would have to change."""


class Package(NamedTuple):
    """The installed package that a plugin came in."""

    name: str
    version: str


@dataclass(frozen=True)
class Component:
    """A source, detector, tracker or sink that can be chosen by name."""

    kind: str
    name: str
    target: str
    extra: str | None
    package: Package

    def missing(self) -> list[str]:
        """Names of packages that its extra needs and that are not installed."""
        return [] if self.extra is None else _missing(self.package.name, self.extra)

    def state(self) -> str:
        """`ok`, or in words why it cannot be loaded here; imports nothing heavy."""
        if self.missing():
            return f"needs {', '.join(self.missing())}: {self._install()}"
        module = self.target.partition(":")[0]
        try:
            found = importlib.util.find_spec(module) is not None
        except Exception as error:
            return f"import failed: {error}"
        return "ok" if found else f"import failed: no module {module!r}"

    def load(self) -> Callable[..., Any]:
        """Import and return the target.

        Raises:
            PluginError: it cannot be imported; says which extra is missing, if one is.
        """
        module, _, attribute = self.target.partition(":")
        try:
            target: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        except Exception as error:
            if self.missing():
                raise PluginError(
                    f"{self.kind} {self.name!r} needs {', '.join(self.missing())}, which is "
                    f"not installed: {self._install()}"
                ) from error
            raise PluginError(
                f"{self.kind} {self.name!r} of package {self.package.name!r} cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        return target

    def _install(self) -> str:
        return f"pip install '{self.package.name}[{self.extra}]'"


def _missing(package: str, extra: str) -> list[str]:
    """Requirements of an extra of a package that are not installed; its own extras too."""
    names = []
    for text in importlib.metadata.requires(package) or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if (
            marker is None
            or marker.evaluate({"extra": ""})
            or not marker.evaluate({"extra": extra})
        ):
            continue
        try:
            importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            names.append(requirement.name)
    return names


class Registry:
    """The components by kind and name."""

    def __init__(self) -> None:
        self._components: dict[tuple[str, str], list[Component]] = {}

    def __iter__(self) -> Iterator[Component]:
        """All components, by kind in the order of the pipeline, then by name."""
        every = [component for same in self._components.values() for component in same]
        return iter(sorted(every, key=lambda c: (KINDS.index(c.kind), c.name)))

    def names(self, kind: str) -> list[str]:
        """Names of the components of a kind."""
        return sorted(name for k, name in self._components if k == kind)

    def register(self, component: Component) -> None:
        """Add a component; a second one of the same kind and name is an error when chosen."""
        self._components.setdefault((component.kind, component.name), []).append(component)

    def get(self, kind: str, name: str) -> Component:
        """The component of a kind and name.

        Raises:
            PluginError: there is none, or several packages registered that name.
        """
        found = self._components.get((kind, name), [])
        if not found:
            raise PluginError(f"unknown {kind} {name!r}: {did_you_mean(name, self.names(kind))}")
        if len(found) > 1:
            packages = " and ".join(repr(c.package.name) for c in found)
            raise PluginError(
                f"{kind} {name!r} is registered twice, by {packages}: uninstall one of them"
            )
        return found[0]


class Registrar:
    """What `vidan_components` gets: it knows whose components these are.

    They reach the registry only when all of the plugin's hooks have gone well.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self.components: list[Component] = []

    def add(self, kind: str, name: str, target: str, extra: str | None = None) -> None:
        """Register a component of this plugin.

        Args:
            kind: `source`, `detector`, `tracker` or `sink`.
            name: what people choose it by.
            target: `package.module:Class`, imported on first use.
            extra: the extra of the plugin's package that it needs, if any.

        Raises:
            PluginError: the kind does not exist or the target has not the right form.
        """
        if kind not in KINDS:
            raise PluginError(
                f"component {name!r}: unknown kind {kind!r}, {did_you_mean(kind, KINDS)}"
            )
        if ":" not in target:
            raise PluginError(f"{kind} {name!r}: target {target!r} should be 'package.module:Name'")
        self.components.append(Component(kind, name, target, extra, self.package))


class Command(NamedTuple):
    """A sub-command: `main` gets the arguments behind its name and returns the exit code."""

    name: str
    target: str
    help: str

    def main(self, arguments: list[str]) -> int:
        """Import and run it."""
        module, _, attribute = self.target.partition(":")
        try:
            function: Callable[[list[str]], int] = getattr(
                importlib.import_module(module), attribute
            )
        except ImportError as error:
            raise PluginError(f"command {self.name!r} cannot be imported: {error}") from error
        return function(arguments)


class Commands:
    """The sub-commands by name: one word, as `train`, or two, as `eval tracking`."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """The command of a name, if there is one."""
        return self._commands.get(name)

    def find(self, arguments: Sequence[str]) -> tuple[Command, list[str]] | None:
        """The command whose name the arguments begin with, and the arguments behind it.

        Where `a` and `a b` are both commands, `a b` is the one that was meant.
        """
        for words in (2, 1):
            command = self.get(" ".join(arguments[:words]))
            if command is not None and len(arguments) >= words:
                return command, list(arguments[words:])
        return None

    def group(self, word: str) -> list[Command]:
        """The commands of two words that begin with `word`."""
        return [c for c in self if c.name.startswith(f"{word} ")]

    def add(self, name: str, target: str, help: str) -> None:  # noqa: A002 - the field's word
        """Add a command.

        Args:
            name: a word or two, such as `train` or `eval tracking`. Any plugin may add to the
                commands that share a first word; `vidan <word>` lists them.
            target: `package.module:function`, imported when the command is run.
            help: one line about it.

        Raises:
            PluginError: a command of that name exists, or the name has not the right form.
        """
        if not re.fullmatch(r"[a-z][\w-]*( [a-z][\w-]*)?", name):
            raise PluginError(f"command {name!r}: expected a name of one or two lower-case words")
        if name in self._commands:
            raise PluginError(f"command {name!r} is registered twice")
        self._commands[name] = Command(name, target, help)


class Check(NamedTuple):
    """One line of `vidan doctor`: `state` is `ok`, `note` (worth knowing) or `problem`."""

    name: str
    state: str
    detail: str


@dataclass
class Plugins:
    """All that was discovered.

    Attributes:
        manager: pluggy's, to call hooks.
        registry: the components.
        commands: the sub-commands.
        configs: where plugins have their config groups, as Hydra search paths.
        local: components from single files, which need no configuration files.
        failures: why a plugin was left out, by the name of its entry point.
    """

    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager("vidan"))
    registry: Registry = field(default_factory=Registry)
    commands: Commands = field(default_factory=Commands)
    configs: list[str] = field(default_factory=list)
    local: list[Component] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.manager.add_hookspecs(hookspecs)

    def add(self, name: str, load: Callable[[], object], package: Package) -> None:
        """Import and register one plugin; what goes wrong is kept in `failures`."""
        plugin = None
        try:
            plugin = load()
            declared_api(plugin)
            self.manager.register(plugin, name)
            self.manager.check_pending()
            self._collect(plugin, package)
        except Exception as error:
            if plugin is not None and self.manager.is_registered(plugin):
                self.manager.unregister(plugin)
            self.failures[name] = f"{type(error).__name__}: {error}"

    def add_folder(self, folder: Path) -> None:
        """Load each `.py` file of a folder as a plugin; see `plugins_dir`.

        Raises:
            PluginError: there is no such folder.
        """
        if not folder.is_dir():
            raise PluginError(f"plugins_dir={folder}: there is no such folder")
        for file in sorted(folder.glob("[!_]*.py")):
            before = set(self.registry)
            self.add(str(file), functools.partial(load_file, file), Package(file.name, "local"))
            self.local += sorted(set(self.registry) - before, key=lambda c: (c.kind, c.name))

    def _collect(self, plugin: object, package: Package) -> None:
        """Call this plugin's hooks, and no other's."""
        others = self.manager.get_plugins() - {plugin}
        call = self.manager.subset_hook_caller
        registrar = Registrar(package)
        call("vidan_components", others)(registry=registrar)
        configs = call("vidan_config", others)()
        call("vidan_commands", others)(commands=self.commands)
        for component in registrar.components:
            self.registry.register(component)
        self.configs += configs


def declared_api(plugin: object) -> int | None:
    """The API that a plugin says it was written for, in `vidan_api`; None if it does not say.

    Raises:
        PluginError: it is not this one.
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
    """Import a Python file by its path, as a module `vidan_local_<name>` that is found again."""
    name = f"vidan_local_{file.stem}"
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


BUILTIN_COMMANDS = (
    ("plugins", "vidan.commands:plugins", "List every component and whether it can be loaded."),
    ("plugins show", "vidan.authoring.show:show", "Print a component's options."),
    ("plugins new", "vidan.authoring.new:new", "Write a plugin package to start from."),
    ("plugins check", "vidan.authoring.check:check", "Look at a plugin as vidan will."),
    ("resume", "vidan.resume:main", "Go on with a file job that was interrupted."),
    ("doctor", "vidan.commands:doctor", "Look at this machine for what vidan needs."),
    ("completion", "vidan.completion:main", "Make a shell complete vidan's words."),
)


@functools.cache
def load_plugins() -> Plugins:
    """Discover the installed plugins: the built-in ones first, then by name. Once per process."""
    found = Plugins()
    for command in BUILTIN_COMMANDS:
        found.commands.add(*command)
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=lambda p: (p.dist is None or p.dist.name != "vidan", p.name)):
        package = Package(point.dist.name, point.dist.version) if point.dist else Package("?", "?")
        found.add(f"{package.name}:{point.name}", point.load, package)
    return found
