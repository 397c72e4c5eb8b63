"""The description of a trained model, stored with it as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from vidan.errors import ModelError
from vidan.modelspec import ModelSpec

from .anchors import AnchorShapes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModelSpec(ModelSpec):
    """How a model was built and trained, and how it is to be used: the content of `vidan.json`.

    Attributes:
        architecture: key of `efficientdet.ARCHITECTURES`.
        anchors: its anchors.
        provenance: origin and metrics of the model, free form.
    """

    architecture: str
    anchors: AnchorShapes
    class_agnostic: bool = True
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The JSON object stored with every export and read by the detectors."""
        return ModelSpec.to_json(self) | {
            "model": self.architecture,
            "anchors": {
                "scale": self.anchors.scale,
                "octaves": self.anchors.octaves,
                "ratios": list(self.anchors.ratios),
            },
            "provenance": self.provenance,
        }

    @classmethod
    def from_json(cls, text: str) -> TrainedModelSpec:
        """Read the JSON object that `to_json` makes.

        Raises:
            ModelError: the text does not describe a trained model.
        """
        usage = ModelSpec.from_json(text)
        values = json.loads(text)
        try:
            anchors = values["anchors"]
            shapes = AnchorShapes(anchors["scale"], anchors["octaves"], tuple(anchors["ratios"]))
            return cls(
                **{each.name: getattr(usage, each.name) for each in fields(usage)},
                architecture=values["model"],
                anchors=shapes,
                provenance=values["provenance"],
            )
        except (KeyError, TypeError) as error:
            raise ModelError(f"its metadata does not describe its training: {error!r}") from error
