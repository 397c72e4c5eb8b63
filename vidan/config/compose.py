"""Compose the configuration with Hydra."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins as HydraPlugins
from omegaconf import MISSING, DictConfig

from ..errors import ConfigError
from ..kinds import KINDS
from ..registry.discovery import load_plugins, with_folder
from ..support.secrets import redacted_override
from .build import CONTEXT_KEYS, keywords
from .explain import explained
from .groups import CONFIG_MODULE
from .jobs import check
from .quoting import quoted
from .run_mode import MULTIRUN, known_run_mode
from .search_path import HYDRA_VERSION, RUN, PluginConfigs, Start, compose_with_hydra

_COMPOSING = threading.RLock()
"""Hydra keeps what it is composing in a global variable, so one thread composes at a time."""

SCENE_SUFFIXES = (".yaml", ".yml")
"""Ends of `scene=<value>` if that is a file and not an option of the config group."""

OPTIONS = (
    *("--cfg", "--config-dir", "--config-name", "--config-path", "--experimental-rerun", "--help"),
    *("--hydra-help", "--info", "--multirun", "--package", "--resolve", "--run"),
    *("--shell-completion", "--version", "-c", "-h", "-i", "-m", "-p", "-r", "-sc"),
)
"""Options of Hydra's command line."""

SWITCH = re.compile(r"sink\.(?:clips|snapshots|video|web|window)\.draw")
"""Keys that turn a sink's drawing on or off."""


def load_local(overrides: Sequence[str]) -> None:
    """Load the single-file plugins of `plugins_dir=`, and add their components as options.

    Those of the folder in the environment variable `VIDAN_PLUGINS_DIR` are loaded already.
    Such a component has no YAML file: its keys and defaults are those of its constructor.
    """
    with_folder(overrides)
    for component in load_plugins().local:
        ConfigStore.instance().store(
            group=component.kind,
            name=component.name,
            node={"name": component.name, **_defaults(component.load())},
            package=KINDS[component.kind].key(component.name),
            provider="plugins_dir",
        )


def _defaults(target: Callable[..., Any]) -> dict[str, Any]:
    """The keywords of a constructor with their defaults, `???` for one without."""
    return {
        name: MISSING if parameter.default is parameter.empty else parameter.default
        for name, parameter in keywords(target).items()
        if name not in CONTEXT_KEYS
    }


def with_added_keys(overrides: Iterable[str]) -> list[str]:
    """The overrides, with a `+` before the keys of a component that an override adds.

    >>> with_added_keys(["+sink.archive.name=video", "sink.archive.crf=18", "max_frames=9"])
    ['+sink.archive.name=video', '+sink.archive.crf=18', 'max_frames=9']
    """
    given = list(overrides)
    names = [re.match(r"\+(\w+\.[\w-]+\.)name=", override) for override in given]
    added = tuple(found[1] for found in names if found is not None)
    return [f"+{o}" if added and o.startswith(added) else o for o in given]


def with_scene(overrides: Iterable[str]) -> list[str]:
    """The overrides, with `scene=street.yaml` as the option `file` of the config group `scene`.

    Shapes can be set without a plus, since their names are free. They replace those of the demo.

    >>> with_scene(["scene=street.yaml", "scene.lines.door.in=left"])
    ['scene=file', 'scene.path=street.yaml', '++scene.lines.door.in=left']
    >>> with_scene(["scene.lines.door.in=left"])
    ['scene=none', '++scene.lines.door.in=left']
    """
    given = [override.partition("=") for override in overrides]
    keys = {key for key, _, _ in given}
    has_shapes = any(key.startswith("scene.") for key in keys)
    alone = "scene" not in keys and (has_shapes or "~source" in keys)
    found = ["scene=none"] if alone else []
    for key, equals, value in given:
        if key == "scene" and value.strip("'\"").endswith(SCENE_SUFFIXES):
            found += ["scene=file", f"scene.path={value}"]
        elif key.startswith("scene.") and key != "scene.path":
            found.append(f"++{key}{equals}{value}")
        else:
            found.append(key + equals + value)
    return found


