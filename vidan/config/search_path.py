"""Hydra's search path: the built-in config groups, then those of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import NamedTuple

import hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig

from ..registry.discovery import load_plugins
from .groups import CONFIG_MODULE

HYDRA_VERSION = "1.3"

_FOLDER: ContextVar[str | None] = ContextVar("folder", default=None)
"""`Start.folder` of the configuration that is being composed."""


class PluginConfigs(SearchPathPlugin):
    """Appends the config groups of plugins, so that they never shadow built-in ones."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the results of the hooks `vidan_config`."""
        for path in load_plugins().configs:
            search_path.append("vidan-plugin", path)
        if folder := _FOLDER.get():
            search_path.append("command-line", f"file://{folder}")


class Start(NamedTuple):
    """What a configuration starts from.

    Attributes:
        name: of a file, without `.yaml`.
        folder: that is searched after `conf/`, as with `--config-dir`; None for no other.
    """

    name: str = "config"
    folder: str | None = None


RUN = Start()
"""The configuration of a run, `conf/config.yaml`."""


def compose_with_hydra(overrides: Sequence[str], start: Start = RUN) -> DictConfig:
    """A configuration as Hydra composes it; errors are those of Hydra."""
    state = GlobalHydra.instance()
    outer, state.hydra = state.hydra, None  # of a program that runs with Hydra, such as vidan
    before = _FOLDER.set(start.folder)
    try:
        with hydra.initialize_config_module(CONFIG_MODULE, version_base=HYDRA_VERSION):
            return hydra.compose(start.name, overrides=list(overrides))
    finally:
        state.hydra = outer
        _FOLDER.reset(before)
