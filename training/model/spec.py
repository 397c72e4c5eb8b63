"""What a trained model is, in the JSON that travels with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from vidan.errors import ModelError
from vidan.modelspec import ModelSpec

from .anchors import AnchorShapes


@dataclass(frozen=True, slots=True)
class Spec:
    """What a model was built and trained as: the content of `vidan.json`.

    Attributes:
        model: key of `model.ARCHITECTURES`.
        labels: names of the classes.
        size: height, width of the input, px.
        shapes: the anchors.
        threshold: default score threshold, in [0,1].
        provenance: where it comes from and how good it is, free form.
    """

    model: str
    labels: tuple[str, ...]
    size: tuple[int, int]
    shapes: AnchorShapes
    threshold: float = 0.5
    provenance: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """The JSON that travels with every export; the detectors read it."""
        spec = ModelSpec(
            labels=self.labels,
            input_size=self.size,
            class_agnostic=True,
            threshold=self.threshold,
        )
        return spec.to_json() | {
            "model": self.model,
            "anchors": {
                "scale": self.shapes.scale,
                "octaves": self.shapes.octaves,
                "ratios": list(self.shapes.ratios),
            },
            "provenance": self.provenance,
        }

    @staticmethod
    def parse(text: str, where: str) -> Spec:
        """The spec in JSON as `metadata` made it; `where` it was found, for errors."""
        try:
            spec = ModelSpec.from_json(text)
            values = json.loads(text)
            anchors = values["anchors"]
            return Spec(
                values["model"],
                spec.labels,
                spec.input_size,
                AnchorShapes(anchors["scale"], anchors["octaves"], tuple(anchors["ratios"])),
                spec.threshold,
                values["provenance"],
            )
        except ModelError as error:
            raise ModelError(f"{where!r} does not describe a model: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{where!r} does not describe a model: {error!r}") from error
