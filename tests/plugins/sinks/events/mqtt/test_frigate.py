"""Compared with https://docs.frigate.video/integrations/mqtt, `frigate/events`.

Source: docs/docs/integrations/mqtt.md of blakeblackshear/frigate at 006569391f37. Each change is an
object with `type`, `before` and `after`; both have at least the fields below. The first message
comes when an object is no longer taken for a false positive, others when its zones change, and the
last one has `end_time` set.
"""

from dataclasses import replace

import pytest

from vidan import Tracks
from vidan.events import APPEARED, CONFIRMED, CROSSED, ENTERED, EXITED, LEFT, STATIONARY, Event
from vidan.testing import result as make_result
from vidan_plugins.sinks.events.message import Messages
from vidan_plugins.sinks.events.mqtt.frigate import FrigateObjects

FIELDS = {
    "id": str, "camera": str, "frame_time": float, "snapshot_time": float, "label": str,
    "top_score": float, "false_positive": bool, "start_time": float, "end_time": float | None,
    "score": float, "box": list, "area": int, "region": list, "current_zones": list,
    "entered_zones": list, "thumbnail": str | None, "has_snapshot": bool, "has_clip": bool,
    "stationary": bool, "motionless_count": int, "position_changes": int,
}  # fmt: skip

BOX = (10.2, 20.0, 30.0, 60.0)


class Camera:
    """Feeds events and frames to the objects, and keeps their changes."""

    def __init__(self):
        self.objects, self.of = FrigateObjects(snapshots=True), Messages(None)
        self.messages = []

    def event(self, kind, seconds, phase="update", rule="presence", track=7):
        event = Event("id", kind, phase, "front", rule, seconds, 0, track, "person", BOX)
        new = list(self.objects.changes(self.of.of([event])))
        self.messages += new
        return [message.event for message in new]

    def see(self, seconds, score=0.75):
        one = make_result(0, [list(BOX)])
        one.frame.time = seconds
        tracks = one.tracks
        ids, scores = tracks.ids * 0 + 7, tracks.scores * 0 + score
        moved = Tracks(ids, tracks.boxes, scores, tracks.classes, tracks.misses, tracks.detection)
        new = list(self.objects.see(replace(one, tracks=moved)))
        self.messages += new
        return [message.event for message in new]


@pytest.fixture
def camera():
    """A camera with one confirmed object."""
    found = Camera()
    assert not found.event(APPEARED, 0.0, "start")
    assert not found.see(0.0)
    [found.first] = found.event(CONFIRMED, 0.2)
    return found


def test_a_new_object_has_the_documented_fields(camera):
    assert camera.first["type"] == "new"
    for record in (camera.first["before"], camera.first["after"]):
        for name, kind in FIELDS.items():
            assert isinstance(record[name], kind), name
    before, after = camera.first["before"], camera.first["after"]
    assert (before["false_positive"], after["false_positive"]) == (True, False)
    assert (after["camera"], after["label"], after["score"]) == ("front", "person", 0.75)
    assert (after["box"], after["area"]) == ([10, 20, 30, 60], 800)
    assert after["end_time"] is None


def test_zones_are_updates(camera):
    [entered] = camera.event(ENTERED, 1.0, "start", "yard")
    assert (entered["type"], entered["after"]["current_zones"]) == ("update", ["yard"])
    assert entered["before"] == camera.first["after"]
    [left] = camera.event(EXITED, 2.0, "end", "yard")
    assert (left["after"]["current_zones"], left["after"]["entered_zones"]) == ([], ["yard"])


def test_an_object_that_stops_and_moves_on(camera):
    [stopped] = camera.event(STATIONARY, 1.0, "start", "stationary")
    [moving] = camera.event(STATIONARY, 9.0, "end", "stationary")
    assert stopped["after"]["stationary"]
    assert (moving["after"]["stationary"], moving["after"]["position_changes"]) == (False, 1)


def test_the_last_message_has_the_end_time(camera):
    [end] = camera.event(LEFT, 5.0, "end")
    assert (end["type"], end["after"]["id"]) == ("end", camera.first["after"]["id"])
    assert end["after"]["end_time"] > end["after"]["start_time"]
    assert not camera.event(ENTERED, 6.0, "start", "yard")


def test_there_is_an_update_each_minute_while_an_object_is_there(camera):
    updates = [update for n in range(1, 200) for update in camera.see(0.2 + n, 0.5)]
    assert [update["type"] for update in updates] == ["update"] * 3
    times = [update["after"]["frame_time"] for update in updates]
    assert times[2] - times[0] == pytest.approx(120, abs=2)
    assert (updates[0]["after"]["score"], updates[0]["after"]["top_score"]) == (0.5, 0.75)
    identities = [(message.source, message.id) for message in camera.messages]
    assert len(set(identities)) == len(identities) == 4


def test_an_object_that_was_never_confirmed_is_not_reported():
    found = Camera()
    found.event(APPEARED, 0.0, "start")
    assert not found.event(LEFT, 0.5, "end")
    assert not found.messages


def test_other_events_are_not_changes_of_an_object(camera):
    assert not camera.event(CROSSED, 1.0, "point", "door")
