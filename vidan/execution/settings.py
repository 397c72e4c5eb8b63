"""The settings of a run, validated once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta
from omegaconf import DictConfig

from ..config.check import check, checked
from ..config.resolve import resolved
from ..errors import ConfigError, did_you_mean
from ..kinds import KINDS
from ..runtime.motion import MotionSettings


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """The config group `pipeline`.

    Attributes:
        workers: threads that call the detector; None: 2 for files; for live
            sources 1 per stream, up to the number of cores.
        max_batch: frames in one call of the detector at most; None: as many as make it faster.
        buffer: items that wait between two stages where none may be dropped.
        age_limit: drop a live frame for the next one if it would be older than this many detection
            times; None never does.
        detect_every: detect every n-th frame only; the tracker predicts the tracks of the others.
        reset_after: length of an outage after which all tracks are reset, s; None never does.
        detection_timeout: time after which a detection that has not ended fails, s; None for
            never.
    """

    workers: Annotated[int, Meta(ge=1)] | None
    max_batch: Annotated[int, Meta(ge=1)] | None
    buffer: Annotated[int, Meta(ge=1)]
    age_limit: Annotated[float, Meta(ge=1)] | None
    detect_every: Annotated[int, Meta(ge=1)]
    reset_after: Annotated[float, Meta(ge=0)] | None
    detection_timeout: Annotated[float, Meta(gt=0)] | None = 60.0


@dataclass(frozen=True, slots=True)
class CountsSettings:
    """The settings `counts`.

    Attributes:
        reset: when counts start from zero; None: `never` for live sources, `start` for others.
        path: of the file that they are saved to; None: one in `runs/counts` for each stream.
        save_every: time by the clock after which they are saved again, s.
    """

    reset: Literal["never", "daily", "start"] | None = None
    path: str | None = None
    save_every: Annotated[float, Meta(gt=0)] = 60.0


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run; immutable.

    Attributes:
        run_dir: folder of the outputs.
        components: by kind, the options of the component; for kinds with several components, the
            options of each by its name.
        motion: the settings `detector.motion`; None without `detector.when=motion`.
        pipeline: the config group `pipeline`.
        scene: the config group `scene`.
        counts: the settings `counts`.
        max_frames: end after this many frames of the source; None for all.
        on_sink_error: whether to stop the run if a sink fails.
        trace: whether to write a trace.
        resumable: whether to record what `vidan resume` needs.
        images: whether faces and heads are pixelated in images.
    """

    run_dir: Path
    components: Mapping[str, Mapping[str, Any]]
    motion: MotionSettings | None
    pipeline: PipelineSettings
    scene: Mapping[str, Any]
    counts: CountsSettings
    max_frames: Annotated[int, Meta(ge=1)] | None
    on_sink_error: Literal["stop", "continue"]
    trace: bool
    resumable: bool
    images: Literal["original", "blur"] = "original"

    @classmethod
    def from_config(cls, config: DictConfig) -> RunSettings:
        """The settings of a composed configuration.

        Raises:
            ConfigError: a value is missing, has another type or is out of range.
        """
        values = resolved(config)
        kinds = [name for name, kind in KINDS.items() if kind.in_run and _given(values, name)]
        components = {kind: _group(values, kind) for kind in kinds}
        components["detector"], motion = _detector(components["detector"])
        pipeline = checked(PipelineSettings, _group(values, "pipeline"), "pipeline.")
        whole = {
            "run_dir": Path(str(values.get("run_dir", "."))),
            "components": components,
            "motion": motion,
            "pipeline": pipeline,
            "scene": _group(values, "scene"),
            "counts": checked(CountsSettings, _group(values, "counts"), "counts."),
        }
        return checked(cls, values | whole)


def _detector(options: Mapping[str, Any]) -> tuple[Mapping[str, Any], MotionSettings | None]:
    """The options of the detector itself, and the settings of motion if that selects frames."""
    own, motion = dict(options), _group(options, "motion")
    when = own.pop("when", "always")
    own.pop("motion", None)
    check("detector.when", when, Literal["always", "motion"])
    settings = checked(MotionSettings, motion, "detector.motion.")
    known = [field.name for field in fields(MotionSettings)]
    for key in motion.keys() - set(known):
        raise ConfigError(f"unknown key 'detector.motion.{key}': {did_you_mean(str(key), known)}")
    return own, settings if when == "motion" else None


def _given(values: Mapping[str, Any], kind: str) -> bool:
    if kind not in values and KINDS[kind].required:
        raise ConfigError(f"missing {kind}: set {kind}=<name>")
    return kind in values


def _group(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = values.get(name, {})
    if not isinstance(group, Mapping):
        raise ConfigError(f"{name}={group!r}: expected a group of options")
    return group
