"""Subcommands and health checks that plugins add to the command line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import PluginError


class Command(NamedTuple):
    """A subcommand.

    Attributes:
        name: one or two words.
        target: `package.module:function`; it gets the arguments after the name and returns the
            exit code.
        help: one line about it.
        complete: `package.module:function` for shell completion; None for the default.
        alias: another spelling of the name.
    """

    name: str
    target: str
    help: str
    complete: str | None = None
    alias: str | None = None

    @property
    def title(self) -> str:
        """The name, with its other spelling."""
        return self.name if self.alias is None else f"{self.name}, {self.alias}"

    def main(self, arguments: list[str]) -> int:
        """Import and run it.

        Raises:
            PluginError: it cannot be imported.
        """
        code: int = self._load(self.target)(arguments)
        return code

    def completions(self, words: Sequence[str], last: str) -> Iterable[str]:
        """Completions of its argument `last`; `words` are the arguments before it.

        Raises:
            PluginError: its completion cannot be imported.
        """
        if self.complete is None:
            return ()
        found: Iterable[str] = self._load(self.complete)(words, last)
        return found

    def _load(self, target: str) -> Any:
        module, _, attribute = target.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise PluginError(f"command {self.name!r} cannot be imported: {error}") from error


class Commands:
    """The subcommands by name: one word, as `train`, or two, as `eval tracking`."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._aliases: dict[str, Command] = {}

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """The command with that name or alias; None if there is none."""
        return self._commands.get(name) or self._aliases.get(name)

    def find(self, arguments: Sequence[str]) -> tuple[Command, list[str]] | None:
        """The command that the arguments start with, and the arguments after its name.

        If both `a` and `a b` are commands, `a b` takes precedence.
        """
        for words in (2, 1):
            command = self.get(" ".join(arguments[:words]))
            if command is not None and len(arguments) >= words:
                return command, list(arguments[words:])
        return None

    def group(self, word: str) -> list[Command]:
        """The commands of two words whose first word is `word`."""
        return [c for c in self if c.name.startswith(f"{word} ")]

    def add(
        self,
        name: str,
        target: str,
        help: str,  # noqa: A002 - as in argparse
        complete: str | None = None,
        alias: str | None = None,
    ) -> None:
        """Add a command.

        Args:
            name: one or two words, such as `train` or `eval tracking`. Commands with the same first
                word may come from different plugins; `vidan <word>` lists them.
            target: `package.module:function`, imported when the command is run. It gets the
                arguments after the name and returns the exit code.
            help: one line about it.
            complete: `package.module:function` that returns shell completions. It gets the
                arguments before the cursor and the word at the cursor. By default, keys are
                completed if the command has a configuration in `conf/`, else files.
            alias: another spelling of the name, such as a British one.

        Raises:
            PluginError: the command exists already, or its name is malformed.
        """
        command = Command(name, target, help, complete, alias)
        for each in (name,) if alias is None else (name, alias):
            if not re.fullmatch(r"[a-z][\w-]*( [a-z][\w-]*)?", each):
                raise PluginError(
                    f"command {each!r}: expected a name of one or two lower-case words"
                )
            if self.get(each) is not None:
                raise PluginError(f"command {each!r} is registered twice")
        self._commands[name] = command
        if alias is not None:
            self._aliases[alias] = command


class Check(NamedTuple):
    """One line of `vidan doctor`; `state` is `ok`, `note` (worth knowing) or `problem`."""

    name: str
    state: str
    detail: str


COMPLETION = "vidan.cli.completion"

BUILTIN_COMMANDS = (
    Command(
        "plugins",
        "vidan.cli.builtin:plugins",
        "List every component and whether it can be loaded.",
        f"{COMPLETION}:nothing",
    ),
    Command(
        "plugins show",
        "vidan.authoring.show:show",
        "Print the options of a component.",
        f"{COMPLETION}:components",
    ),
    Command(
        "plugins new",
        "vidan.authoring.new:new",
        "Create a plugin package from a template.",
        f"{COMPLETION}:kinds",
    ),
    Command("plugins check", "vidan.authoring.check:check", "Check a plugin for mistakes."),
    Command("runs", "vidan.cli.runs:list_runs", "List the runs in a folder."),
    Command(
        "runs show",
        "vidan.cli.runs:show",
        "Print the state, configuration, summary and files of a run.",
        "vidan.cli.runs:complete",
    ),
    Command("runs clean", "vidan.cli.runs:clean", "Delete the oldest runs in a folder."),
    Command("resume", "vidan.cli.resume:main", "Continue an interrupted run over a file."),
    Command(
        "doctor",
        "vidan.cli.builtin:doctor",
        "Check whether this machine has what vidan needs.",
        f"{COMPLETION}:nothing",
    ),
    Command(
        "completion",
        "vidan.cli.completion:main",
        "Print a script that completes arguments in a shell.",
        f"{COMPLETION}:shells",
    ),
)
