"""The scene: lines, zones and the ground in the view of one camera, read and checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta
from omegaconf import OmegaConf

from vidan.config.check import check
from vidan.errors import ConfigError, did_you_mean
from vidan.geometry import Anchor, is_simple, on_one_line
from vidan.options import expanded
from vidan.scene import SceneContext
from vidan.support.yaml_limit import load_yaml

from .ground import fit_ground

log = logging.getLogger(__name__)

Points = npt.NDArray[np.float64]

MAX_ASPECT_DIFFERENCE = 0.01
"""Relative difference of aspect ratios that is not worth a warning."""

MIN_GROUND_POINTS = 4
"""Points that determine the homography of a plane."""

Labels = list[Annotated[str, Meta(min_length=1)]] | None
Seconds = Annotated[float, Meta(ge=0)]

LINE_KEYS = {
    "from": Any,
    "to": Any,
    "in": Literal["left", "right"],
    "labels": Labels,
    "anchor": Anchor,
}
ZONE_KEYS = {
    "polygon": Any,
    "labels": Labels,
    "anchor": Anchor,
    "loiter": Seconds | dict[str, Seconds],
    "crowd": Any,
    "direction": Any,
}
CROWD_KEYS = {"more_than": Annotated[int, Meta(ge=0)], "for": Seconds}
GROUND_KEYS = {"points": Any, "meters": Any}
SCENE_KEYS = ("path", "size", "lines", "zones", "ground")


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Points in the image, as they are in the scene.

    Attributes:
        key: place in the scene, for errors, such as `scene.lines.door`.
        points: (N,2) fractions of width and height, or px.
        fractions: whether they are fractions.
        drawn_for: width and height, px, of the image that px refer to; None for any image.
    """

    key: str
    points: Points
    fractions: bool
    drawn_for: tuple[int, int] | None = None

    def pixels(self, width: int, height: int) -> Points:
        """The points (N,2) in px of an image.

        Raises:
            ConfigError: a point is outside of it.
        """
        if self.fractions:
            return self.points * [width, height]
        wide, high = self.drawn_for or (width, height)
        outside = (self.points > [wide, high]).any(axis=1)
        if outside.any():
            point = self.points[int(outside.argmax())].tolist()
            raise ConfigError(f"{self.key}: {point} is outside the image of {wide}x{high} px")
        return self.points * [width / wide, height / high]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line to cross.

    Attributes:
        name: of the line.
        outline: its two end points.
        right_is_in: whether movement to the right, as seen from the first point facing the second,
            is "in".
        labels: of the objects that count; None for all.
        anchor: the point of a box that crosses.
    """

    name: str
    outline: Outline
    right_is_in: bool
    labels: tuple[str, ...] | None
    anchor: Anchor


@dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A polygon to be in.

    Attributes:
        name: of the zone.
        outline: its corners.
        labels: of the objects that count; None for all.
        anchor: the point of a box that is inside or outside.
        loiter: seconds after which an object loiters, for all labels or by label; None: never.
        crowd: number of objects above which it is crowded, and seconds after which; None: never.
        direction: two points, the first and the second of an arrow along which objects may move;
            None: any direction.
    """

    name: str
    outline: Outline
    labels: tuple[str, ...] | None
    anchor: Anchor
    loiter: float | Mapping[str, float] | None
    crowd: tuple[int, float] | None
    direction: Outline | None

    def loiter_after(self, label: str) -> float | None:
        """Seconds after which an object with a label loiters; None: never."""
        return self.loiter.get(label) if isinstance(self.loiter, Mapping) else self.loiter


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Points on the ground, in the image and in the world.

    Attributes:
        outline: in the image.
        meters: (N,2) in a plane coordinate system on the ground, m.
    """

    outline: Outline
    meters: Points


@dataclass(frozen=True, slots=True)
class Scene:
    """What is where in the view of a camera.

    Attributes:
        lines: in the order of the scene.
        zones: in the order of the scene.
        ground: None if it is not known.
        drawn_for: width and height of the image that the scene was drawn for; None if not known.
        checked: sizes of images, px, that it was checked against.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    ground: Ground | None = None
    drawn_for: tuple[int, int] | None = None
    checked: set[tuple[int, int]] = field(default_factory=set, compare=False, repr=False)

    def check_labels(self, known: Sequence[str]) -> None:
        """Check that the labels of all shapes are among those of the model; () for any labels.

        Raises:
            ConfigError: one is not.
        """
        named = {f"scene.lines.{line.name}.labels": line.labels for line in self.lines}
        named |= {f"scene.zones.{zone.name}.labels": zone.labels for zone in self.zones}
        for zone in self.zones:
            if isinstance(zone.loiter, Mapping):
                named[f"scene.zones.{zone.name}.loiter"] = tuple(zone.loiter)
        for key, labels in named.items() if known else ():
            for label in labels or ():
                if label not in known:
                    near = did_you_mean(label, known)
                    raise ConfigError(f"{key}: the model has no label {label!r}: {near}")

    def check_size(self, width: int, height: int) -> None:
        """Check the scene against the size of the images, px; a warning is given once.

        Raises:
            ConfigError: a point is outside the image.
        """
        if (width, height) in self.checked:
            return
        ground = () if self.ground is None else (self.ground.outline,)
        directions = (zone.direction for zone in self.zones if zone.direction is not None)
        lines = (line.outline for line in self.lines)
        zones = (zone.outline for zone in self.zones)
        for outline in (*lines, *zones, *directions, *ground):
            outline.pixels(width, height)
        self.checked.add((width, height))
        if self.drawn_for is None:
            return
        aspect, drawn = width / height, self.drawn_for[0] / self.drawn_for[1]
        if abs(aspect / drawn - 1) > MAX_ASPECT_DIFFERENCE:
            log.warning(
                "scene.size: the scene was drawn for images of %dx%d px, but these have %dx%d px, "
                "another aspect ratio: check where its lines and zones are",
                *(*self.drawn_for, width, height),
            )


