"""Counts that survive a restart: saved regularly and at the end of a stream, and restored."""

from __future__ import annotations

import copy
import datetime
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from ..events import Event
from ..interfaces import Analyzer, Stateful
from ..scene import SceneContext
from ..types import Result
from .counts_file import CountsFile, Saved


class CountsKeeper:
    """Saves the states of analyzers, and resets their counts at midnight.

    It is an analyzer without events of its own, called before the others: it finds them as they
    were after the previous frame, and at the end before they report the visits that the end of the
    stream cuts off. Such a visit may continue in the next run.

    Args:
        file: to save to; it is closed with this.
        saved: what the run continues from; nothing but its key if it starts at zero.
        analyzers: by name, restored already.
        fingerprint: called for that of the scene after it was edited.
        daily: whether to start the counts from zero at midnight.
        every: time by the clock after which the counts are saved again, s.
        clock: the time in s since 1970.
    """

    def __init__(
        self,
        file: CountsFile,
        saved: Saved,
        analyzers: Mapping[str, Stateful],
        *,
        fingerprint: Callable[[], str],
        daily: bool,
        every: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = file
        self._analyzers = dict(analyzers)
        self._fingerprint = fingerprint
        self._clock = clock
        self._saved = saved
        self._last_id = saved.last_id
        self._time = 0.0  # stream time of the last update, s
        self._seen = clock()  # when that was
        self._every = every
        self._due = self._seen + every
        self._midnight = next_midnight(self._seen) if daily else float("inf")
        self._writer = ThreadPoolExecutor(1, "vidan-counts")

    def update(self, result: Result) -> tuple[Event, ...]:
        """Save or reset the counts if it is time to, as of the previous frame."""
        now = self._clock()
        if now >= self._midnight:
            self._midnight = next_midnight(now)
            self._save()  # of the day that is over
            for analyzer in self._analyzers.values():
                analyzer.reset_counts()
            self._save()
        elif now >= self._due:
            self._save()
        self._time, self._seen = result.frame.time, now
        self._last_id = max(self._last_id, int(result.tracks.ids.max(initial=0)))
        return ()

    def change_scene(self, scene: SceneContext) -> tuple[Event, ...]:  # noqa: ARG002
        """Save the counts for the new scene from now on; see SceneEditable."""
        self._saved = self._saved._replace(scene=self._fingerprint())
        return ()

    def finish(self) -> tuple[Event, ...]:
        """Save the counts."""
        self._save()
        return ()

    def close(self) -> None:
        """Wait until the counts are saved, and let another run have the file."""
        self._writer.shutdown()
        self._file.close()

    def _save(self) -> None:
        """Save the states in another thread, since a disk may take long."""
        self._due = self._clock() + self._every
        states = {name: analyzer.state() for name, analyzer in self._analyzers.items()}
        saved = self._saved._replace(
            at=self._seen, time=self._time, last_id=self._last_id, states=states
        )
        self._writer.submit(self._file.write, saved.text())


def restored(analyzers: Mapping[str, Analyzer], saved: Saved, offset: float) -> dict[str, Analyzer]:
    """Copies of new analyzers that continue from a state.

    Args:
        analyzers: by name; they do not change.
        saved: the state.
        offset: to add to its times, s.

    Raises:
        ValueError: an analyzer cannot be restored.
    """
    copies = dict(analyzers)
    for name, state in saved.states.items():
        analyzer = copy.deepcopy(analyzers[name])
        assert isinstance(analyzer, Stateful)
        try:
            analyzer.restore(state, offset)
        except Exception as error:  # whatever is wrong with a file must not end the run
            raise ValueError(f"{name}: {error}") from error
        copies[name] = analyzer
    return copies


def next_midnight(now: float) -> float:
    """The first midnight after a time, both in s since 1970, by the clock of this machine."""
    day = datetime.date.fromtimestamp(now) + datetime.timedelta(days=1)
    return datetime.datetime.combine(day, datetime.time()).timestamp()
