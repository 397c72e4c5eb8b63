"""`vidan batch`: runs the pipeline on many files, each as one job."""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.table import Table

from vidan import options
from vidan.cli.subcommands import write_json
from vidan.cli.terminal import console, track
from vidan.config.build import BuildContext, build
from vidan.config.shards import Shard
from vidan.errors import ConfigError, SourceError, VidanError
from vidan.execution.directory import claimed
from vidan.execution.signals import forwarded_signals
from vidan.execution.summary import SUMMARY_FILE
from vidan.interfaces import Runner
from vidan.support.extras import import_extra
from vidan.support.text import one_line

from .dataset import merge
from .files import InputFile, find_files
from .job import Job, Outcome, run_job
from .jobs import Attempt, Jobs
from .layout import DETECTIONS, MANIFEST, PARTIAL
from .manifest import Manifest, Row, State
from .settings import BatchSettings, digest, identity, read_settings
from .split import detect_part, parts

log = logging.getLogger(__name__)

MAX_LISTED = 20
"""Failed files that are listed; the manifest has all of them."""


def run(arguments: Sequence[str]) -> int:
    """Process the files that the overrides name.

    Raises:
        VidanError: the configuration is invalid, or files failed.
    """
    settings, config = read_settings(arguments)
    if settings.quiet:
        logging.getLogger().setLevel(logging.WARNING)
    import_extra("pyarrow", "parquet")
    run_dir = Path(settings.run_dir).absolute()
    folders = config.source.name == "images"
    files = find_files(_plain(config.source.path), run_dir, folders=folders)
    if settings.shard is not None:
        shard = Shard.parse(settings.shard)
        files = [file for file in files if shard.has(file.name)]
    with claimed(run_dir, resumed=True), forwarded_signals():
        try:
            summary = process(files, settings, config, run_dir)
        except (KeyboardInterrupt, SystemExit):
            log.info("stopped: the same command continues")
            raise
    if not settings.quiet:
        console().print(_table(summary))
    if summary["error"] is not None:
        raise VidanError(summary["error"])
    return 0


def process(
    files: Sequence[InputFile],
    settings: BatchSettings,
    config: DictConfig,
    run_dir: Path,
    job: Callable[[Job], Outcome] = run_job,
) -> dict[str, Any]:
    """Process files that are not complete yet, and write manifest, dataset and summary.

    Args:
        files: of the batch job.
        settings: of the batch job.
        config: of the runs.
        run_dir: folder of the outputs, absolute.
        job: what a worker does with each file; importable there.

    Returns:
        The content of `summary.json`.

    Raises:
        VidanError: the configuration is invalid, or the outputs cannot be written.
    """
    known = identity(config)
    configuration = digest(known)
    with closing(Manifest(run_dir / MANIFEST, known, configuration)) as manifest:
        manifest.add(_with_digests(files), retry_failed=settings.retry_failed)
        rows = list(manifest.waiting())
        if rows:
            log.info("%d of %d files are to be processed", len(rows), manifest.count())
            shutil.rmtree(run_dir / PARTIAL, ignore_errors=True)
            make = partial(
                _attempt,
                run_dir=str(run_dir),
                configuration=configuration,
                began=manifest.began,
                config=OmegaConf.to_container(config),
                threads=settings.threads,
                folder=str(Path.cwd()),
            )
            try:
                _run_all([make(row) for row in rows], manifest, settings, job)
                shutil.rmtree(run_dir / DETECTIONS, ignore_errors=True)
            finally:
                shutil.rmtree(run_dir / PARTIAL, ignore_errors=True)
        summary = _summary(manifest, run_dir)
        dataset = merge(
            run_dir,
            [name for name, _ in manifest.done()],
            partial(track, what="dataset", quiet=settings.quiet),
        )
    summary["outputs"] = [str(path) for path in (dataset, run_dir / MANIFEST)]
    write_json(run_dir / SUMMARY_FILE, summary)
    return summary


def _run_all(
    attempts: Sequence[Attempt],
    manifest: Manifest,
    settings: BatchSettings,
    job: Callable[[Job], Outcome],
) -> None:
    """Run the jobs, and record each in the manifest."""
    with _built(settings) as runner:
        if settings.split is not None:
            _detect_parts([attempt.job for attempt in attempts], runner, manifest, settings)
        jobs = Jobs(runner, job, settings.retries)
        results = jobs.run(attempts, manifest.commit)
        final = (result for result in _recorded(results, manifest) if result)
        try:
            for _ in track(final, "files", len(attempts), quiet=settings.quiet):
                pass
        except ConfigError:
            manifest.restart(jobs.wrong)
            raise


