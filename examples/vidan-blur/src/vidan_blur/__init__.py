"""A sink for vidan: what is here is imported by every run, so keep it light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidan import hookimpl

if TYPE_CHECKING:
    from vidan.registry.components import Registrar

vidan_api = 1  # what this plugin was written for


@hookimpl
def vidan_components(registry: Registrar) -> None:
    """Add the sink."""
    registry.add("sink", "blur", "vidan_blur.sink:Blur")


@hookimpl
def vidan_config() -> str:
    """Where the configuration is."""
    return "pkg://vidan_blur.conf"
