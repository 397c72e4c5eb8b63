"""The configuration of a batch job, and that of its runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta
from omegaconf import DictConfig, OmegaConf, open_dict

from vidan import options
from vidan.config.check import checked
from vidan.config.compose import chosen_groups, compose
from vidan.config.resolve import resolved
from vidan.errors import ConfigError
from vidan.execution.inputs import identities
from vidan.execution.settings import RunSettings

OWN = ("runner", "run_dir", "shard", "split", "retries", "retry_failed", "threads")
"""Keys of `conf/batch.yaml` that are not passed on to runs."""

COMMON = ("quiet", "plugins_dir")
"""Its keys that runs have too."""

EACH = ("run_dir", "quiet", "resumable")
"""Keys of a run that its outputs do not depend on."""

WHOLE = {
    "source.name": "file",
    "source.live": None,
    "source.loop": False,
    "source.rate": None,
    "source.hwaccel": "none",
    "detector.when": "always",
    "pipeline.detect_every": 1,
    "max_frames": None,
}
"""Values without which each frame of a file is not detected, or not as in a part of the file."""

MIN_SPLIT_S = 10.0
"""Shortest parts, s: each begins with the decoding of some seconds before it."""

WORKERS = 2
"""Threads that call the detector at most, as in a run over a file."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """The configuration of a batch job.

    Attributes:
        run_dir: folder of the outputs.
        shard: share of the files, as in `0/3`; None for all.
        split: length of the parts of long files that are detected in parallel, s or with a unit;
            None to detect each file in its job.
        runner: name and options of the runner.
        retries: further attempts with a file that failed.
        retry_failed: whether to try files again that failed earlier.
        threads: compute threads of each job.
        quiet: whether to print warnings and errors only.
    """

    run_dir: str
    shard: str | None
    split: str | float | None
    runner: Mapping[str, Any]
    retries: Annotated[int, Meta(ge=0)]
    retry_failed: bool
    threads: Annotated[int, Meta(ge=1)]
    quiet: bool


def read_settings(overrides: Sequence[str]) -> tuple[BatchSettings, DictConfig]:
    """The settings of a batch job, and the configuration of its runs.

    Args:
        overrides: of both, as on the command line.

    Raises:
        ConfigError: one is not valid.
    """
    own, rest = [], []
    for override in overrides:
        key = override.lstrip("+~").partition("=")[0].partition(".")[0]
        if key in (*OWN, *COMMON):
            own.append(override)
        if key not in OWN:
            rest.append(override)
    settings = checked(BatchSettings, resolved(compose(own, "batch")))
    config = _run_config(rest, settings.threads)
    if settings.split is not None:
        _check_split(settings.split, config)
    return settings, config


def _check_split(split: str | float, config: DictConfig) -> None:
    """Check that files can be detected in parts of this length.

    Raises:
        ConfigError: they cannot.
    """
    if options.duration("split", split) < MIN_SPLIT_S:
        raise ConfigError(f"split={split!r}: expected at least {MIN_SPLIT_S:g} s")
    for key, value in WHOLE.items():
        if (given := OmegaConf.select(config, key)) != value:
            raise ConfigError(f"split does not work with {key}={given!r}: leave out one of them")


def _run_config(overrides: Sequence[str], threads: int) -> DictConfig:
    """The configuration of the runs, with `sink=parquet`."""
    chosen = chosen_groups(overrides)
    defaults = {"source": "file", "sink": "[parquet]"}
    given = [f"{key}={value}" for key, value in defaults.items() if key not in chosen]
    config = compose([*given, *overrides])
    if config.get("streams") is not None:
        raise ConfigError("streams: vidan batch has one stream per file: leave it out")
    if "path" not in list(config.source):  # also if it is missing
        raise ConfigError(
            f"source={config.source.name}: vidan batch reads files: set source=file or "
            "source=images"
        )
    if OmegaConf.is_missing(config.source, "path"):
        raise ConfigError("missing source.path: set source.path=<pattern>")
    with open_dict(config):
        if "parquet" not in config.sink:
            config.sink.parquet = compose(["sink=[parquet]"]).sink.parquet
    if OmegaConf.to_container(config.sink)["parquet"]["path"] != "${run_dir}/dataset":  # type: ignore[index,call-overload]
        raise ConfigError("sink.parquet.path: vidan batch writes the dataset into run_dir")
    config.resumable = False
    if config.source.get("threads") == 0:
        config.source.threads = threads
    if config.pipeline.workers is None:
        config.pipeline.workers = min(WORKERS, threads)
    RunSettings.from_config(config)
    return config


def identity(config: DictConfig) -> dict[str, str]:
    """What the outputs depend on: a hash of each value of the configuration, by its key."""
    values = OmegaConf.to_container(config)
    assert isinstance(values, dict)
    for key in EACH:
        values.pop(key, None)
    found = dict(_leaves(values))
    components = {"detector": resolved(config.detector, "detector")}
    found |= {f"{key} (content)": each for key, each in identities(components).items()}
    return {key: digest(value)[:16] for key, value in found.items()}


def digest(value: Any) -> str:
    """The SHA-256 of a value that JSON can express."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def _leaves(values: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
