"""The pluggy hooks a plugin can implement. Called once per run at most, never per frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from omegaconf import DictConfig

from ..runtime.pipeline import Pipeline

if TYPE_CHECKING:
    from .commands import Check, Commands
    from .components import Registrar


hookspec = pluggy.HookspecMarker("vidan")


hookimpl = pluggy.HookimplMarker("vidan")


@hookspec
def vidan_components(registry: Registrar) -> None:
    """Add components: `registry.add("detector", "foo", "my_package.foo:Foo")`."""


@hookspec
def vidan_config() -> str:  # type: ignore[empty-body]
    """Where the plugin's config groups are: `pkg://my_package.conf`."""


@hookspec
def vidan_commands(commands: Commands) -> None:
    """Add sub-commands: `commands.add("train", "my_package.train:main", "Train a detector.")`.

    A name of two words, such as `eval speed`, puts it beside others of the same first word,
    whichever plugin they come from.
    """


@hookspec
def vidan_run_started(run: Run) -> None:
    """A run is about to start."""


@hookspec
def vidan_run_finished(summary: dict[str, Any], error: BaseException | None) -> None:
    """A run has ended, well or with an error; `summary` is what `summary.json` holds."""


@hookspec
def vidan_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """What `vidan doctor` should look at on this machine."""


@dataclass(frozen=True)
class Run:
    """What the hooks learn of a run: where it writes, what it was configured with, its parts."""

    directory: Path
    config: DictConfig
    pipeline: Pipeline
