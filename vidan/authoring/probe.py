"""Load one entry point in a new process, and print its checks as JSON.

`python -m vidan.authoring.probe <package> <entry point> <its value, or a .py file>`
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.config.build import CONTEXT_KEYS, keywords
from vidan.config.groups import option_file
from vidan.errors import VidanError, did_you_mean
from vidan.kinds import KINDS
from vidan.registry import hookspecs
from vidan.registry.commands import Check
from vidan.registry.components import Component, Package
from vidan.registry.discovery import API, GROUP, Plugins, declared_api, load_file, load_plugins

HEAVY = ("tensorflow", "torch", "keras", "jax", "cv2", "onnxruntime", "openvino", "av", "scipy")
"""Libraries that must not be imported before a component is chosen: each takes 0.1 s or more."""

HOOKS = [name for name in vars(hookspecs) if name.startswith("vidan_")]


def probe(package: str, name: str, value: str) -> Iterator[Check]:
    """The checks of an entry point."""
    before = set(sys.modules)
    try:
        plugin = _load(name, value)
    except Exception as error:
        yield Check(f"import of {name}", "problem", f"{type(error).__name__}: {error}")
        return
    yield _imports(set(sys.modules) - before)
    yield _api(plugin)
    yield from _functions(plugin)
    found = Plugins()
    found.add(name, lambda: plugin, Package(package, ""))
    if name in found.failures:
        yield Check("hooks", "problem", found.failures[name])
        return
    implemented = [h.name for h in found.manager.get_hookcallers(plugin) or ()]
    state = "ok" if implemented else "problem"
    yield Check("hooks", state, ", ".join(implemented) or f"none of {', '.join(HOOKS)}")
    for component in found.registry:
        yield from _component(component)
        if not value.endswith(".py"):  # a single file has no configuration files
            yield _config(component, found.configs)


def _load(name: str, value: str) -> object:
    if value.endswith(".py"):
        return load_file(Path(value))
    return importlib.metadata.EntryPoint(name, value, GROUP).load()


def _imports(modules: set[str]) -> Check:
    heavy = [name for name in HEAVY if name in modules]
    if heavy:
        return Check(
            "imports",
            "problem",
            f"{', '.join(heavy)} at discovery, which slows down every run: import it in the "
            "module of the component",
        )
    return Check("imports", "ok", "nothing heavy at discovery")


def _api(plugin: object) -> Check:
    try:
        declared = declared_api(plugin)
    except VidanError as error:
        return Check("API", "problem", str(error))
    if declared is None:
        return Check("API", "note", f"not declared: set vidan_api = {API} in the plugin's module")
    return Check("API", "ok", str(declared))


def _functions(plugin: object) -> Iterator[Check]:
    """Functions that are named like hooks but are not hooks."""
    for name, member in inspect.getmembers(plugin, callable):
        if not name.startswith("vidan_"):
            continue
        if not hasattr(member, "vidan_impl"):
            near = (
                "" if name in HOOKS else f", and no hook has that name: {did_you_mean(name, HOOKS)}"
            )
            yield Check(name, "problem", f"lacks @hookimpl, so it is never called{near}")


def _component(component: Component) -> Iterator[Check]:
    title = f"{component.kind} {component.name}"
    others = [
        c.package.name
        for c in load_plugins().registry
        if (c.kind, c.name) == (component.kind, component.name)
        and _normal(c.package.name) != _normal(component.package.name)
    ]
    if others:
        yield Check(title, "problem", f"the name is taken by {', '.join(others)}: choose another")
    try:
        target = component.load()
    except VidanError as error:
        yield Check(title, "note" if component.missing() else "problem", str(error))
        return
    # Methods only: attributes may be set by the constructor.
    lacking = KINDS[component.kind].missing_methods(target)
    if isinstance(target, type) and lacking:
        yield Check(title, "problem", f"{target.__name__} lacks {', '.join(lacking)}")
    elif not (inspect.getdoc(target) or "").strip():
        yield Check(title, "note", "no docstring for `vidan plugins show`")
    else:
        yield Check(title, "ok", component.target)


def _normal(package: str) -> str:
    return package.lower().replace("_", "-")


def _config(component: Component, paths: list[str]) -> Check:
    """Compare the configuration file with the constructor."""
    title = f"{component.kind}/{component.name}.yaml"
    file = option_file(component.kind, component.name, paths)
    if file is None:
        return Check(
            title, "note",
            f"does not exist: it can be chosen only by its keys ({component.kind}.name=…); see the "
            "hook vidan_config",
        )  # fmt: skip
    try:
        wrong = _wrong(component, component.load(), file.read_text(encoding="utf-8"))
    except VidanError as error:
        return Check(title, "note", f"not compared with the constructor: {error}")
    return Check(title, "problem" if wrong else "ok", wrong or "matches the constructor")


def _wrong(component: Component, target: Any, text: str) -> str:
    """The difference between a configuration file and a constructor; "" if there is none."""
    try:
        config = OmegaConf.create(text)
    except Exception as error:
        return f"not YAML: {' '.join(str(error).split())}"
    if not isinstance(config, DictConfig):
        return "expected lines of key: value"
    kind = KINDS[component.kind]
    package = f"# @package {kind.key(component.name)}"
    if kind.many and package not in text:
        return f"begin the file of {kind.noun} with the line {package}"
    if config.get("name") != component.name:
        return f"its name is {config.get('name')!r}, not {component.name!r}"
    named = inspect.signature(target).parameters
    keys = [str(key) for key in config if key != "name"]
    any_key = any(p.kind is p.VAR_KEYWORD for p in named.values())
    for key in keys:
        if key not in named and not any_key:
            return f"{key!r} is not an argument of the constructor: {did_you_mean(key, named)}"
    missing = keywords(target).keys() - CONTEXT_KEYS - set(keys)
    return f"lacks {', '.join(sorted(missing))}, which the constructor accepts" if missing else ""


if __name__ == "__main__":
    found = [check._asdict() for check in probe(*sys.argv[1:4])]
    sys.stdout.write("\n" + json.dumps(found) + "\n")
