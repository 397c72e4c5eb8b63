"""Build a component from its options, and check them against its constructor."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ..errors import ConfigError, PluginError, VidanError, did_you_mean
from ..kinds import KINDS
from ..registry.components import Component
from ..registry.discovery import load_plugins
from ..scene import SceneContext
from .check import check
from .resolve import resolved


@dataclass(frozen=True, slots=True)
class RunContext:
    """Which run it is.

    Attributes:
        id: unique, and the same when the run is resumed.
        began: when it first started, s since 1970.
        live: whether its frames arrive now, as from a camera.
        stream: name for files that belong to its stream, the same in every run of it.
        directory: of its outputs.
    """

    id: str
    began: float
    live: bool
    stream: str
    directory: Path


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What a component may learn about the run that it is built for.

    A constructor asks for one of these values by a keyword of the same name. The value is passed
    unless the configuration sets that key, so the component's YAML file leaves the key out.

    Attributes:
        workers: threads that call the detector at the same time; None if not known yet.
        scene: lines and zones in the view of the camera; None if not known yet.
        analyzers: names of the analyzers that are called before this one.
        live_source: whether frames arrive now, as from a camera; None if not known yet.
        streams: number of streams of the run; None except for sources.
        shared: what the analyzers of a stream have in common, so that it is computed only once, by
            names of their choice; empty at first. None for other components.
        run: which run it is; None except for sinks.
        job_threads: compute threads of each job; None except for runners.
    """

    workers: int | None = None
    scene: SceneContext | None = None
    analyzers: tuple[str, ...] | None = None
    live_source: bool | None = None
    streams: int | None = None
    shared: MutableMapping[str, Any] | None = None
    run: RunContext | None = None
    job_threads: int | None = None


CONTEXT_KEYS = frozenset(each.name for each in fields(BuildContext))
"""Keywords of a constructor that come from the `BuildContext`."""


def build(
    kind: str,
    config: Mapping[str, Any],
    where: str | None = None,
    context: BuildContext | None = None,
) -> Any:
    """Build the component that a configuration names.

    Args:
        kind: a name in `vidan.kinds.KINDS`, such as `detector`.
        config: `name`, and keyword arguments of its constructor.
        where: its key in the whole configuration, for errors; the kind if None.
        context: the run that it is built for; None outside of a run.

    Raises:
        ConfigError: an unknown or missing key, or a bad value.
        PluginError: the component does not exist, cannot be imported, or raised an error that is
            not a `VidanError`.
        VidanError: the component raised it.
    """
    where = where or kind
    arguments = _plain(kind, where, config)
    name = arguments.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(f"{where}.name: expected the name of {KINDS[kind].noun}, got {name!r}")
    component = load_plugins().registry.get(kind, name)
    target = component.load()
    arguments = _from_context(target, context) | arguments
    _check_keys(component, target, arguments)
    for key, hint in hints(target).items():
        if key in arguments:
            check(f"{where}.{key}", arguments[key], hint)
    _check_complete(where, component, target, arguments)
    return _call(component, where, target, arguments)


def hints(target: Callable[..., Any]) -> dict[str, Any]:
    """The type hints of a constructor's parameters; empty if they cannot be resolved."""
    constructor = vars(target).get("__init__", target) if isinstance(target, type) else target
    try:
        return typing.get_type_hints(constructor, include_extras=True)
    except Exception:  # names that a plugin imports for type checkers only
        return {}


def keywords(target: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a constructor that can be set by name."""
    parameters = inspect.signature(target).parameters.values()
    return {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def _plain(kind: str, where: str, config: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(config, DictConfig):
        return resolved(config, where)
    if not isinstance(config, Mapping):
        raise ConfigError(
            f"{where}={config!r}: expected the name of {KINDS[kind].noun} and its options"
        )
    return dict(config)


def _check_keys(
    component: Component, target: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
    """Check that the constructor has the keys."""
    named = keywords(target)
    parameters = inspect.signature(target).parameters.values()
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for key in arguments:
        if key not in named and not takes_any:
            near = did_you_mean(str(key), named)
            raise ConfigError(f"{component.title} has no key {key!r}: {near}")


def _check_complete(
    where: str, component: Component, target: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
    """Check that no key without a default is missing."""
    for key, parameter in keywords(target).items():
        if parameter.default is parameter.empty and key not in arguments:
            raise ConfigError(
                f"missing {where}.{key} of {component.title}: set {where}.{key}=<value>"
            )


def _from_context(target: Callable[..., Any], context: BuildContext | None) -> dict[str, Any]:
    if context is None:
        return {}
    asked = CONTEXT_KEYS & keywords(target).keys()
    return {key: value for key in asked if (value := getattr(context, key)) is not None}


def _call(
    component: Component, where: str, target: Callable[..., Any], arguments: Mapping[str, Any]
) -> Any:
    try:
        return target(**arguments)
    except (ConfigError, ValueError) as error:
        # A component names its option; only the caller knows where that option is set.
        option = re.match(r"(\w+)(?=[=:.[]| and )", str(error))
        if option is not None and option[0] in keywords(target).keys() - CONTEXT_KEYS:
            raise ConfigError(f"{where}.{error}") from error
        if isinstance(error, ConfigError):
            raise
        raise _failed(component, error) from error
    except (VidanError, KeyboardInterrupt):
        raise
    except BaseException as error:  # libraries in Rust raise errors that are no Exception
        raise _failed(component, error) from error


def _failed(component: Component, error: BaseException) -> PluginError:
    return PluginError(f"{component.title} cannot be built: {type(error).__name__}: {error}")
