"""`vidan tune tracking`: searches a tracker's parameters, and reports on what was left out.

A setting that is the best on some sequences is flattered by them. So every setting that
Optuna proposes is scored on all sequences, but chosen by some scenes only: those of
`test=` are left out, or else each scene in turn, with all of its detectors. In the latter
case settings are drawn at random, so that no scene has a say in what is tried, and each
is tried once for all the choices; with `test=` Optuna's TPE learns from the other scenes.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidan.cli.subcommands import optional, run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.config.compose import compose
from vidan.errors import ConfigError, did_you_mean

from . import overrides, report
from .follow import Looks, follow, read
from .metrics import COLUMNS, Metrics, Raw, figures
from .sequences import find, select
from .space import distributions
from .tracking import scored

log = logging.getLogger(__name__)

Options = dict[str, Any]
LiveStats = dict[str, float]


@dataclass(frozen=True)
class Trial:
    """One setting: the options it sets, and its scores by sequence."""

    options: Options
    scores: dict[str, Raw]


@dataclass(frozen=True)
class Choice:
    """What was chosen without a look at some scenes.

    Attributes:
        left_out: the scenes.
        options: what the chosen setting sets; {} if the tracker as configured was best.
        training: its figures on all other scenes.
        test: its figures on the scenes left out.
        configured: figures there of the tracker as configured.
    """

    left_out: list[str]
    options: Options
    training: LiveStats
    test: LiveStats
    configured: LiveStats


def tuning(arguments: Sequence[str]) -> int:
    """Search what the overrides say: `data=`, `tracker=`, `search=` and any key of these."""
    config = compose(arguments, "tune_tracking")
    search = Search(config)
    choices, whole, configured = search.run(run_directory(config))
    rows = []
    for choice in choices:
        rows += [
            (f"chosen without {', '.join(choice.left_out)}", choice.training),
            ("  on what was left out", choice.test),
            ("  there, as configured", choice.configured),
        ]
    rows += [
        (report.TOGETHER + ", left out", whole),
        (report.TOGETHER + ", configured", configured),
    ]
    terminal = console()
    terminal.print(report.table(rows, "setting"))
    for choice in choices:
        terminal.print(f"without {', '.join(choice.left_out)}: {choice.options or 'as configured'}")
    terminal.print(f"in {config.run_dir}: tuning.json, config.yaml")
    return 0


class Search:
    """A search over the options of a tracker.

    Args:
        config: as of `conf/tune_tracking.yaml`.

    Raises:
        VidanError: bad options, missing files or a missing extra.
    """

    def __init__(self, config: DictConfig) -> None:
        self._space = distributions(overrides.options(config, "search"))
        self._tracker = overrides.options(config, "tracker")
        self._objective = _objective(config.objective)
        self._trials = overrides.whole(config, "trials", 1)
        self._seed = overrides.whole(config, "seed", 0)
        self._metrics = Metrics(config.benchmark)
        videos = scored(find(overrides.folders(config), overrides.names(config, "sequences")))
        self._scene = {video.name: video.scene for video in videos}
        self._test = _left_out(self._scene, overrides.names(config, "test"))
        for key, space in self._space.items():  # a wrong option ends it now, not after minutes
            build("tracker", self._tracker | {key: _some_value(space)})
        self._looks = [read(video) for video in videos]

    def run(self, directory: Path) -> tuple[list[Choice], LiveStats, LiveStats]:
        """Try all settings, choose, and write `tuning.json`.

        Returns:
            The choices; figures of all that was left out together, each scene with the
            setting chosen without it; and those of the tracker as configured.
        """
        trials = [self._try({})]
        study, learns = self._study()
        for number in range(self._trials):
            asked = study.ask(self._space)
            trials.append(self._try(asked.params))
            value = self._value(trials[-1], self._test[0]) if learns else 0.0
            study.tell(asked, value)
            log.info("%d of %d: %s", number + 1, self._trials, asked.params)
        best = [max(trials, key=lambda t: self._value(t, out)) for out in self._test]
        pairs = list(zip(self._test, best, strict=True))
        choices = [self._choice(out, trial, trials[0]) for out, trial in pairs]
        tested = [self._part(trial, out, inside=True) for out, trial in pairs]
        whole = figures(self._metrics.together({k: v for part in tested for k, v in part.items()}))
        shown = {name for part in tested for name in part}
        plain = {k: v for k, v in trials[0].scores.items() if k in shown}
        configured = figures(self._metrics.together(plain))
        write_json(
            directory / "tuning.json",
            {
                "objective": self._objective,
                "choices": [asdict(choice) for choice in choices],
                "left out": whole,
                "configured": configured,
                "trials": [
                    {"options": t.options} | {n: figures(raw) for n, raw in t.scores.items()}
                    for t in trials
                ],
            },
        )
        return choices, whole, configured

    def _study(self) -> tuple[Any, bool]:
        """An Optuna study, and whether it may learn from scores."""
        optuna = optional("optuna", "tune")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        learns = len(self._test) == 1
        samplers = optuna.samplers
        sampler = (samplers.TPESampler if learns else samplers.RandomSampler)(seed=self._seed)
        return optuna.create_study(direction="maximize", sampler=sampler), learns

    def _try(self, options: Options) -> Trial:
        with tempfile.TemporaryDirectory() as folder:
            return Trial(options, dict(self._scores(options, Path(folder))))

    def _scores(self, options: Options, folder: Path) -> Iterable[tuple[str, Raw]]:
        for looks in self._looks:
            yield looks.video.name, self._score(looks, options, folder)

    def _score(self, looks: Looks, options: Options, folder: Path) -> Raw:
        path = folder / f"{looks.video.name}.txt"
        follow(looks, self._tracker | options, path)
        return self._metrics.score(looks.video, path)

    def _part(self, trial: Trial, scenes: Iterable[str], *, inside: bool) -> dict[str, Raw]:
        """Scores of the sequences whose scene is, or is not, among some."""
        scenes = set(scenes)
        return {k: v for k, v in trial.scores.items() if (self._scene[k] in scenes) == inside}

    def _value(self, trial: Trial, left_out: Iterable[str]) -> float:
        raw = self._metrics.together(self._part(trial, left_out, inside=False))
        value = figures(raw)[self._objective]
        return -value if self._objective in LESS_IS_BETTER else value

    def _choice(self, left_out: list[str], trial: Trial, first: Trial) -> Choice:
        def of(chosen: Trial, *, inside: bool) -> LiveStats:
            return figures(self._metrics.together(self._part(chosen, left_out, inside=inside)))

        return Choice(
            left_out,
            trial.options,
            of(trial, inside=False),
            of(trial, inside=True),
            of(first, inside=True),
        )


LESS_IS_BETTER = ("IDSW", "Frag", "FP", "FN")
"""Figures of which the lowest is the best."""


def _objective(name: object) -> str:
    titles = [column.title for column in COLUMNS]
    if name not in titles:
        raise ConfigError(f"objective={name!r}: {did_you_mean(str(name), titles)}")
    return str(name)


def _left_out(scene: Mapping[str, str], wanted: Sequence[str] | None) -> list[list[str]]:
    """The scenes to leave out, of one choice each."""
    scenes = sorted(set(scene.values()))
    if len(scenes) < 2:
        raise ConfigError(
            f"a search needs two scenes or more, to leave one out; there is {scenes[0]!r} only"
        )
    if wanted is None:
        return [[name] for name in scenes]
    chosen = {scene.get(name, name) for name in select([*scene, *scenes], wanted)}
    if len(chosen) == len(scenes):
        raise ConfigError("test leaves out every scene: leave some to search on")
    return [sorted(chosen)]


def _some_value(space: Any) -> Any:
    return space.choices[0] if hasattr(space, "choices") else space.low
