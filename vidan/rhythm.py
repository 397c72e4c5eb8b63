"""When a camera's next frame is due, for whoever would rather have that one."""

from __future__ import annotations

from .types import Frame

EVE = 0.8
"""A frame that is older than this part of a step is soon replaced by the next."""

LATE = 1.1
"""The next frame is waited for until the one that there is has this age, in steps."""

GAIN = 0.1
"""How much of a new step the usual one takes on."""

LONGEST = 1.0
"""Frames that are further apart do not tell the usual time between them, s."""


class Rhythm:
    """The steps of a live source, which one thread hears and others go by.

    A frame in front of a busy detector grows old until the next one takes its place. If it is
    taken just before that, what is shown is one detection and one whole step older than when it
    came, and whatever takes time besides comes on top. To wait the little that is left for the
    next one keeps some of the step for that, and costs a fifth of a step at most.
    """

    def __init__(self) -> None:
        self._latest: tuple[int, float, float] | None = None  # index, time, captured
        self._step: float | None = None

    def hear(self, frame: Frame) -> None:
        """A frame has come."""
        before, self._latest = self._latest, (frame.index, frame.time, frame.captured)
        if before is None or frame.index <= before[0]:
            return
        step = (frame.time - before[1]) / (frame.index - before[0])
        if 0 < step < LONGEST:
            self._step = step if self._step is None else self._step + GAIN * (step - self._step)

    def wait(self, now: float) -> float:
        """How long to wait for the next frame, s; 0 if it is not due soon.

        Args:
            now: s of `time.monotonic()`.
        """
        latest, step = self._latest, self._step
        if latest is None or step is None:
            return 0.0
        age = now - latest[2]
        return LATE * step - age if EVE * step < age < step else 0.0
