"""The config group `drawing`: what is drawn on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal

from msgspec import Meta

from vidan.config.check import checked
from vidan.errors import ConfigError, did_you_mean

from ...roi import Region, Roi

Values = Mapping[str, Any] | None
"""Options of `Drawing` by name, as a sink takes them; None draws nothing."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn on an image.

    Attributes:
        boxes: the boxes of tracks: solid, or dashed while the object is not detected.
        unconfirmed: thin boxes of detections without a track; all of them if nothing is tracked.
        ids: the ids of tracks.
        labels: the labels of tracks and detections; `auto` only if there is more than one label.
        scores: the scores of detections; `auto` in images of at least 480 px height.
        trails: the trails of tracks.
        scene: lines and zones, with their counts.
        color: of a track: that of its `identity` or of its `label`. Detections without a track
            have the color of their label.
        line_width: px; None for 3 px per 1080 px of the image's height, but at least 2.
        legend: a key to the line styles and, with `color=label`, to the colors.
        roi: outline of this part of the image: left, top, right, bottom, as fractions of the image
            if all are in [0,1], otherwise in px; None for no outline.
        classes: labels that the detector keeps; None for all of the model's. See `labels`.
    """

    boxes: bool = True
    unconfirmed: bool = True
    ids: bool = True
    labels: bool | Literal["auto"] = "auto"
    scores: bool | Literal["auto"] = "auto"
    trails: bool = True
    scene: bool = True
    color: Literal["identity", "label"] = "identity"
    line_width: Annotated[int, Meta(ge=1, le=100)] | None = None
    legend: bool = False
    roi: Roi | None = None
    classes: str | Sequence[str] | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any], prefix: str = "drawing.") -> Drawing:
        """The options of a mapping, checked; those that it lacks have their defaults.

        Args:
            values: by name.
            prefix: in front of a name, for errors.

        Raises:
            ConfigError: there is no such option, or it has an invalid value.
        """
        names = [field.name for field in fields(cls)]
        for name in values:
            if name not in names:
                raise ConfigError(f"{prefix}{name}: {did_you_mean(str(name), names)}")
        found = checked(cls, values, prefix)
        if found.roi is not None:
            try:
                Region(found.roi)
            except ConfigError as error:
                raise ConfigError(f"{prefix}{error}") from error
        return found

    def shows_labels(self, labels: Sequence[str]) -> bool:
        """Whether labels are drawn, given those of the detector."""
        return len(self.kept(labels)) != 1 if self.labels == "auto" else self.labels

    def kept(self, labels: Sequence[str]) -> list[int]:
        """The numbers of the labels that occur, given those of the detector."""
        kept = [self.classes] if isinstance(self.classes, str) else self.classes
        return [n for n, label in enumerate(labels) if kept is None or label in kept]


ALL: Mapping[str, Any] = asdict(Drawing())
"""The options with their defaults."""
