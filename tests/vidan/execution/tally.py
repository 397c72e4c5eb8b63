"""An analyzer that keeps a count, for tests of counts that survive."""

from vidan.events import Event, Measure


class Tally:
    """Counts results, and reports each; an interval is open between the first and `finish`."""

    def __init__(self):
        self.count = self.number = 0
        self.last = self.gap = None  # s
        self.restored = self.finished = False

    def update(self, result):
        now = result.frame.time
        if self.restored and self.gap is None:
            self.gap = now - self.last
        self.last = now
        self.count += 1
        self.number += 1
        stream = result.frame.stream
        name = f"{stream}/tally/{self.number}"
        return [Event(name, "tally.counted", "point", stream, "tally", now, result.frame.index)]

    def finish(self):
        self.finished = True
        return []

    def measures(self):
        gap = {} if self.gap is None else {Measure("tally_gap_seconds"): self.gap}
        return {Measure("tally_total"): float(self.count), **gap}

    def state(self):
        assert not self.finished
        return {"count": self.count, "number": self.number, "last": self.last}

    def restore(self, state, offset=0.0):
        self.count, self.number = state["count"], state["number"]
        self.last = state["last"] + offset
        self.restored = True

    def reset_counts(self):
        self.count = 0
