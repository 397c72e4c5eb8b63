"""Exceptions of vidan, and the exit codes of the command line.

    VidanError             exit 1
    ├ ConfigError          exit 2   unknown option, bad value
    ├ PluginError          exit 3   import failed, registered twice, extra not installed
    ├ SourceError                   cannot open or read
    ├ SinkError                     cannot open or write
    │ └ DisplayError                no display for a window
    ├ ModelError                    wrong signature, shape or labels
    └ StageError                    a component raised an exception during the run

A message is one line: what failed, the `repr` of the value, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VidanError(Exception):
    """Base class of all errors that vidan raises deliberately."""

    exit_code = 1


class ConfigError(VidanError):
    """An unknown option, or a bad value."""

    exit_code = 2


class PluginError(VidanError):
    """A plugin cannot be imported, clashes with another, or needs an extra."""

    exit_code = 3


class SourceError(VidanError):
    """A source cannot be opened or read."""


class SinkError(VidanError):
    """A sink cannot be opened or written, or its output is damaged."""


class DisplayError(SinkError):
    """There is no display for a window; the default run continues without it."""


class ModelError(VidanError):
    """A model has an unsuitable file, inputs, outputs or labels."""


class StageError(VidanError):
    """A component raised an exception while the pipeline ran; it is the `__cause__`.

    Attributes:
        stage: of the component, such as `tracker` or `sink.<name>`.
        frame: index of the frame; None at the start or the end.
    """

    def __init__(self, stage: str, frame: int | None, cause: BaseException) -> None:
        self.stage = stage
        self.frame = frame
        where = stage if frame is None else f"{stage} at frame {frame}"
        what = str(cause) or repr(cause)
        kind = "" if isinstance(cause, VidanError) else f"{type(cause).__name__}: "
        super().__init__(f"{where}: {kind}{what}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message: names similar to `name`, or else all known names."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "there is " + (", ".join(names) if names else "none")
