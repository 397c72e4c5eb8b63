"""The command line: `vidan [overrides]` runs the pipeline, `vidan <command>` a command."""

from __future__ import annotations

import errno
import importlib.metadata
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..errors import ConfigError, VidanError, did_you_mean
from ..kinds import KINDS
from ..registry.commands import Command
from ..registry.discovery import load_plugins
from ..support.secrets import redacted, redacted_override
from ..support.standard import keep_standard_files
from ..support.stuck import leave
from ..support.text import one_line
from .help import fitted

if TYPE_CHECKING:
    from omegaconf import DictConfig

HELP = """\
vidan: detect, track and count objects in video.

  vidan [group=option] [key=value] ...    run the pipeline
  vidan <video, folder of images, URL or number of a camera> [key=value] ...
  vidan <command> [arguments]             run a command

A run reads frames from a source, finds boxes with a detector, assigns ids to
them with a tracker, turns tracks into events with analytics, and writes the
results to sinks. Without arguments it runs on a synthetic scene. Outputs go to
a new folder, runs/<date>_<time>/.

Examples:
  vidan street.mp4
  vidan source=webcam detector=onnx tracker=deepsort
  vidan source=file source.path=street.mp4 sink=[video,jsonl]
  vidan source=file source.path=street.mp4 detector.model=mine.onnx tracker=sort
"""

KEYS = """\
Keys of every run:
  max_frames=N            stop after N frames
  images=blur             pixelate faces and heads in all images
  streams=FILE            several streams: names, and what each overrides
  -q, quiet=true          print warnings and errors only
  trace=true              write trace.json, a timeline of all threads for ui.perfetto.dev
  --config-dir FOLDER --config-name NAME
                          start from the job file FOLDER/NAME.yaml
  run_dir=FOLDER          folder of the outputs; null: a new one, runs/<date>_<time>/
  hydra.verbose=true      print the traceback of an error
  --cfg job               print the whole configuration
  -m key=a,b,c            run once for each value, and compare the runs
"""


QUIET = ("-q", "--quiet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: without the program's name; None for `sys.argv`.

    Returns:
        The exit code: 0, that of the error (see `vidan.errors`), 130 after Ctrl-C, 143 after
        SIGTERM, or 129 after SIGHUP.
    """
    keep_standard_files()
    code = _main(list(sys.argv[1:] if arguments is None else arguments))
    leave(code)
    return code


def _main(arguments: list[str]) -> int:
    verbose = any(a.replace(" ", "").lower() == "hydra.verbose=true" for a in arguments)
    try:
        return _dispatch(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # as in `vidan plugins | head`
        sys.stderr.close()
        return 0
    except BaseException as error:  # libraries in Rust raise errors that are no Exception
        if verbose:
            logging.getLogger(__name__).exception("traceback")
        sys.stderr.write(f"vidan: error: {_one_line(error)}\n")
        return error.exit_code if isinstance(error, VidanError) else 1


def _one_line(error: BaseException) -> str:
    text = redacted(one_line(str(error)))
    if isinstance(error, VidanError):
        return text
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # of an option
        return f"{text[:100]}…: choose a shorter path"
    return f"{type(error).__name__}: {text} (a bug in vidan; hydra.verbose=true shows where)"


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(fitted(help_text()))
        return 0
    if arguments == ["--version"]:
        sys.stdout.write(f"vidan {importlib.metadata.version('vidan')}\n")
        return 0
    if arguments and arguments[0] in QUIET:  # the source may follow it
        arguments = [*arguments[1:], arguments[0]]
    if arguments and _names_source(arguments[0]):
        from ..config.shortcuts import with_source

        return _run(with_source(arguments))
    if arguments and is_command(arguments[0]):
        return _command(arguments)
    return _run(arguments)


def _names_source(argument: str) -> bool:
    """Whether a first word is a video or camera and no command."""
    from ..config.shortcuts import names_source

    words = {command.name.split()[0] for command in load_plugins().commands}
    return argument not in words and names_source(argument)


def _command(arguments: list[str]) -> int:
    """Run a command, or list the commands that start with a word."""
    commands = load_plugins().commands
    if found := commands.find(arguments):
        command, behind = found
        return command.main(behind)
    word = arguments[0]
    group = {c.name.removeprefix(f"{word} "): c for c in commands.group(word)}
    if not group:
        near = did_you_mean(word, [c.name.split()[0] for c in commands])
        raise ConfigError(f"unknown command {redacted_override(word)!r}: {near}")
    asked = bool({"-h", "--help"} & set(arguments))
    if not asked and len(arguments) > 1:
        near = did_you_mean(arguments[1], group)
        shown = redacted_override(arguments[1])
        raise ConfigError(f"vidan {word}: unknown {shown!r}: {near}")
    sys.stdout.write(f"vidan {word} <command> [key=value] ...\n\n")
    sys.stdout.write(fitted("\n".join(_command_lines(group.values()))) + "\n")
    sys.stdout.write(f"vidan {word} <command> --help prints the details of one.\n")
    return 0 if asked else ConfigError.exit_code


def _command_lines(commands: Iterable[Command]) -> list[str]:
    """The names of commands with a line of help for each."""
    listed = list(commands)
    width = max(len(command.title) for command in listed)
    return [f"  {command.title:<{width}}  {command.help}" for command in listed]


def is_command(argument: str) -> bool:
    """Whether an argument is a bare word, unlike overrides (`a=b`, `~a`) and options (`-a`)."""
    return "=" not in argument and not argument.startswith(("-", "~", "+"))


def _run(arguments: list[str]) -> int:
    from ..config.compose import chosen_groups, run_hydra
    from ..config.jobs import parse
    from .sweep import Sweep

    start, arguments = parse(arguments)
    arguments = ["quiet=true" if a in QUIET else a for a in arguments]
    errors: list[BaseException] = []
    sweep = Sweep()
    chosen = "sink" in chosen_groups(arguments)

    def task(config: DictConfig) -> None:
        from ..config.resolve import interpolations
        from .run import run_in_own_directory

        try:
            with interpolations():
                run_in_own_directory(config, start, require_display=chosen)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # Hydra would print a traceback
            if errors:
                logging.getLogger(__name__).error("%s", _one_line(error))
            errors.append(error)
            sweep.add(config, failed=True)
        else:
            sweep.add(config, failed=False)

    run_hydra(task, arguments, start)
    sweep.print()
    if errors:
        raise errors[0]
    return 0


def help_text() -> str:
    """The output of `vidan --help`: usage, examples, config groups with options, and commands."""
    from ..config.groups import groups

    lines, found = [HELP, "Config groups and their options:"], groups()
    for group in (*(name for name in KINDS if KINDS[name].in_run), "scene", "pipeline"):
        width = max(12, *(len(name) + 2 for name in found[group]))
        lines.append(f"  {group}")
        lines += [f"    {name:<{width}}{about}".rstrip() for name, about in found[group].items()]
    lines += ["", KEYS, "Commands:"]
    lines += _command_lines(load_plugins().commands)
    return "\n".join([*lines, ""])