def with_drawing(overrides: Iterable[str]) -> list[str]:
    """The overrides, with `drawing=null` for `draw=false` of a sink that shows images.

    >>> with_drawing(["sink.video.draw=false", "sink.web.draw=true", "max_frames=9"])
    ['sink.video.drawing=null', 'max_frames=9']
    """
    found = []
    for override in overrides:
        key, _, value = override.partition("=")
        if not SWITCH.fullmatch(key) or value.lower() not in ("true", "false"):
            found.append(override)
        elif value.lower() == "false":
            found.append(f"{key}ing=null")
    return found


def prepared(overrides: Iterable[str]) -> list[str]:
    """The overrides as Hydra understands them."""
    return quoted(with_added_keys(with_scene(with_drawing(overrides))))


def _with_run_dir(overrides: Iterable[str]) -> list[str]:
    """The overrides, with `run_dir` for `hydra.run.dir`, which Hydra would create at once."""
    return [o.replace("hydra.run.dir=", "run_dir=", 1) for o in overrides]


def chosen_groups(overrides: Iterable[str]) -> set[str]:
    """The config groups, and other keys, that overrides set, such as `sink` in `sink=[video]`."""
    return {override.lstrip("+~").partition("=")[0] for override in overrides}


def compose(
    overrides: Sequence[str] = (), config_name: str = "config", folder: str | None = None
) -> DictConfig:
    """The configuration of `vidan <overrides>`, or of a command with its own configuration.

    Args:
        overrides: as on the command line. `hydra.run.dir=` sets `run_dir`; other settings of
            Hydra itself have no effect.
        config_name: the file to start from, in `conf/` or `folder`.
        folder: that is searched after `conf/`, as with `--config-dir`.

    Raises:
        ConfigError: an override is malformed or names something that does not exist.
    """
    start = Start(config_name, folder)
    plain = _with_run_dir(overrides)
    overrides = prepared(o for o in plain if not o.startswith("hydra."))
    with _COMPOSING, explained(overrides, start):
        HydraPlugins.instance().register(PluginConfigs)
        load_local(overrides)
        return compose_with_hydra(overrides, start)


def run_hydra(
    task: Callable[[DictConfig], None], arguments: Sequence[str], start: Start = RUN
) -> None:
    """Run a task with Hydra, which handles the run directory, multirun, `--cfg` and so on.

    Args:
        task: called with the configuration; it must not raise an `Exception`.
        arguments: Hydra's command line.
        start: the file to start from.

    Raises:
        ConfigError: an override is malformed or names something that does not exist.
    """
    _check_options(arguments)
    HydraPlugins.instance().register(PluginConfigs)
    is_run = start == RUN or start.folder is not None
    if is_run and not set(MULTIRUN) & set(arguments):
        arguments = _with_run_dir(arguments)
    arguments = prepared(arguments)
    load_local(arguments)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # raise errors instead of printing them
    if start.folder is not None:
        check(start)
    # Options first: argparse accepts positional arguments on one side of an option only.
    options = [] if start.folder is None else ["--config-dir", start.folder]
    sys.argv[1:] = [*options, *sorted(arguments, key=lambda argument: argument not in MULTIRUN)]
    decorate = hydra.main(f"pkg://{CONFIG_MODULE}", start.name, version_base=HYDRA_VERSION)
    overrides = [argument for argument in arguments if not argument.startswith("-")]
    with explained(overrides, start), known_run_mode(arguments, start):
        decorate(task)()


def _check_options(arguments: Sequence[str]) -> None:
    """Reject other options than Hydra's: its parser would show what follows, as `--token secret`.

    It also accepts their beginnings, and short ones with their value, as in `-cjob`.
    """
    for argument in arguments:
        name = argument.partition("=")[0]
        known = any(o.startswith(name) if o[1] == "-" else name.startswith(o) for o in OPTIONS)
        if argument.startswith("-") and not known:
            shown = redacted_override(argument)
            raise ConfigError(f"unknown option {shown!r}: options of a run are key=value")
