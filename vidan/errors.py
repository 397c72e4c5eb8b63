"""What can go wrong, and the exit code it ends the program with.

    VidanError             exit 1
    ├ ConfigError          exit 2   unknown option, bad value
    ├ PluginError          exit 3   import failed, registered twice, missing extra
    ├ SourceError                   cannot open or read
    ├ SinkError                     cannot open or write
    │ └ DisplayError                no display to show images on
    ├ ModelError                    wrong signature, shape or labels
    └ StageError                    what a plugin raised in mid-run

A message is one line: what failed, the value in `repr`, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VidanError(Exception):
    """Base of every error that vidan raises on purpose."""

    exit_code = 1


class ConfigError(VidanError):
    """An unknown option or a value that cannot be used."""

    exit_code = 2


class PluginError(VidanError):
    """A plugin that cannot be imported, clashes with another, or lacks an extra."""

    exit_code = 3


class SourceError(VidanError):
    """A source that cannot be opened or read."""


class SinkError(VidanError):
    """A sink that cannot be opened or written, or whose output is not right."""


class DisplayError(SinkError):
    """No display to show images on: the default run goes on without one."""


class ModelError(VidanError):
    """A model whose file, inputs, outputs or labels are not what is needed."""


class StageError(VidanError):
    """An exception that a plugin raised while the pipeline ran.

    Attributes:
        stage: where it happened: `source`, `detector`, `tracker` or `sink.<name>`.
        frame: index of the frame at hand; None at the start or the end.
    """

    def __init__(self, stage: str, frame: int | None, cause: BaseException) -> None:
        self.stage = stage
        self.frame = frame
        where = stage if frame is None else f"{stage} at frame {frame}"
        what = str(cause) or repr(cause)
        kind = "" if isinstance(cause, VidanError) else f"{type(cause).__name__}: "
        super().__init__(f"{where}: {kind}{what}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the names near `name`, or else all that exist."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "there is " + (", ".join(names) if names else "none")
