"""The command line: `vidan [overrides]` runs, `vidan <command>` does something else."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, VidanError, did_you_mean
from ..kinds import KINDS
from ..registry.commands import Command
from ..registry.discovery import load_plugins

if TYPE_CHECKING:
    from omegaconf import DictConfig

HELP = """\
vidan: see, count and follow things in video.

  vidan [group=option] [key=value] ...    run the frame loop
  vidan <command> [arguments]             do something else

A run takes frames from a source, finds boxes with a detector, gives them
identities with a tracker, and carries the result out through sinks. Without
arguments it runs on a scene that vidan draws itself. Outputs go to a folder of
their own, runs/<date>_<time>/.

Examples:
  vidan source=webcam detector=onnx tracker=deepsort
  vidan source=file source.path=street.mp4 sink=[video,jsonl]
  vidan source=file source.path=street.mp4 detector.model=mine.onnx tracker=sort
"""

KEYS = """\
Keys that fit every run:
  max_frames=N            end after N frames
  trace=true              write trace.json: what each thread did, for ui.perfetto.dev
  hydra.run.dir=FOLDER    where outputs go
  hydra.verbose=true      show the traceback of an error
  --cfg job               print the configuration, with every key there is
  -m key=a,b,c            run once for each value
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: without the program's name; those of the process if None.

    Returns:
        The exit code: 0, that of the error (see `vidan.errors`), 130 after Ctrl-C,
        143 after SIGTERM.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    verbose = any(a.replace(" ", "").lower() == "hydra.verbose=true" for a in arguments)
    try:
        return _dispatch(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `vidan plugins | head`
        sys.stderr.close()
        return 0
    except Exception as error:
        if verbose:
            logging.getLogger(__name__).exception("traceback, as asked for")
        sys.stderr.write(f"vidan: error: {_one_line(error)}\n")
        return error.exit_code if isinstance(error, VidanError) else 1


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, VidanError):
        return text
    return f"{type(error).__name__}: {text} (a bug in vidan; hydra.verbose=true shows where)"


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0
    if arguments == ["--version"]:
        sys.stdout.write(f"vidan {importlib.metadata.version('vidan')}\n")
        return 0
    if arguments and _is_command(arguments[0]):
        return _command(arguments)
    return _run(arguments)


def _command(arguments: list[str]) -> int:
    """Run a command; or list those that share the first word, where only that was given."""
    commands = load_plugins().commands
    if found := commands.find(arguments):
        command, behind = found
        return command.main(behind)
    word = arguments[0]
    group = {c.name.removeprefix(f"{word} "): c for c in commands.group(word)}
    if not group:
        near = did_you_mean(word, [c.name.split()[0] for c in commands])
        raise ConfigError(f"unknown command {word!r}: {near}")
    asked = bool({"-h", "--help"} & set(arguments))
    if not asked and len(arguments) > 1:
        near = did_you_mean(arguments[1], group)
        raise ConfigError(f"vidan {word}: unknown {arguments[1]!r}: {near}")
    sys.stdout.write(f"vidan {word} <what> [key=value] ...\n\n")
    sys.stdout.write("\n".join(_command_lines(group.values())) + "\n\n")
    sys.stdout.write(f"vidan {word} <what> --help says more.\n")
    return 0 if asked else ConfigError.exit_code


def _command_lines(commands: Iterable[Command]) -> list[str]:
    """A line of help on each command."""
    listed = list(commands)
    width = max(len(command.name) for command in listed)
    return [f"  {command.name:<{width}}  {command.help}" for command in listed]


def _is_command(argument: str) -> bool:
    """A command is a bare word; an override has a `=` or starts with `~`, an option with `-`."""
    return "=" not in argument and not argument.startswith(("-", "~", "+"))


def _run(arguments: list[str]) -> int:
    from ..config.compose import chosen_groups, run_hydra

    errors: list[Exception] = []
    chosen = "sink" in chosen_groups(arguments)

    def task(config: DictConfig) -> None:
        from .run import run

        log_to(Path(config.run_dir))
        try:
            run(config, require_display=chosen)
        except Exception as error:  # kept from Hydra, which would print it its own way
            if errors:
                logging.getLogger(__name__).error("%s", _one_line(error))
            errors.append(error)

    run_hydra(task, arguments)
    if errors:
        raise errors[0]
    return 0


def log_to(directory: Path) -> None:
    """Log to stderr for people, and to `vidan.log` in a folder with times and names."""
    from .terminal import console, log_handler

    file = logging.FileHandler(directory / "vidan.log", encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.addHandler(log_handler(console(stderr=True)))
    root.addHandler(file)
    root.setLevel(min(root.level, logging.INFO))


def help_text() -> str:
    """What `vidan --help` prints: usage, examples, and every group with its options."""
    from ..config.groups import groups

    lines, found = [HELP, "Groups and their options:"], groups()
    for group in (*KINDS, "pipeline"):
        lines.append(f"  {group}")
        lines += [f"    {name:<12}{about}".rstrip() for name, about in found[group].items()]
    lines += ["", KEYS, "Commands:"]
    lines += _command_lines(load_plugins().commands)
    return "\n".join([*lines, ""])
