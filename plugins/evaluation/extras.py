"""Imports what an extra of vidan brings, or says how to install it."""

from __future__ import annotations

import importlib
from typing import Any

from vidan.errors import PluginError


def load(module: str, extra: str) -> Any:
    """A module of an optional dependency.

    Raises:
        PluginError: it is not installed; says which extra brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise PluginError(
            f"{package} is not installed: pip install 'vidan[{extra}]' ({error})"
        ) from error
