"""The catalog of public models: addresses, sizes, licenses and checksums.

The entries are in `catalog.yaml` next to this file, and in the user's own `models.yaml`, whose
entries have priority. A checksum that is unknown is left out, never guessed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import platformdirs

from vidan.errors import ConfigError, did_you_mean

from .download import Checksum

DETECTOR_OPTIONS = {
    **{key: key for key in ("decode", "letterbox", "pad", "channels", "scale", "mean", "std")},
    "layout": "layout",
    "input_size": "size",
}
"""Keys of an entry that set options of the detector; its key `size` is the size of the file."""

MAX_SHOWN_ERROR = 200
"""Characters of a YAML error that are shown."""

DIGESTS = {"sha384": 96, "sha256": 64}
"""Keys of a checksum and their hexadecimal digits; the first that is given is used."""

FILE_KEYS = ("url", "size", *DIGESTS)

DEFAULT_SUFFIX = ".onnx"

Task = Literal["detection", "appearance"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """A file that can be downloaded.

    Attributes:
        url: http or https.
        size: bytes; None if unknown.
        checksum: None if unknown.
    """

    url: str
    size: int | None = None
    checksum: Checksum | None = None

    @property
    def suffix(self) -> str:
        """Of its name, such as `.onnx`, which is also that of a name without one."""
        return PurePosixPath(urlsplit(self.url).path).suffix or DEFAULT_SUFFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A model that can be downloaded.

    Attributes:
        name: as in `detector.model`.
        files: the model, and those that must lie next to it, such as the weights of an IR.
        license: as its authors state it.
        about: a one-line description.
        task: what it is for: `detection`, or `appearance` for an embedder.
        labels: a list, or a name or a file as in `detector.labels`; None to use the model's own.
        threshold: recommended minimum score; None for the usual one.
        score_scale: level and slope of its scores, see `ScoreScale`; None if not measured.
        options: options of the detector that the model needs.
    """

    name: str
    files: tuple[CatalogFile, ...]
    license: str = "unknown"
    about: str = ""
    task: Task = "detection"
    labels: str | tuple[str, ...] | None = None
    threshold: float | None = None
    score_scale: tuple[float, ...] | None = None
    options: Mapping[str, Any]

    @property
    def size(self) -> int | None:
        """Bytes of all files; None if unknown."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def is_verifiable(self) -> bool:
        """Whether the checksums of all files are known."""
        return all(file.checksum is not None for file in self.files)


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
    own = user_file()
    return {**_built_in(), **(_read(own) if own.is_file() else {})}


def entry_of(path: Path) -> CatalogEntry | None:
    """The built-in entry of a detection model, by the size and the checksum of its file."""
    size = path.stat().st_size
    for entry in _built_in().values():
        model, *_ = entry.files
        if entry.task == "detection" and model.size == size and model.checksum is not None:
            with suppress(OSError), path.open("rb") as file:  # reported when it is opened
                digest = hashlib.file_digest(file, model.checksum.algorithm).hexdigest()
                if digest == model.checksum.digest:
                    return entry
    return None


def _built_in() -> dict[str, CatalogEntry]:
    return _read(Path(str(files("vidan_plugins.models") / "catalog.yaml")))


def find_entry(name: str) -> CatalogEntry:
    """The entry with a name.

    Raises:
        ConfigError: there is none.
    """
    known = catalog()
    if name not in known:
        raise ConfigError(f"unknown model {name!r}: {did_you_mean(name, known)}")
    return known[name]


def file_paths(entry: CatalogEntry) -> tuple[Path, ...]:
    """Paths of the files of an entry after they were downloaded, the model first."""
    return tuple(cache_folder() / f"{entry.name}{file.suffix}" for file in entry.files)


def is_downloaded(entry: CatalogEntry) -> bool:
    """Whether all files of an entry are there."""
    return all(path.is_file() for path in file_paths(entry))


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
    known = {f.name for f in fields(CatalogEntry)} - {"name", "options"}
    known |= {*DETECTOR_OPTIONS, *FILE_KEYS}
    for key in found:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}: {did_you_mean(str(key), known)}")
    given = {key: value for key, value in found.items() if value is not None}
    for key, (is_valid, expected) in _CHECKS.items():
        if key in given and not is_valid(given[key]):
            raise ConfigError(f"{where}: {key}={given[key]!r}: expected {expected}")
    files = _files(where, given)
    options = {option: given.pop(key) for key, option in DETECTOR_OPTIONS.items() if key in given}
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}
    return CatalogEntry(name=name, files=files, options=options, **given)


def _files(where: str, given: dict[str, Any]) -> tuple[CatalogFile, ...]:
    """The files of an entry, whose keys are removed: one with its keys, or a list under `files`."""
    own = {key: given.pop(key) for key in FILE_KEYS if key in given}
    listed = given.pop("files", None)
    if listed is not None and own:
        raise ConfigError(f"{where}: expected either files or {next(iter(own))}, not both")
    if listed is None:
        return (_file(where, own),)
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ConfigError(f"{where}: files={listed!r}: expected a list of files with their url")
    if not listed:
        raise ConfigError(f"{where}: files=[]: expected at least one file")
    return tuple(_file(f"{where}: file {i}", each) for i, each in enumerate(listed, 1))


def _file(where: str, given: Mapping[str, Any]) -> CatalogFile:
    for key in given:
        if key not in FILE_KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}: {did_you_mean(str(key), FILE_KEYS)}")
    for key, (is_valid, expected) in _FILE_CHECKS.items():
        if (given.get(key) is not None or key == "url") and not is_valid(given.get(key)):
            raise ConfigError(f"{where}: {key}={given.get(key)!r}: expected {expected}")
    checksums = [Checksum(key, given[key]) for key in DIGESTS if given.get(key) is not None]
    checksum = checksums[0] if checksums else None
    return CatalogFile(url=given["url"], size=given.get("size"), checksum=checksum)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_digest(digits: int) -> Callable[[Any], Any]:
    return lambda v: _is_text(v) and re.fullmatch(rf"[0-9a-f]{{{digits}}}", v)


_FILE_CHECKS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "url": (
        lambda v: _is_text(v) and v.startswith(("http://", "https://")),
        "an address that starts with https://",
    ),
    "size": (lambda v: type(v) is int and v > 0, "a number of bytes"),
    **{
        name: (_is_digest(digits), f"{digits} hexadecimal digits")
        for name, digits in DIGESTS.items()
    },
}

_CHECKS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "license": (_is_text, "a text"),
    "about": (_is_text, "a text"),
    "task": (lambda v: v in get_args(Task), f"one of {', '.join(get_args(Task))}"),
    "labels": (
        lambda v: _is_text(v) or (isinstance(v, list) and v and all(map(_is_text, v))),
        "a list of labels, or a file or name as in detector.labels",
    ),
    "threshold": (lambda v: _is_number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "score_scale": (
        lambda v: isinstance(v, list) and len(v) == 2 and all(map(_is_number, v)),
        "the level and the slope of its scores, such as [0.4, 2.5]",
    ),
}
