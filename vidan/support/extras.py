"""Packages that an extra of vidan installs: import them, or say how to install them."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import PluginError


def install(package: str, extra: str | None = None) -> str:
    """The command that installs a package, with an extra.

    >>> install("vidan", "web"), install("pandas")
    ("pip install 'vidan[web]'", 'pip install pandas')
    """
    return f"pip install {package}" if extra is None else f"pip install '{package}[{extra}]'"


def not_installed(package: str, extra: str | None, why: str | None = None) -> PluginError:
    """The error that a package is not installed.

    Args:
        package: its name.
        extra: the extra of vidan that installs it; None if none does.
        why: what needs it, such as an option and its value.
    """
    return _error(f"{package} is not installed", package, extra, why)


def _error(what: str, package: str, extra: str | None, why: str | None) -> PluginError:
    needed = "" if why is None else f"{why}: "
    command = install(package) if extra is None else install("vidan", extra)
    return PluginError(f"{needed}{what}: {command}")


def import_extra(module: str, extra: str | None, why: str | None = None) -> Any:
    """Import a module that is installed with an extra of vidan; arguments as `not_installed`.

    Raises:
        PluginError: it is not installed, or cannot be imported; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and f"{module}.".startswith(f"{missing}."):
            raise _error(f"{missing} is not installed", missing, extra, why) from error
        package = module.partition(".")[0]
        what = f"{package} cannot be imported ({error})"
        raise _error(what, package, extra, why) from error
