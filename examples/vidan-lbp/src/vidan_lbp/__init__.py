"""A detector for vidan. Every run imports this module, so it must import quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidan import hookimpl

if TYPE_CHECKING:
    from vidan.registry.components import Registrar

vidan_api = 1  # version of the interfaces


@hookimpl
def vidan_components(registry: Registrar) -> None:
    """Add the detector."""
    registry.add("detector", "lbp", "vidan_lbp.detector:Lbp")


@hookimpl
def vidan_config() -> str:
    """The folder of the configuration."""
    return "pkg://vidan_lbp.conf"
