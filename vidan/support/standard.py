"""Standard input, output and error, whatever they are connected to."""

from __future__ import annotations

import io
import os
import sys

STANDARD_FILES = 3


def keep_standard_files() -> None:
    """Make sure that there are standard files, and that any text can be printed.

    A file that is opened would otherwise take the place of a closed one, and get what is printed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < STANDARD_FILES:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Print nothing from now on: standard output is closed, or its disk is full."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
