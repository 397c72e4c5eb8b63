"""Several streams: the configuration of each, from what it overrides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from ..errors import ConfigError, did_you_mean
from ..kinds import KINDS
from ..options import expanded
from ..support.yaml_limit import load_yaml
from .compose import compose
from .quoting import in_hydra_quotes, written
from .search_path import RUN, Start
from .shards import Shard

GROUPS = (*(k for k in KINDS if KINDS[k].in_run), "scene", "drawing", "pipeline")
"""Config groups of which a stream may choose options."""

KEYS = (*GROUPS, "counts", "images", "max_frames", "on_sink_error")
"""What a stream may override."""

SHARED = ("pipeline.workers", "pipeline.max_batch", "pipeline.detection_timeout")
"""What all streams have in common."""

NAME = re.compile(r"[\w-][\w.-]*")
"""Names of streams, which are names of folders too."""


def stream_configs(
    config: DictConfig, overrides: Sequence[str], start: Start = RUN
) -> dict[str, DictConfig]:
    """The configuration of each stream, by its name; {} without `streams`.

    Args:
        config: of the whole run.
        overrides: that it was composed from.
        start: the file that it starts from.

    Raises:
        ConfigError: there are no streams, none is in the shard, or one is not valid.
    """
    if config.get("streams") is None:
        if config.get("shard") is not None:
            raise ConfigError("shard: it divides streams: set streams=<file>")
        return {}
    found = _read(config.streams)
    if config.get("shard") is not None:
        shard = Shard.parse(str(config.shard))
        own = {name: values for name, values in found.items() if shard.has(name)}
        if not own:
            raise ConfigError(
                f"shard={config.shard}: none of the {len(found)} streams belongs to it, as their "
                "names decide: use fewer shards"
            )
        found = own
    common = [o for o in overrides if o.lstrip("+").partition("=")[0] not in ("streams", "shard")]
    return {name: _composed(name, values, common, start) for name, values in found.items()}


def _read(streams: Any) -> dict[str, Mapping[str, Any]]:
    """What each stream overrides, by its name."""
    where = "streams"
    if isinstance(streams, str):
        where, streams = repr(streams), _load(streams)
    values = OmegaConf.to_container(streams) if isinstance(streams, DictConfig) else streams
    if not isinstance(values, Mapping) or not values:
        raise ConfigError(f"{where}: expected names of streams, each with what it overrides")
    names: dict[str, str] = {}
    for name, given in values.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ConfigError(
                f"{where}: {name!r} is not a name of a stream: expected letters, digits, _, - and ."
            )
        if (other := names.setdefault(name.casefold(), name)) != name:
            raise ConfigError(f"{where}: {other!r} and {name!r} would have the same folder")
        if not isinstance(given, Mapping):
            raise ConfigError(f"{where}: {name}={given!r}: expected what the stream overrides")
    return dict(values)


def _load(path: str) -> Any:
    try:
        return load_yaml(expanded(path))
    except OSError as error:
        raise ConfigError(f"streams={path!r}: cannot read it: {error.strerror}") from error
    except YAMLError as error:
        text = " ".join(str(error).split())
        raise ConfigError(f"streams={path!r}: not a YAML file of streams: {text}") from error


def _composed(
    name: str, values: Mapping[str, Any], common: Sequence[str], start: Start
) -> DictConfig:
    try:
        own = list(_overrides(values))
        config = compose([*(o for o in common if _applies(o, own)), *own], *start)
        config.streams = config.shard = None  # a job file may set them
    except ConfigError as error:
        raise ConfigError(f"stream {name!r}: {error}") from error
    if "stream" in config.source:
        config.source.stream = name
    return config


def _applies(override: str, own: Sequence[str]) -> bool:
    """Whether an override of all streams is about a component that a stream does not replace."""
    group, _, rest = override.lstrip("+").partition("=")[0].partition(".")
    chosen = [value for key, _, value in (o.partition("=") for o in own) if key == group]
    if not rest or not chosen or group not in KINDS:
        return True
    component = rest.partition(".")[0]
    return KINDS[group].many and component in re.findall(r"\w+", chosen[-1])


def _overrides(values: Mapping[str, Any]) -> Iterator[str]:
    """What a stream overrides, as on the command line."""
    for key, value in values.items():
        key = str(key)
        group = key.lstrip("+").partition(".")[0]
        if group not in KEYS:
            raise ConfigError(f"it cannot override {key!r}: {did_you_mean(key, KEYS)}")
        yield from _leaves(key, value)


def _leaves(key: str, value: Any) -> Iterator[str]:
    if key.lstrip("+") in SHARED:
        raise ConfigError(f"it cannot override {key!r}: all streams share it")
    if isinstance(value, Mapping):
        chosen = dict(value)
        if key in KINDS and "name" in chosen:  # an option of a config group
            yield from _leaves(key, chosen.pop("name"))
        for inner, each in chosen.items():
            yield from _leaves(f"{key}.{inner}", each)
    else:
        yield f"{key}={written(value, _quoted)}"


def _quoted(text: str) -> str:
    return in_hydra_quotes(f"={text}")[1:]
