"""The Python API: run a pipeline, and build components by name."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execution.summary import Summary


def run(overrides: str | Sequence[str] = "", **options: Any) -> Summary:
    """Run the pipeline as `vidan <overrides>` does, and return the summary; nothing is printed.

    It can be called from any thread or process, and several times at once.

    Args:
        overrides: as on the command line, as one string or a list of strings:
            `"source=file source.path=a.mp4 tracker=sort"`. In a string, quote a path that contains
            spaces. Outputs go to `runs/<date>_<time>/` unless `run_dir=` is set.
        **options: more of them, by keyword: `source="synthetic", max_frames=100`.

    Returns:
        The content of `summary.json`: frames, objects by label, speed, latencies, outputs.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
        KeyboardInterrupt: Ctrl-C was pressed; the outputs are complete up to that frame.
    """
    from .config.compose import chosen_groups, compose
    from .execution.directory import claimed
    from .execution.execute import execute

    given = shlex.split(overrides) if isinstance(overrides, str) else list(overrides)
    given += [f"{key}={_written(value)}" for key, value in options.items()]
    config = compose(given)
    with claimed(None if config.run_dir is None else Path(config.run_dir)) as directory:
        config.run_dir = str(directory)
        summary = execute(config, require_display="sink" in chosen_groups(given))
    if summary["interrupted"]:
        raise KeyboardInterrupt
    return summary


def _written(value: Any) -> str:
    """A value as it is written on the command line."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_written, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def create(kind: str, name: str, **options: Any) -> Any:
    """Build a component by its name.

    Args:
        kind: a name in `vidan.kinds.KINDS`, such as `detector`.
        name: as listed by `vidan plugins`.
        **options: keyword arguments of its constructor; `vidan plugins show` lists them.

    Raises:
        ConfigError: an unknown option, or a bad value.
        PluginError: there is no such component, or it cannot be imported.
    """
    from .config.build import build

    return build(kind, {"name": name, **options})
