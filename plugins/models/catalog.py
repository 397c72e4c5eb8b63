"""Public detectors by name: where they are, how large, under what license, with what checksum.

The entries are in `catalog.yaml` beside this file, and in the user's own `models.yaml`, whose
entries go before ours. A checksum that is not known is left out, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import platformdirs

from vidan.errors import ConfigError, ModelError, did_you_mean

OPTIONS = {
    **{key: key for key in ("decode", "letterbox", "pad", "channels", "scale", "mean", "std")},
    "layout": "layout",
    "input_size": "size",
}
"""Keys of an entry that are options of the detector: `size` is that of the file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model that can be pulled.

    Attributes:
        name: as in `detector.model`.
        url: http or https.
        size: of the file, bytes; None if that is not known.
        sha256: of the file, in hexadecimal; None if that is not known.
        license: as its makers say.
        about: a line for people.
        labels: those of the model, or a name or a file as in `detector.labels`; None for its own.
        options: the detector's options that it needs.
    """

    name: str
    url: str
    size: int | None = None
    sha256: str | None = None
    license: str = "unknown"
    about: str = ""
    labels: str | tuple[str, ...] | None = None
    options: Mapping[str, Any]


def user_file() -> Path:
    """The user's own catalog; there need not be one."""
    return platformdirs.user_config_path("vidan") / "models.yaml"


def cache_folder() -> Path:
    """Where pulled models are kept; there need not be one yet."""
    return platformdirs.user_cache_path("vidan") / "models"


def catalog() -> dict[str, Entry]:
    """The entries by name, the user's before ours.

    Raises:
        ConfigError: the user's file is not such a catalog.
    """
    ours = _read(Path(str(files("vidan_plugins.models") / "catalog.yaml")))
    own = user_file()
    return {**ours, **(_read(own) if own.is_file() else {})}


def find(name: str) -> Entry:
    """The entry of a name.

    Raises:
        ConfigError: there is none.
    """
    known = catalog()
    if name not in known:
        raise ConfigError(f"unknown model {name!r}: {did_you_mean(name, known)}")
    return known[name]


def path_of(entry: Entry) -> Path:
    """Where the file of an entry is once it has been pulled."""
    return cache_folder() / f"{entry.name}.onnx"


def pulled(name: str) -> tuple[Entry, Path] | None:
    """The entry and the file of a model in the catalog; None if it is not in there.

    Raises:
        ConfigError: the user's catalog cannot be used.
        ModelError: it has not been pulled yet.
    """
    entry = catalog().get(name)
    if entry is None:
        return None
    path = path_of(entry)
    if not path.is_file():
        raise ModelError(f"model {name!r} is not here yet: vidan models pull {name}")
    return entry, path


def _read(path: Path) -> dict[str, Entry]:
    from omegaconf import OmegaConf  # not for `vidan --help`

    try:
        found = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as error:  # YAML's errors and those of OmegaConf share no class
        text = " ".join(str(error).split())[:200]
        raise ConfigError(f"the catalog {str(path)!r} is not YAML: {text}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"the catalog {str(path)!r}: expected models by name")
    return {str(name): _entry(path, str(name), each) for name, each in found.items()}


def _entry(path: Path, name: str, found: Any) -> Entry:
    where = f"the catalog {str(path)!r}: {name!r}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: a name has letters, digits, '.', '_' and '-'")
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: expected keys such as url, size, sha256, license")
    known = {f.name for f in fields(Entry)} - {"name", "options"} | set(OPTIONS)
    for key in found:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}: {did_you_mean(str(key), known)}")
    given = {key: value for key, value in found.items() if value is not None}
    for key, (good, expected) in _CHECKS.items():
        if (key in given or key == "url") and not good(given.get(key)):
            raise ConfigError(f"{where}: {key}={given.get(key)!r}: expected {expected}")
    options = {option: given.pop(key) for key, option in OPTIONS.items() if key in given}
    if isinstance(given.get("labels"), list):
        given["labels"] = tuple(given["labels"])
    return Entry(name=name, options=options, **given)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_CHECKS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "url": (
        lambda v: _is_text(v) and v.startswith(("http://", "https://")),
        "an address that begins with https://",
    ),
    "size": (lambda v: type(v) is int and v > 0, "a number of bytes"),
    "sha256": (lambda v: _is_text(v) and _SHA256.fullmatch(v), "64 hexadecimal digits"),
    "license": (_is_text, "a text"),
    "about": (_is_text, "a text"),
    "labels": (
        lambda v: _is_text(v) or (isinstance(v, list) and v and all(map(_is_text, v))),
        "a list of labels, or a file or name as in detector.labels",
    ),
}
