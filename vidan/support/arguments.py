"""The argument parser of commands."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .secrets import redacted


class ArgumentParser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` whose errors hide secrets, such as passwords in URLs."""

    def error(self, message: str) -> NoReturn:
        """Write the usage and a message to stderr, and exit with 2."""
        super().error(redacted(message))
