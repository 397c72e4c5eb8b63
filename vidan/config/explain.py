"""Turn errors of Hydra and OmegaConf into one line that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
)
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ..errors import ConfigError, did_you_mean
from ..registry.discovery import load_plugins
from ..support.secrets import redacted, redacted_override
from .groups import groups
from .quoting import advice, is_readable, literal
from .search_path import RUN, Start, compose_with_hydra
from .shortcuts import names_source


@contextmanager
def explained(overrides: Sequence[str], start: Start = RUN) -> Iterator[None]:
    """Raise errors of Hydra and OmegaConf as a ConfigError of one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError, TypeError) as error:
        # ValueError and TypeError: of Hydra, for `source=5` and `sink=[1]`.
        GlobalHydra.instance().clear()
        raise ConfigError(redacted(_explain(error, overrides, start))) from error


def _explain(error: Exception, overrides: Sequence[str], start: Start) -> str:
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _explain_option(error.missing_cfg_file)
    text = " ".join(str(error).split())
    if isinstance(error, YAMLError):
        return f"not a YAML file: {text}"
    if not isinstance(error, HydraException | OmegaConfBaseException):
        chosen = [o for o in overrides if o.lstrip("+~").partition("=")[0] in groups()]
        listed = ", ".join(map(repr, chosen))
        return f"{listed}: expected names of options, as in sink=[video,jsonl] ({text})"
    if found := re.match(r"Could not override '([^']+)'", text):
        return _explain_key(found[1], overrides, start)
    for override in overrides:
        shown = redacted_override(override)
        if not is_readable(override):
            if names_source(override) and (start == RUN or start.folder is not None):
                return f"cannot understand {shown!r}: a source comes first: vidan {shown} ..."
            return f"cannot understand {shown!r}: {_expected(shown)}"
        if isinstance(error, ConfigCompositionException) and _is_sweep(override):
            lone = override.partition("=")[0] in groups()
            other = "choose one of them" if lone else advice(shown)
            return f"{shown!r}: add -m to run once for each value, or {other}"
        if text.startswith("Error merging override") and override in text:
            typed = _without_quotes(shown)
            return f"cannot understand {typed!r}: expected ${{key}}, or {advice(typed, literal)}"
    return text


def _expected(override: str) -> str:
    if "=" not in override:
        return "expected key=value"
    return f"expected a list as key=[a,b], or {advice(override)}"


def _without_quotes(override: str) -> str:
    value = OverridesParser.create().parse_override(override).value()
    return f"{override.partition('=')[0]}={value}" if isinstance(value, str) else override


def _is_sweep(override: str) -> bool:
    return OverridesParser.create().parse_override(override).is_sweep_override()


def _explain_option(missing: str) -> str:
    """Why `<group>/<name>` does not exist: similar names, and plugins that were left out."""
    group, _, name = missing.rpartition("/")
    known = groups().get(group, {})
    failed = load_plugins().failures
    left_out = "".join(f"; plugin {p!r} was left out: {why}" for p, why in failed.items())
    return f"unknown {group or 'configuration'} {name!r}: {did_you_mean(name, known)}{left_out}"


def _explain_key(key: str, overrides: Sequence[str], start: Start) -> str:
    """Why `a.b.c` is not in the configuration: similar names next to it."""
    chosen = [o for o in overrides if o.partition("=")[0] in groups()]
    try:
        node: Any = compose_with_hydra(chosen, start)
    except HydraException:
        GlobalHydra.instance().clear()
        return f"key {key!r} cannot be set: choose {key}=<name> first"
    path = key.lstrip("+~").split(".")
    for depth, part in enumerate(path):
        if not OmegaConf.is_dict(node):
            break
        if part not in node:
            inside = f" in {'.'.join(path[:depth])!r}" if depth else ""
            known = [str(k) for k in node if k != "name"] + ([] if depth else list(groups()))
            having = _options_with(path[0], part, start) if depth == 1 else []
            if having:
                is_now = f", which is {node['name']!r}" if "name" in node else ""
                hint = f"choose {' or '.join(having)} first"
                return f"unknown key {part!r}{inside}{is_now}: {hint}"
            return f"unknown key {part!r}{inside}: {did_you_mean(part, known)}"
        node = node[part]
    return f"key {key!r} cannot be set"


def _options_with(group: str, key: str, start: Start) -> list[str]:
    """The options of a group that have a key, such as `source=file`."""
    found = []
    for name in groups().get(group, {}):
        try:
            node = compose_with_hydra([f"{group}={name}"], start).get(group)
        except (HydraException, OmegaConfBaseException):
            GlobalHydra.instance().clear()
            continue
        if OmegaConf.is_dict(node) and key in list(node):  # also if it is ???
            found.append(f"{group}={name}")
    return found
