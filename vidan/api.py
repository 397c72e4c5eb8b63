"""The Python API: run a pipeline, and build components by name."""

from __future__ import annotations

import base64
import html
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from .images import jpeg

if TYPE_CHECKING:
    from .execution.summary import Summary
    from .types import Image, Result


def run(overrides: str | Sequence[str] = "", **options: Any) -> Summary:
    """Run the pipeline as `vidan <overrides>` does, and return the summary; nothing is printed.

    It can be called from any thread or process, and several times at once.

    Args:
        overrides: as on the command line, as one string or a list of strings:
            `"source=file source.path=a.mp4 tracker=sort"`. In a string, quote a path that contains
            spaces. Outputs go to `runs/<date>_<time>/` unless `run_dir=` is set.
        **options: more of them, by keyword: `source="synthetic", max_frames=100`.

    Returns:
        The content of `summary.json`: frames, objects by label, speed, latencies, outputs.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
        KeyboardInterrupt: Ctrl-C was pressed; the outputs are complete up to that frame.
    """
    from .config.compose import chosen_groups, compose
    from .config.quoting import written
    from .config.streams import stream_configs
    from .execution.directory import claimed
    from .execution.execute import execute

    given = shlex.split(overrides) if isinstance(overrides, str) else list(overrides)
    given += [f"{key}={written(value)}" for key, value in options.items()]
    config = compose(given)
    streams = stream_configs(config, given)
    with claimed(None if config.run_dir is None else Path(config.run_dir)) as directory:
        config.run_dir = str(directory)
        summary = execute(config, streams, require_display="sink" in chosen_groups(given))
    if summary["interrupted"]:
        raise KeyboardInterrupt
    return summary


def track(
    source: str | Path | int, *overrides: str, model: str | Path | None = None, **options: Any
) -> Iterator[Result]:
    """Detect and track what is in a video: the results of `vidan <source>`, frame by frame.

    No files are written unless `sink` is set. Leaving the loop ends the run.

    Args:
        source: a video, a folder of images, a URL, or the number of a camera.
        *overrides: as on the command line: `"detector.threshold=0.4"`.
        model: of the detector, as `detector.model`; None for the default.
        **options: more overrides, by keyword: `tracker="sort", max_frames=100`.

    Raises:
        VidanError: with the first result: a component cannot be built; later: it failed.

    >>> for result in track("street.mp4"):  # doctest: +SKIP
    ...     print(result.frame.time, result.tracks.ids)
    """
    from .config.compose import chosen_groups, compose
    from .config.quoting import written
    from .config.shortcuts import with_source
    from .execution.directory import claimed
    from .execution.execute import prepare

    given = [*overrides, *(f"{key}={written(value)}" for key, value in options.items())]
    if model is not None:
        given.append(f"detector.model={written(model)}")
    chosen = chosen_groups(given)
    defaults = {"sink": "[]", "resumable": "false", "counts.reset": "start"}
    given += [f"{key}={value}" for key, value in defaults.items() if key not in chosen]
    config = compose(with_source([str(source), *given]))
    with ExitStack() as stack:
        if "sink" in chosen or config.run_dir is not None:
            wanted = None if config.run_dir is None else Path(config.run_dir)
            directory = stack.enter_context(claimed(wanted))
        else:
            directory = Path(stack.enter_context(TemporaryDirectory(prefix="vidan-")))
        config.run_dir = str(directory)
        yield from prepare(config, require_display="sink" in chosen).results()


def create(kind: str, name: str, **options: Any) -> Any:
    """Build a component by its name.

    Args:
        kind: a name in `vidan.kinds.KINDS`, such as `detector`.
        name: as listed by `vidan plugins`.
        **options: keyword arguments of its constructor; `vidan plugins show` lists them.

    Raises:
        ConfigError: an unknown option, or a bad value.
        PluginError: there is no such component, or it cannot be imported.
    """
    from .config.build import build

    return build(kind, {"name": name, **options})


def draw(result: Result, **options: Any) -> Image:
    """The image of a result with its boxes, labels and shapes drawn on it.

    Args:
        result: of one frame.
        **options: of the config group `drawing`, such as `labels=False` or `color="label"`.

    Returns:
        (H,W,3) uint8 RGB, a copy.

    Raises:
        ConfigError: an unknown option, or a bad value.
    """
    from .registry.discovery import load_plugins

    image: Image = load_plugins().call("vidan_draw", result=result, options=options)
    return image


def shown(result: Result) -> str:
    """A result as HTML, for notebooks: its annotated image with its frame and time."""
    frame = result.frame
    data = base64.b64encode(jpeg(draw(result))).decode("ascii")
    text = html.escape(f"{frame.stream}, frame {frame.index}, {frame.time:.2f} s")
    image = f'<img src="data:image/jpeg;base64,{data}" style="max-width: 100%" alt="{text}">'
    return f"<figure>{image}<figcaption>{text}</figcaption></figure>"
