"""vidan from Python: the command line's run as a function, and components by name."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Sequence
from typing import Any


def run(overrides: str | Sequence[str] = "") -> dict[str, Any]:
    """Do what `vidan <overrides>` does, and return the summary.

    Args:
        overrides: as on the command line, in one string or one by one:
            `"source=file source.path=a.mp4 tracker=sort"`. A path with blanks is quoted there,
            or one of a list. Outputs go to `runs/<date>_<time>/` unless `hydra.run.dir=` or
            `run_dir=` says otherwise.

    Returns:
        What `summary.json` holds: frames, objects by label, speed, times, outputs.

    Raises:
        VidanError: what could not be built or what failed in mid-run.
        KeyboardInterrupt: Ctrl-C, when the outputs are finished.
    """
    from .cli.main import chooses_sinks
    from .config.compose import compose
    from .execution.execute import execute

    given = shlex.split(overrides) if isinstance(overrides, str) else list(overrides)
    now = datetime.datetime.now()
    config = compose([f"run_dir=runs/{now:%Y-%m-%d_%H-%M-%S}", *given])
    try:
        return execute(config, explicit_sinks=chooses_sinks(given))
    except SystemExit as stop:
        raise KeyboardInterrupt from stop


def create(kind: str, name: str, **options: Any) -> Any:
    """A component by its name, as a configuration would have it made.

    Args:
        kind: a name in `vidan.kinds.KINDS`, such as `detector`.
        name: as `vidan plugins` lists it.
        **options: keyword arguments of its constructor; `vidan plugins show` prints them.

    Raises:
        ConfigError: an option that it does not have, or a bad value.
        PluginError: there is no such component, or it cannot be imported.
    """
    from .config.build import build

    return build(kind, {"name": name, **options})
