"""The bridge to Hydra: where configuration is found, and what is built from it."""

from __future__ import annotations

import inspect
import os
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import msgspec
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins as HydraPlugins
from hydra.errors import HydraException, MissingConfigException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from .errors import ConfigError, PluginError, VidanError, did_you_mean
from .groups import CONFIG_MODULE, groups
from .plugins import Component, load_plugins

HYDRA_VERSION = "1.3"
MULTIRUN = ("-m", "--multirun")


class PluginConfigs(SearchPathPlugin):
    """Appends the config groups of plugins: behind ours, so that they add and never shadow."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append what the plugins' `vidan_config` hooks named."""
        for path in load_plugins().configs:
            search_path.append("vidan-plugin", path)


def load_local(overrides: Sequence[str]) -> None:
    """Load the single-file plugins of `plugins_dir=`, and make options of their components.

    What such a component takes is read from its constructor: there is no file for it.
    """
    named = [o.partition("=")[2] for o in overrides if o.startswith("plugins_dir=")]
    if not named or named[-1] in ("", "null"):
        return
    found = load_plugins()
    folder = Path(named[-1]).expanduser()
    if folder in _LOADED:
        return
    found.add_folder(folder)
    _LOADED.add(folder)
    for component in found.local:
        package = f"sink.{component.name}" if component.kind == "sink" else None
        ConfigStore.instance().store(
            group=component.kind,
            name=component.name,
            node={"name": component.name, **_defaults(component.load())},
            package=package,
            provider="plugins_dir",
        )


_LOADED: set[Path] = set()
"""The plugin folders that were loaded: a process loads each once."""


def _defaults(target: Callable[..., Any]) -> dict[str, Any]:
    """The keyword arguments of a constructor with their defaults, `???` for what has none."""
    return {
        p.name: MISSING if p.default is p.empty else p.default
        for p in inspect.signature(target).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    }


def compose(overrides: Sequence[str] = (), config_name: str = "config") -> DictConfig:
    """The configuration that `vidan <overrides>` would run with.

    Without a run there is no run directory: name one by `run_dir=...` where it matters.

    Raises:
        ConfigError: an override cannot be understood or names what does not exist.
    """
    HydraPlugins.instance().register(PluginConfigs)
    load_local(overrides)
    with explained(overrides, config_name):
        return _compose(overrides, config_name)


def _compose(overrides: Sequence[str], config_name: str = "config") -> DictConfig:
    with hydra.initialize_config_module(CONFIG_MODULE, version_base=HYDRA_VERSION):
        return hydra.compose(config_name, overrides=list(overrides))


def run_hydra(
    task: Callable[[DictConfig], None], arguments: Sequence[str], config_name: str = "config"
) -> None:
    """Run a task as Hydra does: compose, run directory, multirun, `--cfg` and the like.

    Args:
        task: gets the configuration; its exceptions must not leave it.
        arguments: Hydra's command line.
        config_name: of the file in `conf/` to begin with.

    Raises:
        ConfigError: an override cannot be understood or names what does not exist.
    """
    HydraPlugins.instance().register(PluginConfigs)
    load_local(arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions come to us, not to Hydra's printer
    # In front: argparse takes overrides on one side of an option only.
    sys.argv[1:] = sorted(arguments, key=lambda argument: argument not in MULTIRUN)
    decorate = hydra.main(f"pkg://{CONFIG_MODULE}", config_name, version_base=HYDRA_VERSION)
    overrides = [argument for argument in arguments if not argument.startswith("-")]
    with explained(overrides, config_name):
        decorate(task)()


@contextmanager
def explained(overrides: Sequence[str], config_name: str = "config") -> Iterator[None]:
    """Turn what Hydra and OmegaConf raise into a ConfigError of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError, TypeError) as error:
        # Hydra's own of `source=5` and `sink=[1]`
        GlobalHydra.instance().clear()
        raise ConfigError(_explain(error, overrides, config_name)) from error


def _explain(error: Exception, overrides: Sequence[str], config_name: str) -> str:
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _explain_option(error.missing_cfg_file)
    text = " ".join(str(error).split())
    if not isinstance(error, HydraException | OmegaConfBaseException):
        chosen = [o for o in overrides if o.lstrip("+~").partition("=")[0] in groups()]
        said = ", ".join(map(repr, chosen))
        return f"{said}: options have names, as in source=file or sink=[video,jsonl] ({text})"
    if found := re.match(r"Could not override '([^']+)'", text):
        return _explain_key(found[1], overrides, config_name)
    for override in overrides:
        try:
            OverridesParser.create().parse_override(override)
        except HydraException:
            return f"cannot understand {override!r}: expected key=value, lists as key=[a,b]"
    return text


def _explain_option(missing: str) -> str:
    """Why `<group>/<name>` is not there: the near names, and the plugins left out."""
    group, _, name = missing.rpartition("/")
    known = groups().get(group, {})
    failed = load_plugins().failures
    left_out = "".join(f"; plugin {p!r} was left out: {why}" for p, why in failed.items())
    return f"unknown {group} {name!r}: {did_you_mean(name, known)}{left_out}"


def _explain_key(key: str, overrides: Sequence[str], config_name: str) -> str:
    """Why `a.b.c` is not in the configuration: the near names beside it."""
    chosen = [o for o in overrides if o.partition("=")[0] in groups()]
    try:
        node: Any = _compose(chosen, config_name)
    except HydraException:
        GlobalHydra.instance().clear()
        return f"key {key!r} cannot be set: say which {key} by its name"
    path = key.lstrip("+~").split(".")
    for depth, part in enumerate(path):
        if not OmegaConf.is_dict(node):
            break
        if part not in node:
            inside = f" in {'.'.join(path[:depth])!r}" if depth else ""
            known = [str(k) for k in node if k != "name"] + ([] if depth else list(groups()))
            return f"unknown key {part!r}{inside}: {did_you_mean(part, known)}"
        node = node[part]
    return f"key {key!r} cannot be set"


def build(kind: str, config: Mapping[str, Any], where: str | None = None) -> Any:
    """Make the component that a configuration names.

    Args:
        kind: `source`, `detector`, `tracker` or `sink`.
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
            _check_value(f"{where}.{key}", arguments[key], hint)
    try:
        return target(**arguments)
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
        key = error.full_key or error.key
        raise ConfigError(f"{key} is missing: say {key}=<value>") from error
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
            raise ConfigError(f"{title} needs a value: say {where}.{key}=<value>")


def _hints(target: Callable[..., Any]) -> dict[str, Any]:
    constructor = vars(target).get("__init__", target) if isinstance(target, type) else target
    try:
        return typing.get_type_hints(constructor)
    except Exception:  # a plugin's annotations may not resolve; then nothing is checked
        return {}


def _check_value(key: str, value: object, hint: Any) -> None:
    def leave(_type: type, _value: object) -> None:
        raise NotImplementedError  # a type that no YAML file could hold: the component decides

    try:
        msgspec.convert(value, hint, strict=True, dec_hook=leave)
    except msgspec.ValidationError as error:
        text = str(error)
        raise ConfigError(f"{key}: {text[:1].lower()}{text[1:]}, not {value!r}") from error
    except (NotImplementedError, TypeError):
        return
