"""Restarts of an analyzer in the middle of a stream."""

import json

from .paths import events_of


def check_restarts(make, given, every=7):
    """A restart at any frame changes neither events nor measures.

    Args:
        make: a new analyzer.
        given: the results of a stream.
        every: the interval of the restarts that are tried, frames.
    """
    whole = make()
    expected = events_of(whole, given)
    for cut in range(0, len(given), every):
        before, after = make(), make()
        events = [event for one in given[:cut] for event in before.update(one)]
        after.restore(json.loads(json.dumps(before.state(), allow_nan=False)))
        assert events + events_of(after, given[cut:]) == expected, f"after {cut} frames"
        if cut < len(given):
            assert after.measures() == whole.measures()
    return expected
