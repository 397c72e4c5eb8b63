"""`vidan tune tracking`: searches a tracker's options and reports on held-out sequences.

The scores of options on the sequences that they were chosen on are too good. Every trial that
Optuna proposes is therefore scored on all sequences, but chosen on some scenes only: those of
`test=` are held out, or else each scene in turn, with all of its detectors. In the latter case
options are sampled at random, so that no scene influences which are tried, and each trial serves
all choices; with `test=` Optuna's TPE sampler learns from the other scenes.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidan import options
from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.config.compose import compose
from vidan.errors import ConfigError, did_you_mean
from vidan.support.extras import import_extra

from . import report, settings
from .detection import Detection
from .evaluation import with_truth
from .metrics import COLUMNS, Metrics, Raw, summarize
from .run_tracker import TrackerInput, read_input, run_tracker
from .search_space import distributions, first_value
from .sequences import find_sequences, select_names

log = logging.getLogger(__name__)

TrackerOptions = dict[str, Any]
Scores = dict[str, float]

MINIMIZED = ("IDSW", "Frag", "FP", "FN")
"""Metrics whose lowest value is the best."""


@dataclass(frozen=True)
class Trial:
    """One set of options, and its scores by sequence."""

    options: TrackerOptions
    scores: dict[str, Raw]


@dataclass(frozen=True)
class Choice:
    """The best options without the held-out scenes.

    Attributes:
        held_out: the scenes.
        options: the chosen options; {} if the tracker as configured was best.
        training: scores on all other scenes.
        test: scores on the held-out scenes.
        configured: scores of the tracker as configured on the held-out scenes.
    """

    held_out: list[str]
    options: TrackerOptions
    training: Scores
    test: Scores
    configured: Scores


def run(arguments: Sequence[str]) -> int:
    """Search according to overrides: `data=`, `tracker=`, `search=` and any key of these."""
    config = compose(arguments, "tune_tracking")
    choices, test, configured = Search(config).run(run_directory(config))
    rows = []
    for choice in choices:
        rows += [
            (f"chosen without {', '.join(choice.held_out)}", choice.training),
            ("  on these held-out scenes", choice.test),
            ("  same, as configured", choice.configured),
        ]
    rows += [
        (report.COMBINED + ", held out", test),
        (report.COMBINED + ", as configured", configured),
    ]
    terminal = console()
    terminal.print(report.table(rows, "options"))
    for choice in choices:
        terminal.print(f"without {', '.join(choice.held_out)}: {choice.options or 'as configured'}")
    terminal.print(f"in {config.run_dir}: tuning.json, config.yaml")
    return 0


class Search:
    """A search over the options of a tracker.

    Args:
        config: as in `conf/tune_tracking.yaml`.

    Raises:
        VidanError: an invalid option, a missing file or a missing extra.
    """

    def __init__(self, config: DictConfig) -> None:
        self._space = distributions(settings.group(config, "search"))
        self._tracker = settings.group(config, "tracker")
        self._objective = _objective(config.objective)
        self._trials = options.whole("trials", config.trials, 1)
        self._seed = options.whole("seed", config.seed, 0)
        self._metrics = Metrics(config.benchmark)
        wanted = settings.names(config, "sequences")
        sequences = with_truth(find_sequences(settings.folders(config), wanted))
        if config.detector is not None:
            sequences = Detection(config).detect(sequences)
        self._scene = {sequence.name: sequence.scene for sequence in sequences}
        self._test = _held_out(self._scene, settings.names(config, "test"))
        for key, space in self._space.items():  # fail now on an invalid option, not minutes later
            build("tracker", self._tracker | {key: first_value(space)})
        self._inputs = [read_input(sequence) for sequence in sequences]

    def run(self, directory: Path) -> tuple[list[Choice], Scores, Scores]:
        """Run all trials, choose, and write `tuning.json`.

        Returns:
            The choices; combined scores of all held-out scenes, each with the options chosen
            without it; and those of the tracker as configured.
        """
        trials = self._all_trials()
        best = [max(trials, key=lambda t: self._value(t, scenes)) for scenes in self._test]
        pairs = list(zip(self._test, best, strict=True))
        choices = [self._choice(scenes, trial, trials[0]) for scenes, trial in pairs]
        tested = [self._part(trial, scenes, inside=True) for scenes, trial in pairs]
        test = self._summary({name: raw for part in tested for name, raw in part.items()})
        names = {name for part in tested for name in part}
        configured = self._summary({k: v for k, v in trials[0].scores.items() if k in names})
        content = {
            "objective": self._objective,
            "choices": [asdict(choice) for choice in choices],
            "held_out": test,
            "configured": configured,
            "trials": [
                {"options": t.options} | {n: summarize(raw) for n, raw in t.scores.items()}
                for t in trials
            ],
        }
        write_json(directory / "tuning.json", content)
        return choices, test, configured

    def _all_trials(self) -> list[Trial]:
        """The tracker as configured, then every trial that Optuna proposes."""
        trials = [self._try({})]
        study, learns = self._study()
        for number in range(self._trials):
            asked = study.ask(self._space)
            trials.append(self._try(asked.params))
            value = self._value(trials[-1], self._test[0]) if learns else 0.0
            study.tell(asked, value)
            log.info("%d of %d: %s", number + 1, self._trials, asked.params)
        return trials

    def _study(self) -> tuple[Any, bool]:
        """An Optuna study, and whether it learns from scores."""
        optuna = import_extra("optuna", "tune")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        learns = len(self._test) == 1
        samplers = optuna.samplers
        sampler = (samplers.TPESampler if learns else samplers.RandomSampler)(seed=self._seed)
        return optuna.create_study(direction="maximize", sampler=sampler), learns

    def _try(self, changed: TrackerOptions) -> Trial:
        with tempfile.TemporaryDirectory() as folder:
            return Trial(
                changed,
                {
                    given.sequence.name: self._score(given, changed, Path(folder))
                    for given in self._inputs
                },
            )

    def _score(self, given: TrackerInput, changed: TrackerOptions, folder: Path) -> Raw:
        path = folder / f"{given.sequence.name}.txt"
        run_tracker(given, self._tracker | changed, path)
        return self._metrics.score(given.sequence, path)

    def _part(self, trial: Trial, scenes: Iterable[str], *, inside: bool) -> dict[str, Raw]:
        """Scores of the sequences inside, or outside, some scenes."""
        scenes = set(scenes)
        return {k: v for k, v in trial.scores.items() if (self._scene[k] in scenes) == inside}

    def _summary(self, scores: Mapping[str, Raw]) -> Scores:
        return summarize(self._metrics.combine(scores))

    def _value(self, trial: Trial, held_out: Iterable[str]) -> float:
        """The objective, to be maximized, without the held-out scenes."""
        value = self._summary(self._part(trial, held_out, inside=False))[self._objective]
        return -value if self._objective in MINIMIZED else value

    def _choice(self, held_out: list[str], trial: Trial, configured: Trial) -> Choice:
        return Choice(
            held_out,
            trial.options,
            self._summary(self._part(trial, held_out, inside=False)),
            self._summary(self._part(trial, held_out, inside=True)),
            self._summary(self._part(configured, held_out, inside=True)),
        )


def _objective(name: object) -> str:
    titles = [column.title for column in COLUMNS]
    if name not in titles:
        raise ConfigError(f"objective={name!r}: {did_you_mean(str(name), titles)}")
    return str(name)


def _held_out(scene: Mapping[str, str], wanted: Sequence[str] | None) -> list[list[str]]:
    """The held-out scenes of each choice."""
    scenes = sorted(set(scene.values()))
    if len(scenes) < 2:
        raise ConfigError(
            f"a search needs at least two scenes, to hold one out; there is only {scenes[0]!r}"
        )
    if wanted is None:
        return [[name] for name in scenes]
    chosen = {scene.get(name, name) for name in select_names([*scene, *scenes], wanted)}
    if len(chosen) == len(scenes):
        raise ConfigError("test holds out every scene: leave at least one to search on")
    return [sorted(chosen)]
