"""Registers the built-in components, commands and checks, through the hooks that plugins use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidan.registry.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from vidan.registry.commands import Check, Commands
    from vidan.registry.components import Registrar
    from vidan.types import Image, Result


@hookimpl
def vidan_components(registry: Registrar) -> None:
    """Register the built-in components."""
    registry.add("source", "file", "vidan_plugins.sources.ffmpeg.file:VideoFile")
    registry.add("source", "images", "vidan_plugins.sources.images.source:Images")
    registry.add("source", "rtsp", "vidan_plugins.sources.ffmpeg.rtsp:Rtsp")
    registry.add("source", "synthetic", "vidan_plugins.sources.synthetic.source:Synthetic")
    registry.add("source", "webcam", "vidan_plugins.sources.webcam.source:Webcam")
    registry.add("detector", "mot", "vidan_plugins.detectors.mot:MotDetector")
    registry.add("detector", "onnx", "vidan_plugins.detectors.onnx:OnnxDetector")
    registry.add(
        "detector", "savedmodel", "vidan_plugins.detectors.savedmodel:SavedModelDetector", "tf"
    )
    registry.add("tracker", "bytetrack", "vidan_plugins.trackers.bytetrack:ByteTrack")
    registry.add("tracker", "deepsort", "vidan_plugins.trackers.deepsort:DeepSort")
    registry.add("tracker", "none", "vidan_plugins.trackers.none:NoTracker")
    registry.add("tracker", "sort", "vidan_plugins.trackers.sort:Sort")
    registry.add("tracker", "steady", "vidan_plugins.trackers.steady:Steady")
    registry.add("analytics", "flows", "vidan_plugins.analytics.flows:Flows")
    registry.add("analytics", "heatmap", "vidan_plugins.analytics.heatmap.analyzer:Heatmap")
    registry.add("analytics", "lines", "vidan_plugins.analytics.lines:Lines")
    registry.add("analytics", "presence", "vidan_plugins.analytics.presence:Presence")
    registry.add("analytics", "speed", "vidan_plugins.analytics.speed.analyzer:Speed")
    registry.add("analytics", "stationary", "vidan_plugins.analytics.stationary:Stationary")
    registry.add("analytics", "zones", "vidan_plugins.analytics.zones:Zones")
    registry.add("sink", "alert", "vidan_plugins.sinks.events.alert:Alert", "alert")
    registry.add("sink", "clips", "vidan_plugins.sinks.clips.sink:Clips")
    registry.add("sink", "counts", "vidan_plugins.sinks.counts.sink:Counts")
    registry.add("sink", "discard", "vidan_plugins.sinks.discard:Discard")
    registry.add("sink", "events", "vidan_plugins.sinks.events.file:EventLines")
    registry.add("sink", "jsonl", "vidan_plugins.sinks.jsonl:JsonLines")
    registry.add("sink", "mot", "vidan_plugins.sinks.mot:MotFile")
    registry.add("sink", "mqtt", "vidan_plugins.sinks.events.mqtt:Mqtt", "mqtt")
    registry.add("sink", "parquet", "vidan_plugins.sinks.store.parquet:Parquet")
    registry.add(
        "sink", "prometheus", "vidan_plugins.sinks.events.prometheus:Prometheus", "prometheus"
    )
    registry.add("sink", "snapshots", "vidan_plugins.sinks.snapshots:Snapshots")
    registry.add("sink", "sql", "vidan_plugins.sinks.store.sql.sink:Sql", "sql")
    registry.add("sink", "video", "vidan_plugins.sinks.video.sink:VideoSink")
    registry.add("sink", "web", "vidan_plugins.sinks.web:Web", "web")
    registry.add("sink", "webhook", "vidan_plugins.sinks.events.webhook:Webhook")
    registry.add("sink", "window", "vidan_plugins.sinks.window.sink:Window")
    registry.add("runner", "dask", "vidan_plugins.runners.dask:Dask", "dask")
    registry.add("runner", "local", "vidan_plugins.runners.processes:Processes")
    registry.add("runner", "ray", "vidan_plugins.runners.ray:Ray", "ray")


@hookimpl
def vidan_commands(commands: Commands) -> None:
    """Register the built-in commands."""
    tools = "vidan_plugins.tools"
    commands.add(
        "analyze",
        f"{tools}.analyze.commands:main",
        "Count objects in tracks from a file, without video.",
        alias="analyse",
    )
    commands.add(
        "batch", f"{tools}.batch.commands:main", "Run the pipeline on many files, each as one job."
    )
    commands.add("bench", f"{tools}.bench.commands:main", "Measure speed, latency and CPU time.")
    commands.add(
        "eval counting",
        f"{tools}.counting.commands:evaluate",
        "Score counts of people on sequences with ground truth.",
    )
    commands.add(
        "eval tracking",
        f"{tools}.tracking.commands:evaluate",
        "Score a tracker on sequences with ground truth.",
    )
    commands.add(
        "models inspect",
        f"{tools}.models.commands:inspect_model",
        "Show how vidan would use a detector's file.",
    )
    commands.add("models list", f"{tools}.models.commands:list_models", "List public detectors.")
    commands.add(
        "models pull", f"{tools}.models.commands:pull", "Download and verify a public detector."
    )
    commands.add(
        "report",
        f"{tools}.report.commands:main",
        "Answer questions about the events of runs: hours, lines, zones, flows.",
    )
    commands.add(
        "scene",
        f"{tools}.scene.commands:main",
        "Draw lines and zones in the browser, and save them in a scene file.",
    )
    commands.add(
        "smooth",
        f"{tools}.tracking.commands:smooth",
        "Fill gaps in the tracks of a file and smooth them.",
    )
    commands.add(
        "tune tracking",
        f"{tools}.tracking.commands:tune",
        "Search a tracker's options, with held-out sequences.",
    )

    commands.add("view", f"{tools}.view.commands:main", "Show a finished run in the browser.")


@hookimpl
def vidan_checks() -> Iterable[Check]:
    """Check what the built-in components need on this machine."""
    from .checks import checks

    return checks()


@hookimpl(trylast=True)
def vidan_draw(result: Result, options: Mapping[str, Any]) -> Image:
    """Draw boxes, labels and shapes."""
    from .sinks.drawing.options import Drawing
    from .sinks.drawing.painter import Painter

    return Painter(Drawing.of(options, prefix="")).annotate(result)
