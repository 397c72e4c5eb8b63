"""`vidan completion`: words that a shell offers, by Hydra's completion for all that is `key=value`.

Hydra knows the config groups, their options and keys. Around that stand our own commands, which
Hydra does not know, and keys of commands that have a configuration of their own.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..config.groups import CONFIG_MODULE, groups, option_file
from ..kinds import KINDS
from ..registry.discovery import load_plugins

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
"""What each shell runs, by its name: it asks `vidan completion query` for words."""


def main(arguments: list[str]) -> int:
    """Print what a shell evaluates, or the words that it asked for."""
    parser = argparse.ArgumentParser(
        "vidan completion",
        description="Print what makes a shell complete vidan's words: eval \"$(vidan completion "
        'bash)" in ~/.bashrc, the same with zsh in ~/.zshrc; vidan completion fish | source in '
        "fish's config.fish.",
    )
    parser.add_argument("shell", choices=[*SCRIPTS, "query"], help="query is what the shells ask")
    shell = parser.parse_args(arguments).shell
    if shell == "query":
        sys.stdout.writelines(f"{word}\n" for word in complete(os.environ.get("COMP_LINE", "")))
    else:
        sys.stdout.write(SCRIPTS[shell])
    return 0


def complete(line: str) -> list[str]:
    """The words that could stand at the end of a command line.

    Args:
        line: up to the cursor, with the program's name; after a blank, a new word begins.

    Returns:
        Whole words, sorted. Those that end with `=`, `.` or `/` go on.
    """
    words = line.split()[1:]
    last = words.pop() if words and not line[-1:].isspace() else ""
    return sorted({word for word in _candidates(words, last) if word.startswith(last)})


def _candidates(words: list[str], last: str) -> Iterator[str]:
    commands = load_plugins().commands
    if not words:
        yield from (c.name.split()[0] for c in commands)
        yield from ("--help", "--version")
    elif len(words) == 1:
        yield from (c.name.split()[1] for c in commands.group(words[0]))
    if found := commands.find(words):
        command, behind = found
        if behind[-1:] != ["--kind"]:
            yield "--help"
        yield from _arguments(command.name, behind, last)
    elif not words or not commands.group(words[0]):
        yield from ("--cfg", "--multirun")
        yield from _overrides("config", words, last)


def _arguments(command: str, behind: list[str], last: str) -> Iterator[str]:
    """What may stand behind a command; files, where nothing is known of it."""
    config = command.replace(" ", "_")
    if option_file("", config, [f"pkg://{CONFIG_MODULE}"]):
        yield from _overrides(config, behind, last)
    elif command in ("completion", "doctor", "plugins"):
        yield from SCRIPTS if command == "completion" else ()
    elif command == "plugins show":
        yield from (f"{c.kind}/{c.name}" for c in load_plugins().registry)
    elif command == "plugins new":
        yield from KINDS if behind[-1:] == ["--kind"] else ("--kind", "--folder")
    elif command == "train" and not last.startswith(("data=", "weights=")):
        yield from (f"recipe={name}" for name in groups().get("train", {}))
    else:
        yield from _files(last)


def _overrides(config_name: str, words: list[str], last: str) -> Iterator[str]:
    """Groups, options and keys as Hydra offers them; a list of sinks; files as values."""
    key, equals, value = last.partition("=")
    if key in KINDS and KINDS[key].many and value.startswith("["):
        chosen, separator, _ = last.rpartition(",")
        begun = chosen + separator or f"{key}=["
        yield from (f"{begun}{name}" for name in groups()[key])
        return
    found = [w for w in _hydras(config_name, words, last) if w != "train="]  # not a run's
    yield from found
    if equals and not any(word.startswith(last) and word != last for word in found):
        yield from _files(last)


def _hydras(config_name: str, words: list[str], last: str) -> list[str]:
    """What Hydra's own completion offers; nothing where it cannot understand the words before."""
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
    except Exception:  # a shell that waits for words has no use for an error
        return []
    finally:
        GlobalHydra.instance().clear()


def _files(last: str) -> Iterator[str]:
    """Files and folders that a word, or the value of `key=value`, begins."""
    key, equals, value = last.rpartition("=")
    for file in glob.glob(f"{glob.escape(value)}*"):  # noqa: PTH207 - as it was typed
        yield f"{key}{equals}{file}{'/' if Path(file).is_dir() else ''}"
