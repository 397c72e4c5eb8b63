"""`vidan completion`: completes command lines in a shell.

Hydra completes `key=value` arguments. This module adds what Hydra does not know: commands, and the
arguments of each, which a command brings with it (see `Commands.add`).
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..config.groups import CONFIG_MODULE, groups, option_file
from ..kinds import KINDS
from ..registry.commands import Command
from ..registry.discovery import load_plugins
from ..support.arguments import ArgumentParser

SCRIPTS = {
    "bash": """\
_vidan_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\\n'
    local choices=$(COMP_LINE="$line" "${COMP_WORDS[0]}" completion query 2>/dev/null)
    COMPREPLY=($(compgen -W "$choices" -- "${line##* }"))
    case "${COMPREPLY[*]}" in
        *[=./]) ;;
        *) compopt +o nospace 2>/dev/null ;;
    esac
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}
complete -o nospace -o default -F _vidan_completion vidan
""",
    "zsh": """\
_vidan_completion() {
    local -a choices going done
    local line="${(j: :)words[1,CURRENT]}"
    choices=(${(f)"$(COMP_LINE=$line $words[1] completion query 2>/dev/null)"})
    going=(${(M)choices:#*[=./]}) done=(${choices:#*[=./]})
    (( $#choices )) || { _files; return }
    compadd -S '' -a going
    compadd -a done
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _vidan_completion vidan
""",
    "fish": """\
function __vidan_completion
    set -l program (commandline -opc)[1]
    COMP_LINE=(commandline -cp) $program completion query 2>/dev/null
end
complete -c vidan -a '(__vidan_completion)'
""",
}
"""The script of each shell; it calls `vidan completion query`."""


BATCH = "batch"
"""Name of the configuration that has the kinds of components that are in no run."""


def main(arguments: list[str]) -> int:
    """Print the script of a shell, or the completions that a script asks for."""
    parser = ArgumentParser(
        "vidan completion",
        description="Print a script that completes vidan's arguments in a shell. Put "
        'eval "$(vidan completion bash)" into ~/.bashrc, the same with zsh into ~/.zshrc, or '
        "vidan completion fish | source into fish's config.fish.",
    )
    parser.add_argument("shell", choices=[*SCRIPTS, "query"], help="query is for the scripts")
    shell = parser.parse_args(arguments).shell
    if shell == "query":
        sys.stdout.writelines(f"{word}\n" for word in complete(os.environ.get("COMP_LINE", "")))
    else:
        sys.stdout.write(SCRIPTS[shell])
    return 0


def complete(line: str) -> list[str]:
    """The possible completions of the last word of a command line.

    Args:
        line: up to the cursor, including the program's name; after a space, a new word begins.

    Returns:
        Whole words, sorted. A word that ends with `=`, `.` or `/` can be continued.
    """
    words = line.split()[1:]
    last = words.pop() if words and not line[-1:].isspace() else ""
    return sorted({word for word in _candidates(words, last) if word.startswith(last)})


def files(last: str) -> Iterator[str]:
    """Files and folders that complete a word, or the value of `key=value`."""
    key, equals, value = last.rpartition("=")
    for file in glob.glob(f"{glob.escape(value)}*"):  # noqa: PTH207 - keeps the form it was typed in
        yield f"{key}{equals}{file}{'/' if Path(file).is_dir() else ''}"


def nothing(_words: Sequence[str], _last: str) -> Iterator[str]:
    """Completions of a command without arguments."""
    return iter(())


def shells(_words: Sequence[str], _last: str) -> Iterator[str]:
    """Completions of `vidan completion`."""
    yield from SCRIPTS


def components(_words: Sequence[str], _last: str) -> Iterator[str]:
    """Completions of a command that takes `<kind>/<name>`."""
    yield from (f"{c.kind}/{c.name}" for c in load_plugins().registry)


def kinds(words: Sequence[str], _last: str) -> Iterator[str]:
    """Completions of `vidan plugins new`."""
    yield from KINDS if words[-1:] == ["--kind"] else ("--kind", "--folder")


def _candidates(words: list[str], last: str) -> Iterator[str]:
    commands = load_plugins().commands
    if not words:
        yield from (c.name.split()[0] for c in commands)
        yield from ("--help", "--version")
    elif len(words) == 1:
        yield from (c.name.split()[1] for c in commands.group(words[0]))
    if found := commands.find(words):
        command, behind = found
        if not behind or not behind[-1].startswith("--"):
            yield "--help"
        yield from _arguments(command, behind, last)
    elif not words or not commands.group(words[0]):
        yield from ("--cfg", "--multirun")
        yield from _overrides("config", words, last)


def _arguments(command: Command, behind: list[str], last: str) -> Iterator[str]:
    """Arguments of a command: its own completions, its configuration's keys, or files."""
    config = command.name.replace(" ", "_")
    if command.complete is not None:
        yield from command.completions(behind, last)
    elif option_file("", config, [f"pkg://{CONFIG_MODULE}"]):
        yield from _overrides(config, behind, last)
    else:
        yield from files(last)


def _overrides(config_name: str, words: list[str], last: str) -> Iterator[str]:
    """Groups, options and keys from Hydra; elements of a list of options; files as values."""
    key, equals, value = last.partition("=")
    if key in KINDS and KINDS[key].many and value.startswith("["):
        chosen, separator, _ = last.rpartition(",")
        begun = chosen + separator or f"{key}=["
        yield from (f"{begun}{name}" for name in groups()[key])
        return
    # A config group with the name of a command holds options of that command only.
    named = {command.name for command in load_plugins().commands} & groups().keys()
    if config_name != BATCH:
        named |= {kind.name for kind in KINDS.values() if not kind.in_run}
    others = {f"{name}=" for name in named}
    found = [word for word in _from_hydra(config_name, words, last) if word not in others]
    yield from found
    if equals and not any(word.startswith(last) and word != last for word in found):
        yield from files(last)


def _from_hydra(config_name: str, words: list[str], last: str) -> list[str]:
    """Completions from Hydra; none if Hydra cannot parse the words before."""
    from hydra._internal.core_plugins.bash_completion import BashCompletion
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.plugins import Plugins as HydraPlugins

    from ..config.compose import load_local
    from ..config.search_path import PluginConfigs

    HydraPlugins.instance().register(PluginConfigs)
    try:
        load_local(words)
        path = create_config_search_path(f"pkg://{CONFIG_MODULE}")
        loader = Hydra.create_main_hydra2("vidan", path).config_loader
        line = " ".join([*words, last])
        return [str(word) for word in BashCompletion(loader)._query(config_name, line)]
    except Exception:  # the shell has no use for an error
        return []
    finally:
        GlobalHydra.instance().clear()
