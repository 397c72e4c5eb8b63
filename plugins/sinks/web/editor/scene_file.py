"""A scene file that is edited: checked, written as a whole, with its comments and last version."""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from vidan.errors import ConfigError
from vidan.support.replace import replaced
from vidan.support.yaml_limit import check_yaml

GROUPS = ("lines", "zones")
"""Keys of the shapes by name."""

EDITED = (*GROUPS, "ground")
"""Keys that the editor changes; others stay as they are."""

MAX_SHAPES = 200
"""Lines and zones, together."""

MAX_POINTS = 200
"""Points of a shape."""

MAX_NAME = 64
"""Characters of a name."""

LINE_WIDTH = 4096
"""Characters after which YAML is wrapped: never in practice."""


class ConflictError(Exception):
    """The file was changed by somebody else since it was read."""


class SceneFile:
    """A scene file that is edited; thread-safe.

    Args:
        path: of the file; it is created if it does not exist.
        check: called with the values of a new scene before they are written.
    """

    def __init__(self, path: Path, check: Callable[[Mapping[str, Any]], None]) -> None:
        self.path = path.resolve()  # the target of a link is replaced, not the link
        self._check = check
        self._lock = threading.Lock()

    def read(self) -> tuple[dict[str, Any], str]:
        """The values in the file, and its version: equal for equal contents.

        Raises:
            ConfigError: it cannot be read.
        """
        text = self._text()
        return _values(text), _version(text)

    def write(
        self,
        changed: Mapping[str, Any],
        version: str,
        apply: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> str:
        """Replace the lines, zones and ground in the file.

        Comments, other keys and shapes that are equal stay as they are. The content so far is kept
        in `<name>.bak`.

        Args:
            changed: `lines`, `zones` and `ground`.
            version: of the content that was edited.
            apply: called with the new values after they were written.

        Returns:
            The new version.

        Raises:
            ConflictError: the file has another version.
            ConfigError: the scene is invalid, or the file cannot be written.
        """
        with self._lock:
            text = self._text()
            if _version(text) != version:
                raise ConflictError
            before = _values(text)
            after = {key: value for key, value in before.items() if key not in EDITED}
            after |= {key: changed[key] for key in EDITED if changed.get(key)}
            _check_limits(after)
            _check_interpolations(before, after)
            self._check(after)
            new = _edited(text, before, after)
            if _values(new) != after:
                raise ConfigError(
                    f"{self.path.name} uses YAML that cannot be edited here without loss, such as "
                    "anchors: edit it by hand"
                )
            self._save(new)
            apply(after)
            return _version(new)

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(f"cannot read the scene {self.path.name!r}: {reason}") from error

    def _save(self, text: str) -> None:
        try:
            if self.path.exists():
                backup = self.path.with_name(f"{self.path.name}.bak")
                with replaced(backup) as part:
                    shutil.copy2(self.path, part)
            with replaced(self.path) as part:
                part.write_text(text, encoding="utf-8")
                with suppress(FileNotFoundError):
                    shutil.copymode(self.path, part)
        except OSError as error:
            raise ConfigError(
                f"cannot write the scene {self.path.name!r}: {error.strerror or error}"
            ) from error


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _values(text: str) -> dict[str, Any]:
    """The content of a scene file, with interpolations as they are written.

    Raises:
        ConfigError: it is not one.
    """
    try:
        check_yaml(text)
        content = OmegaConf.load(io.StringIO(text)) if text.strip() else OmegaConf.create()
        values = OmegaConf.to_container(content, resolve=False)
    except Exception as error:  # of the YAML parser
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ConfigError(f"the scene file cannot be read: {reason}") from error
    if not isinstance(values, dict):
        raise ConfigError("the scene file cannot be read: expected keys such as lines and zones")
    groups = {key: values.get(key) or {} for key in GROUPS}
    if not all(isinstance(group, dict) for group in groups.values()):
        raise ConfigError("the scene file cannot be read: expected names and shapes")
    return {str(key): value for key, value in values.items() if value or key not in EDITED}


def _check_limits(values: Mapping[str, Any]) -> None:
    """Check what no scene that a person draws has.

    Raises:
        ConfigError: there are too many shapes or points, or a name is not one.
    """
    count = 0
    for key in GROUPS:
        group = values.get(key) or {}
        if not isinstance(group, Mapping):
            raise ConfigError(f"scene.{key}: expected names and shapes")
        count += len(group)
        for name, shape in group.items():
            if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
                raise ConfigError(
                    f"scene.{key}: a name has 1 to {MAX_NAME} printable characters, not {name!r}"
                )
            if isinstance(shape, Mapping):
                for outline in shape.values():
                    if isinstance(outline, list) and len(outline) > MAX_POINTS:
                        raise ConfigError(f"scene.{key}.{name}: more than {MAX_POINTS} points")
    if count > MAX_SHAPES:
        raise ConfigError(f"scene: more than {MAX_SHAPES} lines and zones")


def _check_interpolations(before: Any, after: Any) -> None:
    """Check that a browser adds no `${...}`, which could read environment variables and files.

    Raises:
        ConfigError: it does.
    """
    known = {text for text in _texts(before) if "${" in text}
    for text in _texts(after):
        if "${" in text and text not in known:
            raise ConfigError("scene: '${' can only be written by hand")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _edited(text: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """A YAML document with new values, and the comments of the old one."""
    parser = YAML()
    parser.preserve_quotes = True
    parser.width = LINE_WIDTH
    document = parser.load(text) or CommentedMap()
    for key in EDITED:
        if before.get(key) == after.get(key):
            continue
        if key not in after:
            del document[key]
        elif key == "ground" or not document.get(key):
            block = {name: _node(shape) for name, shape in after[key].items()}
            document[key] = CommentedMap({_text(name): node for name, node in block.items()})
        else:
            _edit_group(document[key], before.get(key) or {}, after[key])
    buffer = io.StringIO()
    parser.dump(document, buffer)
    return buffer.getvalue()


def _edit_group(group: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Change the shapes that differ, key by key, so that the comments of others stay."""
    for name in [name for name in group if str(name) not in after]:
        del group[name]
    for name, shape in after.items():
        old = before.get(name)
        if old == shape:
            continue
        if not isinstance(old, Mapping) or not isinstance(group.get(name), CommentedMap):
            group[_text(name)] = _node(shape)
            continue
        node = group[name]
        for key in [key for key in node if key not in shape]:
            del node[key]
        for key, value in shape.items():
            if key not in old or old[key] != value:
                node[key] = _node(value)


def _node(value: Any) -> Any:
    """A YAML node for a new value, on one line."""
    if isinstance(value, Mapping):
        node = CommentedMap({_text(key): _node(each) for key, each in value.items()})
        node.fa.set_flow_style()
        return node
    if isinstance(value, list):
        sequence = CommentedSeq([_node(each) for each in value])
        sequence.fa.set_flow_style()
        return sequence
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """A text that every YAML parser reads as text: `yes` and `12` need quotes."""
    try:
        plain = yaml.safe_load(text) == text
    except yaml.YAMLError:
        plain = False
    return text if plain and text.isprintable() else DoubleQuotedScalarString(text)
