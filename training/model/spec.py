"""The description of a trained model, stored with it as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from vidan.errors import ModelError
from vidan.modelspec import ModelSpec

from .anchors import AnchorShapes


@dataclass(frozen=True, slots=True)
class Spec:
    """How a model was built and trained: the content of `vidan.json`.

    Attributes:
        model: key of `model.ARCHITECTURES`.
        labels: names of the classes.
        size: height, width of the input, px.
        shapes: the anchors.
        threshold: default score threshold, in [0,1].
        provenance: origin and metrics of the model, free form.
    """

    model: str
    labels: tuple[str, ...]
    size: tuple[int, int]
    shapes: AnchorShapes
    threshold: float = 0.5
    provenance: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """The JSON object stored with every export and read by the detectors."""
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
    def parse(text: str, source: str) -> Spec:
        """Parse the JSON object that `metadata` made.

        Args:
            text: the JSON text.
            source: name of the file, for errors.

        Raises:
            ModelError: the text does not describe a model.
        """
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
            raise ModelError(f"{source!r} does not describe a model: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{source!r} does not describe a model: {error!r}") from error
