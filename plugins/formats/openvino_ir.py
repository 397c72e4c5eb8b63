"""OpenVINO IR: a graph in `.xml`, its weights in a `.bin` of the same name, and its metadata.

Source: docs.openvino.ai, "OpenVINO IR format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vidan.errors import ModelError

IR_SUFFIX = ".xml"
WEIGHTS_SUFFIX = ".bin"

EXTRA_FILE = "metadata.yaml"
"""Written next to an IR by Ultralytics, with the keys of its ONNX files."""

HEAD_BYTES = 4096
FIRST_ELEMENT = re.compile(rb"<(\w+)")

NAME_KEY = "model_name"
BACKGROUND_KEY = "background_label_id"
"""Key of the class that a DetectionOutput in the graph leaves out."""


def check_ir(path: Path) -> None:
    """Check that a file is the graph of an IR, and that its weights lie next to it.

    Raises:
        ModelError: it is not, or they do not.
    """
    with path.open("rb") as file:
        root = FIRST_ELEMENT.search(file.read(HEAD_BYTES))
    if root is None or root[1] != b"net":
        raise ModelError("not an OpenVINO IR: expected XML that starts with <net>")
    weights = path.with_suffix(WEIGHTS_SUFFIX)
    if not weights.is_file():
        raise ModelError(
            f"its weights {weights.name!r} are missing: put the file next to it, under that name"
        )


def read_properties(model: Any, path: Path) -> dict[str, str]:
    """The metadata of an IR by key.

    Keys of nested values are joined by `/`, as in `conversion_parameters/scale_values`;
    `model_name` is the name that it was converted under.

    Args:
        model: an openvino.Model.
        path: of its `.xml`.

    Raises:
        ModelError: the metadata file next to it cannot be read.
    """
    found = dict(_flat(model.get_rt_info(), ""))
    found[NAME_KEY] = found.get(f"conversion_parameters/{NAME_KEY}") or model.get_friendly_name()
    for operation in model.get_ops():
        if operation.get_type_name() == "DetectionOutput":
            found[BACKGROUND_KEY] = str(operation.get_attributes()[BACKGROUND_KEY])
    return found | _extra(path.with_name(EXTRA_FILE))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}/")
        else:
            yield f"{prefix}{key}", str(value.value)


def _extra(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    import yaml

    from vidan.support.yaml_limit import check_yaml

    try:
        text = path.read_text(encoding="utf-8")
        check_yaml(text)
        found = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ModelError(f"cannot read its metadata {path.name!r}: {error}") from error
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