def load_scene(given: SceneContext | Mapping[str, Any] | str | None) -> Scene:
    """Read and check a scene.

    Args:
        given: what a run knows of it, its content, or the path of a file; None for an empty scene.

    Raises:
        ConfigError: the file cannot be read, or the scene is invalid; names the shape.
    """
    context = given if isinstance(given, SceneContext) else SceneContext(_mapping(given))
    if "scene" not in context.read:
        context.read["scene"] = _load(context)
    scene: Scene = context.read["scene"]
    return scene


def _load(context: SceneContext) -> Scene:
    values = dict(context.values)
    if values.get("path") is not None:
        values = with_overrides(_read(expanded(str(values["path"]))), values)
    scene = _scene(values)
    scene.check_labels(context.labels)
    if context.size is not None:
        scene.check_size(*context.size)
    return scene


def _mapping(given: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if given is None:
        return {}
    return {"path": given} if isinstance(given, str) else given


def with_overrides(content: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a scene file, with what `values` has beside its path."""
    added = {key: value for key, value in values.items() if key != "path" and value is not None}
    return dict(OmegaConf.to_container(OmegaConf.merge(content, added)))  # type: ignore[arg-type]


def _read(path: Path) -> Any:
    """The content of a scene file."""
    try:
        content = load_yaml(path)
    except OSError as error:
        raise ConfigError(
            f"cannot read the scene {str(path)!r}: {error.strerror or error}"
        ) from error
    except Exception as error:  # of the YAML parser: a name that is used twice among others
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise ConfigError(f"scene={str(path)!r}: {reason}{where}") from error
    if not OmegaConf.is_dict(content):
        raise ConfigError(f"scene={str(path)!r}: expected keys such as lines and zones")
    return content


def _scene(values: Mapping[str, Any]) -> Scene:
    _check_keys("scene", values, SCENE_KEYS)
    size = values.get("size")
    if size is not None:
        pair = Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=2, max_length=2)]
        check("scene.size", size, pair)
    drawn_for = None if size is None else (size[0], size[1])
    lines = _group("scene.lines", values.get("lines"))
    zones = _group("scene.zones", values.get("zones"))
    if both := sorted(lines.keys() & zones.keys()):
        raise ConfigError(f"scene.zones.{both[0]}: there is a line named {both[0]!r} too")
    return Scene(
        tuple(_line(name, options, drawn_for) for name, options in lines.items()),
        tuple(_zone(name, options, drawn_for) for name, options in zones.items()),
        None if values.get("ground") is None else _ground(values["ground"], drawn_for),
        drawn_for,
    )


def _group(key: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key}: expected names and shapes, not {value!r}")
    return {str(name): options for name, options in value.items()}


def _check_keys(key: str, values: Any, known: Iterable[str]) -> None:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{key}: expected keys and values, not {values!r}")
    for name in values:
        if name not in known:
            raise ConfigError(f"{key}: unknown key {name!r}: {did_you_mean(str(name), known)}")


def _checked(key: str, values: Any, hints: Mapping[str, Any], required: Iterable[str]) -> None:
    """Check the keys of a shape, and the values that have a type hint."""
    _check_keys(key, values, hints)
    for name in required:
        if values.get(name) is None:
            raise ConfigError(f"{key}: missing {name!r}")
    for name, value in values.items():
        if hints[name] is not Any:
            check(f"{key}.{name}", value, hints[name])


def _line(name: str, values: Any, drawn_for: tuple[int, int] | None) -> Line:
    key = f"scene.lines.{name}"
    _checked(key, values, LINE_KEYS, ("from", "to"))
    outline = _outline(key, [values["from"], values["to"]], drawn_for)
    if (outline.points[0] == outline.points[1]).all():
        raise ConfigError(f"{key}: 'from' and 'to' are the same point, so the line has no length")
    return Line(
        name,
        outline,
        values.get("in", "right") == "right",
        _labels(values),
        values.get("anchor", "bottom"),
    )


def _zone(name: str, values: Any, drawn_for: tuple[int, int] | None) -> Zone:
    key = f"scene.zones.{name}"
    _checked(key, values, ZONE_KEYS, ("polygon",))
    outline = _outline(f"{key}.polygon", values["polygon"], drawn_for)
    if len(outline.points) < 3:
        raise ConfigError(f"{key}.polygon: expected at least 3 points, not {len(outline.points)}")
    if on_one_line(outline.points):
        raise ConfigError(f"{key}.polygon: its points are on one line, so it has no area")
    if not is_simple(outline.points):
        raise ConfigError(f"{key}.polygon intersects itself: list its corners in order")
    crowd = values.get("crowd")
    if crowd is not None:
        _checked(f"{key}.crowd", crowd, CROWD_KEYS, ("more_than", "for"))
        crowd = crowd["more_than"], crowd["for"]
    return Zone(
        name,
        outline,
        _labels(values),
        values.get("anchor", "bottom"),
        values.get("loiter"),
        crowd,
        _direction(f"{key}.direction", values.get("direction"), drawn_for),
    )


def _direction(key: str, value: Any, drawn_for: tuple[int, int] | None) -> Outline | None:
    if value is None:
        return None
    outline = _outline(key, value, drawn_for)
    if len(outline.points) != 2:
        raise ConfigError(f"{key}: expected two points, not {len(outline.points)}")
    if (outline.points[0] == outline.points[1]).all():
        raise ConfigError(f"{key}: its points are the same, so it has no direction")
    return outline


def _ground(values: Any, drawn_for: tuple[int, int] | None) -> Ground:
    key = "scene.ground"
    _checked(key, values, GROUND_KEYS, ("points", "meters"))
    outline = _outline(f"{key}.points", values["points"], drawn_for)
    meters = _numbers(f"{key}.meters", values["meters"])
    for where, points in ((f"{key}.points", outline.points), (f"{key}.meters", meters)):
        if len(points) < MIN_GROUND_POINTS:
            raise ConfigError(f"{where}: expected at least 4 points, not {len(points)}")
        if not _determine_a_plane(points):
            raise ConfigError(
                f"{where}: three of them are on one line: choose four points of which no three are"
            )
    if len(meters) != len(outline.points):
        raise ConfigError(
            f"{key}: expected as many points in 'meters' ({len(meters)}) as in 'points' "
            f"({len(outline.points)})"
        )
    try:
        fit_ground(outline.points, meters)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
    return Ground(outline, meters)


def _determine_a_plane(points: Points) -> bool:
    """Whether four of the points (N,2) have no three on one line."""
    return any(
        not any(on_one_line(points[list(three)]) for three in combinations(four, 3))
        for four in combinations(range(len(points)), MIN_GROUND_POINTS)
    )


def _labels(values: Mapping[str, Any]) -> tuple[str, ...] | None:
    labels = values.get("labels")
    return None if labels is None else tuple(labels)


def _outline(key: str, value: Any, drawn_for: tuple[int, int] | None) -> Outline:
    """Points of a shape: fractions if all are from 0 to 1, else px."""
    points = _numbers(key, value)
    fractions = bool((points <= 1).all())
    # A px coordinate between 0 and 1 is hardly meant; a fraction above 1 is a common mistake.
    mixed = not fractions and bool(((points > 0) & (points < 1)).any())
    outside = (points < 0).any(axis=1) | (mixed & (points > 1).any(axis=1))
    if outside.any():
        point = points[int(outside.argmax())].tolist()
        raise ConfigError(
            f"{key}: {point} is outside the image: expected fractions from 0 to 1, or px"
        )
    outline = Outline(key, points, fractions, drawn_for)
    if drawn_for is not None:
        outline.pixels(*drawn_for)
    return outline


def _numbers(key: str, value: Any) -> Points:
    """Points (N,2).

    Raises:
        ConfigError: it is not a list of pairs of finite numbers.
    """
    is_number: Callable[[Any], bool] = lambda v: (  # noqa: E731
        isinstance(v, int | float) and not isinstance(v, bool) and bool(np.isfinite(v))
    )
    rows = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    for row in rows:
        pair = isinstance(row, Sequence) and not isinstance(row, str) and len(row) == 2
        if not pair or not all(is_number(v) for v in row):
            raise ConfigError(f"{key}: expected points [x, y], not {row!r}")
    return np.array(rows, np.float64).reshape(-1, 2)
