"""What hooks are told about a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..runtime.pipeline import Pipeline

if TYPE_CHECKING:  # OmegaConf would be most of the time that `vidan --help` takes
    from omegaconf import DictConfig


@dataclass(frozen=True)
class Run:
    """A run that is about to start.

    Attributes:
        directory: the folder of its outputs.
        config: its configuration.
        pipeline: its components and their statistics.
    """

    directory: Path
    config: DictConfig
    pipeline: Pipeline
