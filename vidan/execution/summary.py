"""The summary of a run, and its `summary.json`."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..interfaces import Sink
from ..runtime.pipeline import Pipeline

log = logging.getLogger(__name__)


TRACE = "trace.json"
"""What a traced run leaves in its folder."""


def _summary(pipeline: Pipeline, config: DictConfig, error: BaseException | None) -> dict[str, Any]:
    directory = Path(config.run_dir)
    notes = [directory / TRACE] if config.trace and (directory / TRACE).exists() else []
    outputs = [
        path for name, sink in pipeline.sinks.items() for path in _outputs(name, sink, config)
    ]
    outages = getattr(pipeline.source, "outages", ())
    return pipeline.stats.summary() | {
        "outages": [outage.summary() for outage in outages],
        "interrupted": pipeline.interrupted is not None,
        "error": None if error is None else str(error),
        "failures": [str(failure) for failure in pipeline.failures],
        "outputs": [*outputs, *map(str, notes), str(directory / "summary.json")],
    }


def _outputs(name: str, sink: Sink, config: DictConfig) -> Sequence[str]:
    """What a sink wrote: as it says by `outputs`, or else the file at its `path`."""
    said: Sequence[str] | None = getattr(sink, "outputs", None)
    if said is not None:
        return said
    path = OmegaConf.select(config, f"sink.{name}.path")
    return [path] if isinstance(path, str) and Path(path).exists() else []


def _write_summary(directory: Path, summary: dict[str, Any]) -> None:
    try:
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (directory / "summary.json").write_text(text + "\n", encoding="utf-8")
    except OSError as error:  # the run itself is over; what it wrote must not be lost by this
        log.error("cannot write %s: %s", directory / "summary.json", error)
