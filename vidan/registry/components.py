"""Components by kind and name."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from packaging.requirements import Requirement

from ..errors import PluginError, did_you_mean
from ..kinds import KINDS
from ..support.extras import install


class Package(NamedTuple):
    """The installed package that contains a plugin."""

    name: str
    version: str


def import_failure(error: BaseException) -> str:
    """Why a module cannot be imported."""
    if isinstance(error, SystemExit):
        return 'it ends the program when it is imported: put that under if __name__ == "__main__"'
    return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class Component:
    """A component that can be chosen by its name."""

    kind: str
    name: str
    target: str
    extra: str | None
    package: Package

    @property
    def title(self) -> str:
        """What messages call it, such as `sink 'video'`."""
        return f"{self.kind} {self.name!r}"

    def missing(self) -> list[str]:
        """Names of the packages of its extra that are not installed."""
        return [] if self.extra is None else _missing(self.package.name, self.extra)

    def state(self) -> str:
        """`ok`, or why it cannot be loaded here; imports nothing heavy."""
        if self.missing():
            return f"needs {', '.join(self.missing())}: {self._install()}"
        module = self.target.partition(":")[0]
        try:
            found = importlib.util.find_spec(module) is not None
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return f"import failed: {error}"
        return "ok" if found else f"import failed: no module {module!r}"

    def load(self) -> Callable[..., Any]:
        """Import and return the target.

        Raises:
            PluginError: it cannot be imported; the message names the missing extra, if any.
        """
        module, _, attribute = self.target.partition(":")
        try:
            target: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # libraries in Rust raise errors that are no Exception
            if self.missing():
                raise PluginError(
                    f"{self.title} needs {', '.join(self.missing())}, which is "
                    f"not installed: {self._install()}"
                ) from error
            raise PluginError(
                f"{self.title} of package {self.package.name!r} cannot be imported: "
                f"{import_failure(error)}"
            ) from error
        return target

    def _install(self) -> str:
        return install(self.package.name, self.extra)


def _missing(package: str, extra: str) -> list[str]:
    """Names of the requirements of an extra that are not installed, including nested extras."""
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
        components = [component for same in self._components.values() for component in same]
        return iter(sorted(components, key=lambda c: (list(KINDS).index(c.kind), c.name)))

    def names(self, kind: str) -> list[str]:
        """Names of the components of a kind."""
        return sorted(name for k, name in self._components if k == kind)

    def register(self, component: Component) -> None:
        """Add a component; two with the same kind and name are an error when chosen."""
        self._components.setdefault((component.kind, component.name), []).append(component)

    @contextmanager
    def temporary(self, *components: Component) -> Iterator[Registry]:
        """Add components for the duration of a `with` block, for tests.

        Components that are registered within the block are removed at its end too.
        """
        before = {key: list(same) for key, same in self._components.items()}
        for component in components:
            self.register(component)
        try:
            yield self
        finally:
            self._components = before

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
    """Collects the components of one plugin; the argument of the hook `vidan_components`.

    They are added to the registry after all hooks of the plugin have succeeded.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self.components: list[Component] = []

    def add(self, kind: str, name: str, target: str, extra: str | None = None) -> None:
        """Register a component of this plugin.

        Args:
            kind: a name in `vidan.kinds.KINDS`, such as `detector`.
            name: by which users choose it.
            target: `package.module:Class`, imported on first use.
            extra: the extra of the plugin's package that it needs, if any.

        Raises:
            PluginError: the kind does not exist, or the target is malformed.
        """
        if kind not in KINDS:
            raise PluginError(
                f"component {name!r}: unknown kind {kind!r}, {did_you_mean(kind, KINDS)}"
            )
        if ":" not in target:
            raise PluginError(f"{kind} {name!r}: expected 'package.module:Name', got {target!r}")
        self.components.append(Component(kind, name, target, extra, self.package))