def _detect_parts(
    files: Iterable[Job], runner: Runner, manifest: Manifest, settings: BatchSettings
) -> None:
    """Detect the parts of long files."""
    length = options.duration("split", settings.split)
    attempts = [Attempt(part, 0) for part in parts(files, length)]
    if not attempts:
        return
    log.info("%d parts of %g s are to be detected", len(attempts), length)
    results = Jobs(runner, detect_part, settings.retries).run(attempts, manifest.commit)
    for result in track(results, "parts", len(attempts), quiet=settings.quiet):
        if result.outcome.error is not None:
            error = result.outcome.error
            log.warning("%s: attempt %d failed: %s", result.name, result.failures, error)


def _recorded(results: Iterable[Any], manifest: Manifest) -> Iterator[bool]:
    """Whether each result is the last of its file, which is then in the manifest."""
    for name, failures, outcome, final in results:
        failed = outcome.error is not None
        state: State = "done" if not failed else "failed" if final else "waiting"
        manifest.record(name, state, failures, outcome)
        if failed:
            level = logging.ERROR if final else logging.WARNING
            if not outcome.of_configuration:  # each file may have the same error
                log.log(level, "%s: attempt %d failed: %s", name, failures, outcome.error)
        yield final


@contextmanager
def _built(settings: BatchSettings) -> Iterator[Runner]:
    """The runner, whose running jobs are killed if the block fails."""
    context = BuildContext(job_threads=settings.threads)
    runner: Runner = build("runner", settings.runner, context=context)
    try:
        yield runner
    except BaseException:
        runner.shutdown(wait=False, cancel_futures=True)
        raise
    runner.shutdown()


def _attempt(
    row: Row,
    *,
    run_dir: str,
    configuration: str,
    began: float,
    config: Any,
    threads: int,
    folder: str,
) -> Attempt:
    key = digest([row.name, row.input, configuration])
    job = Job(row.name, row.path, run_dir, key, began, config, threads, folder)
    return Attempt(job, row.attempts)


def _with_digests(files: Iterable[InputFile]) -> Iterator[tuple[InputFile, str]]:
    for file in files:
        try:
            yield file, file.digest()
        except OSError as error:
            raise SourceError(f"cannot read {str(file.path)!r}: {error.strerror}") from error


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _summary(manifest: Manifest, run_dir: Path) -> dict[str, Any]:
    """The content of `summary.json`."""
    frames = detections = done = 0
    objects: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for _, each in manifest.done():
        done += 1
        frames += each["frames"]
        detections += each["detections"]
        objects.update(each["objects"])
        events.update(each["events"])
    failed = {row.name: row.error for row in manifest.failed()}
    return {
        "files": done,
        "failed": failed,
        "frames": frames,
        "detections": detections,
        "objects": dict(objects.most_common()),
        "events": dict(events.most_common()),
        "interrupted": False,
        "error": _error(failed, done + len(failed), run_dir),
    }


def _error(failed: dict[str, Any], count: int, run_dir: Path) -> str | None:
    if not failed:
        return None
    name, why = next(iter(failed.items()))
    return (
        f"{len(failed)} of {count} files failed, such as {name!r}: {why}; "
        f"{str(run_dir / SUMMARY_FILE)!r} lists them; retry_failed=true tries them again"
    )


def _table(summary: dict[str, Any]) -> Table:
    grid = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    failed = summary["failed"]
    grid.add_row("files", f"{summary['files']} complete, {len(failed)} failed")
    grid.add_row("frames", str(summary["frames"]))
    objects = ", ".join(f"{n} {one_line(label)}" for label, n in summary["objects"].items())
    grid.add_row("tracks", objects or f"none, {summary['detections']} detections")
    for name in list(failed)[:MAX_LISTED]:
        grid.add_row("failed", f"{one_line(name)}: {failed[name]}")
    if len(failed) > MAX_LISTED:
        grid.add_row("", f"and {len(failed) - MAX_LISTED} more: see summary.json")
    for path in summary["outputs"]:
        grid.add_row("output", path)
    return grid
