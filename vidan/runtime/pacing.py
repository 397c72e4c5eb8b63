"""Whether a live source's newest frame is worth a detection, or the next one is."""

from __future__ import annotations

from ..types import Frame

DUE_SOON = 0.8
"""Where a frame has waited for this part of a step, the next one is due soon."""

LATE = 1.1
"""The next frame is waited for until the one that there is has waited for so many steps."""

SLOWER = 1.1
"""A detector that takes so many steps cannot keep up. One that takes little more than one nearly
can, and to wait beside it would cost the most frames."""

MEMORY = 50
"""Usual times are means over about so many of the latest."""

KNOWN = 30
"""The usual detection is known after so many: the first ones take longer."""

LONGEST = 1.0
"""Frames that are further apart do not tell the usual time between them, s."""


class FrameSelector:
    """The steps of a live source and of its detector, each heard by one thread.

    A frame in front of a busy detector grows old until the next one takes its place. Taken late, it
    is shown up to a whole step older than one that is taken as it comes; to wait for the next one
    instead costs the rest of the step. Beside a detector that takes many steps neither is much, and
    one that is done within a step finds each frame as it comes.

    Args:
        age_limit: wait where a frame would be older than so many times the usual detection once it
            is detected, or where the next one is due soon; 1 waits for one that has just come
            every time, None never.
        busy: how many steps a detection may take without a frame being dropped.
    """

    def __init__(self, age_limit: float | None, busy: int = 1) -> None:
        self._age_limit = age_limit
        self._busy = busy
        self._latest: tuple[int, float, float] | None = None  # index, time, when it came
        self._step = _Usual()
        self._detection = _Usual()

    def came(self, frame: Frame, now: float) -> None:
        """A frame has come.

        Args:
            frame: the frame.
            now: s of `time.monotonic()`, as everywhere here.
        """
        before, self._latest = self._latest, (frame.index, frame.time, now)
        if before is None or frame.index <= before[0]:
            return
        step = (frame.time - before[1]) / (frame.index - before[0])
        if 0 < step < LONGEST:
            self._step.hear(step)

    def detected(self, seconds: float) -> None:
        """A detection has taken so long."""
        self._detection.hear(seconds)

    def wait(self, now: float) -> float:
        """How long to wait for the next frame, s; 0 if the one that there is will do."""
        latest, step, detection = self._latest, self._step.mean, self._detection.mean
        if self._age_limit is None or latest is None or self._detection.count < KNOWN:
            return 0.0
        if detection < SLOWER * self._busy * step:
            return 0.0
        spare = min((self._age_limit - 1) * detection, DUE_SOON * step)
        waited = now - latest[2]
        return LATE * step - waited if spare < waited < step else 0.0


class _Usual:
    """The usual value of a figure that is heard again and again.

    A mean over many: one that followed a busy second would take a detector that keeps up for one
    that does not.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0

    def hear(self, value: float) -> None:
        self.count += 1
        self.mean += (value - self.mean) / min(self.count, MEMORY)
