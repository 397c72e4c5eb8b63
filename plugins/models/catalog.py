"""The catalog of public detectors: addresses, sizes, licenses and checksums.

The entries are in `catalog.yaml` next to this file, and in the user's own `models.yaml`, whose
entries have priority. A checksum that is unknown is left out, never guessed.
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

DETECTOR_OPTIONS = {
    **{key: key for key in ("decode", "letterbox", "pad", "channels", "scale", "mean", "std")},
    "layout": "layout",
    "input_size": "size",
}
"""Keys of an entry that set options of the detector; its key `size` is the size of the file."""

MAX_SHOWN_ERROR = 200
"""Characters of a YAML error that are shown."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A model that can be downloaded.

    Attributes:
        name: as in `detector.model`.
        url: http or https.
        size: of the file, bytes; None if unknown.
        sha256: of the file, in hexadecimal; None if unknown.
        license: as its authors state it.
        about: a one-line description.
        labels: a list, or a name or a file as in `detector.labels`; None to use the model's own.
        options: options of the detector that the model needs.
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
    """Path of the user's own catalog; the file may not exist."""
    return platformdirs.user_config_path("vidan") / "models.yaml"


def cache_folder() -> Path:
    """Folder of the downloaded models; it may not exist yet."""
    return platformdirs.user_cache_path("vidan") / "models"


def catalog() -> dict[str, CatalogEntry]:
    """All entries by name; the user's entries replace built-in ones.

    Raises:
        ConfigError: the user's file is not a valid catalog.
    """
    built_in = _read(Path(str(files("vidan_plugins.models") / "catalog.yaml")))
    own = user_file()
    return {**built_in, **(_read(own) if own.is_file() else {})}


def find_entry(name: str) -> CatalogEntry:
    """The entry with a name.

    Raises:
        ConfigError: there is none.
    """
    known = catalog()
    if name not in known:
        raise ConfigError(f"unknown model {name!r}: {did_you_mean(name, known)}")
    return known[name]


def model_path(entry: CatalogEntry) -> Path:
    """Path of the file of an entry after it was downloaded."""
    return cache_folder() / f"{entry.name}.onnx"


def find_downloaded(name: str) -> tuple[CatalogEntry, Path] | None:
    """The entry and the file of a model in the catalog; None if there is no such entry.

    Raises:
        ConfigError: the user's catalog is invalid.
        ModelError: the model has not been downloaded.
    """
    entry = catalog().get(name)
    if entry is None:
        return None
    path = model_path(entry)
    if not path.is_file():
        raise ModelError(f"model {name!r} is not downloaded yet: run vidan models pull {name}")
    return entry, path


def _read(path: Path) -> dict[str, CatalogEntry]:
    from omegaconf import OmegaConf  # slow to import, and `vidan --help` does not need it

    try:
        found = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except Exception as error:  # errors of YAML and OmegaConf have no common base class
        text = " ".join(str(error).split())[:MAX_SHOWN_ERROR]
        raise ConfigError(f"the catalog {str(path)!r} is not YAML: {text}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"the catalog {str(path)!r}: expected models by name")
    return {str(name): _entry(path, str(name), each) for name, each in found.items()}


def _entry(path: Path, name: str, found: Any) -> CatalogEntry:
    where = f"the catalog {str(path)!r}: {name!r}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where}: expected a name of letters, digits, '.', '_' and '-'")
    if not isinstance(found, dict):
        raise ConfigError(f"{where}: expected keys such as url, size, sha256, license")
    known = {f.name for f in fields(CatalogEntry)} - {"name", "options"} | set(DETECTOR_OPTIONS)
    for key in found:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}: {did_you_mean(str(key), known)}")
    given = {key: value for key, value in found.items() if value is not None}
    for key, (is_valid, expected) in _CHECKS.items():
        if (key in given or key == "url") and not is_valid(given.get(key)):
            raise ConfigError(f"{where}: {key}={given.get(key)!r}: expected {expected}")
    options = {option: given.pop(key) for key, option in DETECTOR_OPTIONS.items() if key in given}
    if isinstance(given.get("labels"), list):
        given["labels"] = tuple(given["labels"])
    return CatalogEntry(name=name, options=options, **given)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_CHECKS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "url": (
        lambda v: _is_text(v) and v.startswith(("http://", "https://")),
        "an address that starts with https://",
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
