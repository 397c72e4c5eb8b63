from vidan.events import APPEARED, CROSSED, Event
from vidan_plugins.sinks.drawing.highlights import Highlights


def event(time, kind=CROSSED, delay=0.0):
    return Event("1", kind, "point", "s", "door", time, 0, 7, data={"delay": delay})


def test_a_highlight_lasts_half_a_second_of_stream_time():
    highlights = Highlights()
    highlights.add([event(10.0)])
    shown = []
    for tenth in range(98, 110):
        highlights.advance(tenth / 10)
        shown.append((highlights.has_rule("door"), highlights.has_track(7)))
    assert shown == [(True, True)] * 8 + [(False, False)] * 4  # the first two are ahead of 10 s


def test_it_starts_when_the_event_becomes_known():
    highlights = Highlights()
    highlights.add([event(10.0, delay=0.9)])
    highlights.advance(11.2)
    assert highlights.has_rule("door")


def test_it_ends_if_the_clock_of_the_source_is_set_back():
    highlights = Highlights()
    highlights.add([event(10.0)])
    highlights.advance(0.0)
    assert not highlights.has_rule("door")


def test_appearing_is_not_highlighted():
    highlights = Highlights()
    highlights.add([event(10.0, APPEARED)])
    highlights.advance(10.0)
    assert not highlights.has_rule("door")
    assert not highlights.has_track(7)


def test_events_of_a_paused_view_are_not_all_kept():
    highlights = Highlights()
    highlights.add(event(n / 30) for n in range(10_000))
    assert len(highlights._waiting) == 1000
