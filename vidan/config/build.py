"""Build a component from its configuration, and check the options it is given."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from ..errors import ConfigError, PluginError, VidanError, did_you_mean
from ..registry.components import Component
from ..registry.discovery import load_plugins
from .check import check


def build(kind: str, config: Mapping[str, Any], where: str | None = None) -> Any:
    """Make the component that a configuration names.

    Args:
        kind: a name in `vidan.kinds.KINDS`, such as `detector`.
        config: `name`, and keyword arguments of its constructor.
        where: its place in the whole configuration, for errors; the kind if None.

    Raises:
        ConfigError: a key that it does not have, one that is missing, or a bad value.
        PluginError: there is no such component, it cannot be imported, or it raised.
        VidanError: what else the component itself said.
    """
    where = where or kind
    if not isinstance(config, Mapping | DictConfig):
        raise ConfigError(f"{where}={config!r}: expected the name of a {kind} and its options")
    arguments = _plain(where, config)
    name = arguments.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(f"{where}.name: expected the name of a {kind}, got {name!r}")
    component = load_plugins().registry.get(kind, name)
    target = component.load()
    _check_keys(where, component, target, arguments)
    for key, hint in _hints(target).items():
        if key in arguments:
            check(f"{where}.{key}", arguments[key], hint)
    try:
        return target(**arguments)
    except (ConfigError, ValueError) as error:
        # A component names its option; only the caller knows where that option is set.
        option = re.match(r"(\w+)(?=[=:.[]| and )", str(error))
        if option is not None and option[0] in inspect.signature(target).parameters:
            raise ConfigError(f"{where}.{error}") from error
        if isinstance(error, ConfigError):
            raise
        raise PluginError(
            f"{kind} {name!r} cannot be made: {type(error).__name__}: {error}"
        ) from error
    except VidanError:
        raise
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} cannot be made: {type(error).__name__}: {error}"
        ) from error


def _plain(where: str, config: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(config, DictConfig):
        return dict(config)
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        key = str(error.full_key)
        if not key.startswith(f"{where}."):  # not a part of a whole configuration
            key = f"{where}.{key}"
        raise ConfigError(f"missing {key}: set {key}=<value>") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{where}: {' '.join(str(error).split())}") from error
    return typing.cast(dict[str, Any], plain)


def _check_keys(
    where: str, component: Component, target: Callable[..., Any], arguments: Mapping[str, Any]
) -> None:
    """Hold the keys against the constructor's signature."""
    title = f"{component.kind} {component.name!r}"
    parameters = inspect.signature(target).parameters.values()
    named = {p.name: p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for key in arguments:
        if key not in named and not takes_any:
            raise ConfigError(f"{title} has no key {key!r}: {did_you_mean(str(key), named)}")
    for key, parameter in named.items():
        if parameter.default is parameter.empty and key not in arguments:
            raise ConfigError(f"missing {where}.{key} of {title}: set {where}.{key}=<value>")


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    constructor = vars(target).get("__init__", target) if isinstance(target, type) else target
    try:
        return typing.get_type_hints(constructor, include_extras=True)
    except Exception:  # a plugin's annotations may not resolve; then nothing is checked
        return {}
