"""Subcommands and health checks that plugins add to the command line."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..errors import PluginError


class Command(NamedTuple):
    """A sub-command: `main` gets the arguments behind its name and returns the exit code."""

    name: str
    target: str
    help: str

    def main(self, arguments: list[str]) -> int:
        """Import and run it."""
        module, _, attribute = self.target.partition(":")
        try:
            function: Callable[[list[str]], int] = getattr(
                importlib.import_module(module), attribute
            )
        except ImportError as error:
            raise PluginError(f"command {self.name!r} cannot be imported: {error}") from error
        return function(arguments)


class Commands:
    """The sub-commands by name: one word, as `train`, or two, as `eval tracking`."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """The command of a name, if there is one."""
        return self._commands.get(name)

    def find(self, arguments: Sequence[str]) -> tuple[Command, list[str]] | None:
        """The command whose name the arguments begin with, and the arguments behind it.

        Where `a` and `a b` are both commands, `a b` is the one that was meant.
        """
        for words in (2, 1):
            command = self.get(" ".join(arguments[:words]))
            if command is not None and len(arguments) >= words:
                return command, list(arguments[words:])
        return None

    def group(self, word: str) -> list[Command]:
        """The commands of two words that begin with `word`."""
        return [c for c in self if c.name.startswith(f"{word} ")]

    def add(self, name: str, target: str, help: str) -> None:  # noqa: A002 - the field's word
        """Add a command.

        Args:
            name: a word or two, such as `train` or `eval tracking`. Any plugin may add to the
                commands that share a first word; `vidan <word>` lists them.
            target: `package.module:function`, imported when the command is run.
            help: one line about it.

        Raises:
            PluginError: a command of that name exists, or the name has not the right form.
        """
        if not re.fullmatch(r"[a-z][\w-]*( [a-z][\w-]*)?", name):
            raise PluginError(f"command {name!r}: expected a name of one or two lower-case words")
        if name in self._commands:
            raise PluginError(f"command {name!r} is registered twice")
        self._commands[name] = Command(name, target, help)


class Check(NamedTuple):
    """One line of `vidan doctor`: `state` is `ok`, `note` (worth knowing) or `problem`."""

    name: str
    state: str
    detail: str


BUILTIN_COMMANDS = (
    ("plugins", "vidan.cli.builtin:plugins", "List every component and whether it can be loaded."),
    ("plugins show", "vidan.authoring.show:show", "Print a component's options."),
    ("plugins new", "vidan.authoring.new:new", "Write a plugin package to start from."),
    ("plugins check", "vidan.authoring.check:check", "Look at a plugin as vidan will."),
    ("resume", "vidan.cli.resume:main", "Go on with a file job that was interrupted."),
    ("doctor", "vidan.cli.builtin:doctor", "Look at this machine for what vidan needs."),
    ("completion", "vidan.cli.completion:main", "Make a shell complete vidan's words."),
)
