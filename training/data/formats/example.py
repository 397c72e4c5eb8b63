"""`tf.train.Example`: named features, read and written with protobuf alone.

Source of the fields: tensorflow/core/example/{example,feature}.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from vidan.support.extras import import_extra

Value = bytes | float | int
Features = Mapping[str, Sequence[Value]]

_PACKAGE = "vidan.records"  # not "tensorflow", whose own descriptors may be loaded as well


def parse(data: bytes) -> dict[str, list[Any]]:
    """Parse the features of an example, including empty ones.

    Raises:
        ValueError: the data is not an example.
    """
    example = _example()()
    try:
        example.ParseFromString(data)
    except _protobuf("message").DecodeError as error:
        raise ValueError("not a tf.train.Example") from error
    features = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        features[name] = list(getattr(feature, kind).value) if kind else []
    return features


def dump(features: Features) -> bytes:
    """Serialize features; the first value of a list determines its type."""
    example = _example()()
    for name, values in features.items():
        first = values[0] if values else 0.0
        kind = {bytes: "bytes_list", int: "int64_list"}.get(type(first), "float_list")
        getattr(example.features.feature[name], kind).value.extend(values)
    return bytes(example.SerializeToString(deterministic=True))


def _protobuf(module: str) -> Any:
    return import_extra(f"google.protobuf.{module}", "train", "TFRecord files")


@cache
def _example() -> Any:
    """The message class of an example."""
    descriptor_pb2 = _protobuf("descriptor_pb2")
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="vidan/records.proto", package=_PACKAGE, syntax="proto3"
    )
    lists = {"Bytes": field.TYPE_BYTES, "Float": field.TYPE_FLOAT, "Int64": field.TYPE_INT64}
    for kind, number in lists.items():
        file.message_type.add(name=f"{kind}List").field.add(
            name="value", number=1, type=number, label=field.LABEL_REPEATED
        )
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, kind in enumerate(lists, 1):
        _message(feature, f"{kind.lower()}_list", number, f"{kind}List").oneof_index = 0
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    _message(entry, "value", 2, "Feature")
    _message(features, "feature", 1, "Features.FeatureEntry").label = field.LABEL_REPEATED
    _message(file.message_type.add(name="Example"), "features", 1, "Features")
    pool = _protobuf("descriptor_pool").DescriptorPool()
    pool.Add(file)
    return _protobuf("message_factory").GetMessageClass(
        pool.FindMessageTypeByName(f"{_PACKAGE}.Example")
    )


def _message(parent: Any, name: str, number: int, kind: str) -> Any:
    field = _protobuf("descriptor_pb2").FieldDescriptorProto
    return parent.field.add(
        name=name,
        number=number,
        type=field.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{kind}",
        label=field.LABEL_OPTIONAL,
    )
