"""Programs beside `vidan`, such as the benchmarks, whose errors are one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from ..errors import VidanError
from .secrets import redacted
from .text import one_line


def run_program(name: str, main: Callable[[], int | None]) -> NoReturn:
    """Run a program and exit with its code.

    What a user can cause, a `VidanError` or an `OSError`, is printed as one line and gives the
    exit code. Other exceptions are bugs and keep their traceback.

    Args:
        name: as it is started, such as `python -m benchmarks.suite.latency`.
        main: the program; it returns the exit code, None for 0.
    """
    try:
        code = main()
    except (VidanError, OSError) as error:
        sys.stderr.write(f"{name}: error: {redacted(one_line(str(error)))}\n")
        code = error.exit_code if isinstance(error, VidanError) else 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def positive(text: str) -> int:
    """The value of a counting option of `argparse`: an integer from 1.

    Raises:
        ValueError: it is no such number.
    """
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
