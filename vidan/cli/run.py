"""A run in a terminal: progress, signals, the summary as a table, and the exit code."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from ..errors import VidanError
from ..execution.directory import CONFIG_FOLDER, LOG_FILE, claimed
from ..execution.execute import PreparedRun, prepare
from ..execution.signals import forwarded_signals
from ..execution.summary import Summary
from ..support.secrets import SecretsFilter, without_passwords
from ..support.standard import discard_output
from .terminal import console, display, log_handler, print_summary, setup_logging

if TYPE_CHECKING:
    from ..config.search_path import Start

log = logging.getLogger(__name__)


def run_in_own_directory(config: DictConfig, start: Start, *, require_display: bool) -> None:
    """Execute a run that Hydra configured, in the directory that the configuration names.

    Args:
        config: as Hydra composed it.
        start: what it started from.
        require_display: see `run`.

    Raises:
        VidanError, SystemExit: see `run`.
    """
    from hydra.core.hydra_config import HydraConfig

    from ..config.streams import stream_configs

    setup_logging()
    # As they were written: iterating over them would resolve their interpolations.
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    streams = stream_configs(config, overrides, start)
    wanted, new = _wanted_directory(config)
    with claimed(wanted, new=new) as directory:
        config.run_dir = str(directory.absolute())
        _save_configuration(config, directory / CONFIG_FOLDER)
        with logging_to(directory):
            run(config, streams, require_display=require_display)


def _wanted_directory(config: DictConfig) -> tuple[Path | None, bool]:
    """The directory of a run, and whether it must be new; None for one named by the clock."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    hydra, named = HydraConfig.get(), config.run_dir
    if hydra.mode == RunMode.MULTIRUN:
        if named is not None:
            return Path(named) / str(hydra.job.num), False
        return Path(hydra.runtime.output_dir), True
    if named is None and hydra.run.dir != ".":  # set in a job file
        named = hydra.runtime.output_dir
    return None if named is None else Path(named), False


def _save_configuration(config: DictConfig, folder: Path) -> None:
    """Save what `vidan resume` reads, under the names that Hydra uses."""
    from hydra.core.hydra_config import HydraConfig

    hydra = _without_passwords(
        OmegaConf.to_container(OmegaConf.create({"hydra": HydraConfig.get()}))
    )
    saved = copy.deepcopy(config)
    for key in ("sink", "streams"):
        if isinstance(saved.get(key), DictConfig):
            saved[key] = _without_passwords(OmegaConf.to_container(saved[key]))
    OmegaConf.save(saved, folder / "config.yaml")
    OmegaConf.save(OmegaConf.create(hydra), folder / "hydra.yaml")
    OmegaConf.save(OmegaConf.create(hydra["hydra"]["overrides"]["task"]), folder / "overrides.yaml")


def _without_passwords(value: Any) -> Any:
    """Settings without the passwords in the URLs of servers that sinks send to."""
    if isinstance(value, dict):
        return {key: _without_passwords(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_passwords(each) for each in value]
    return without_passwords(value) if isinstance(value, str) else value


def run(
    config: DictConfig,
    streams: Mapping[str, DictConfig] | None = None,
    *,
    require_display: bool,
    resumed: bool = False,
) -> None:
    """Execute a run; see `vidan.execution.execute.execute` for the arguments.

    Raises:
        VidanError: a component cannot be built, or failed during the run.
        SystemExit: a signal stopped the run; 130 after Ctrl-C, 143 after SIGTERM, 129
            after SIGHUP.
    """
    quiet = bool(config.get("quiet", False))
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)
    with forwarded_signals() as signals:
        try:
            prepared = prepare(config, streams, require_display=require_display, resumed=resumed)
        except VidanError:
            if signals.received is None:
                raise
            # An import that a signal interrupted fails in its own way.
            raise SystemExit(128 + signals.received) from None
        pipeline = prepared.pipeline
        signals.interrupt = pipeline.interrupt
        with (
            _shown(prepared, quiet=quiet),
            closing(display(pipeline.total, console(stderr=True), quiet=quiet)) as progress,
        ):
            prepared.run(progress)
    if pipeline.interrupted is not None:
        raise SystemExit(128 + pipeline.interrupted)


@contextmanager
def _shown(prepared: PreparedRun, *, quiet: bool) -> Iterator[None]:
    """Print the summary after the block; if it fails, only that of several streams."""
    try:
        yield
    except VidanError:
        if prepared.summary and "streams" in prepared.summary and not quiet:
            _print(prepared.summary, prepared.labels)
        raise
    if prepared.summary and not quiet:
        _print(prepared.summary, prepared.labels)


def _print(summary: Summary, labels: Sequence[str]) -> None:
    """Print the summary; a run whose outputs are complete does not fail because of that."""
    try:
        print_summary(summary, console(), labels)
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            log.warning("cannot print the summary: %s; it is in the run directory", error.strerror)
        discard_output()


@contextmanager
def logging_to(directory: Path) -> Iterator[None]:
    """Log to stderr and, within the block, with times and logger names to a file in a folder."""
    file = logging.FileHandler(
        directory / LOG_FILE, encoding="utf-8", errors="backslashreplace", delay=True
    )
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.addHandler(log_handler(console(stderr=True)))
    file.addFilter(SecretsFilter())
    root.addHandler(file)
    root.setLevel(min(root.level, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(file)
        file.close()
