import base64
import json
import time
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes

import cv2
import numpy as np
import pytest
from aiosmtpd.controller import Controller

from tests.plugins.sinks.events.mqtt.broker import free_port
from vidan.errors import ConfigError, SinkError
from vidan.events import CROSSED, CROWDED, ENTERED, Event, Measure
from vidan.frames import ArrayFrame
from vidan.testing import SinkSuite
from vidan.testing import result as make_result
from vidan_plugins.sinks.events.alert import Alert, services
from vidan_plugins.sinks.events.delivery import open_spool

pytestmark = pytest.mark.usefixtures("fast_retries")

QUIET = Measure("events_dropped_total", (("sink", "alert"), ("reason", "quiet")))
REJECTED = Measure("events_dropped_total", (("sink", "alert"), ("reason", "rejected")))
SMALL = ["source.width=640", "source.height=360"]


@pytest.fixture(autouse=True)
def url(http_server, monkeypatch):
    """A service of apprise that posts JSON."""
    url = f"json://localhost:{http_server.port}/T0ken9s3cr3t"
    monkeypatch.setenv("ALERT_URL", url)
    return url


class TestAlert(SinkSuite):
    def make(self, tmp_path):
        return Alert("ALERT_URL", spool=str(tmp_path / "s.sqlite"))


def crossed(number, kind=CROSSED, seconds=0.0, phase="point", **values):
    event = Event(f"front/door/{number}", kind, phase, "front", "door", seconds, 0, 7, "thing",
                  (10.0, 20.0, 60.0, 90.0))  # fmt: skip
    return replace(event, **values)


@contextmanager
def running(tmp_path, **options):
    options = {"spool": str(tmp_path / "s.sqlite"), "drain": 10.0, "cooldown": 0.0} | options
    sink = Alert(**({"urls_env": "ALERT_URL"} | options))
    try:
        yield sink
    finally:
        sink.close()


def texts(server):
    return [request.json["message"] for request in server.requests]


def waiting(tmp_path):
    spool = open_spool("alert", str(tmp_path / "s.sqlite"), 9, None)
    spool.close()
    return len(spool)


def test_an_alert_has_text_and_an_image_of_the_frame_in_which_it_happened(http_server, tmp_path):
    with running(tmp_path, drawing=None, text="{label} {track} at {rule}: {kind}") as sink:
        for index in range(12):
            rgb = np.full((120, 160, 3), 20 * index, np.uint8)
            frame = ArrayFrame(rgb, index=index, time=index / 5, captured=0.0, stream="front")
            if index == 10:
                sink.emit([crossed(1, seconds=1.0, data={"delay": 1.0})])
            sink.write(replace(make_result(index), frame=frame))
    [request] = http_server.requests
    assert request.json["title"] == "vidan: front"
    assert request.json["message"] == "thing 7 at door: line.crossed"
    [attached] = request.json["attachments"]
    assert (attached["filename"], attached["mimetype"]) == ("event.jpg", "image/jpeg")
    image = cv2.imdecode(np.frombuffer(base64.b64decode(attached["base64"]), np.uint8), 1)
    assert image.shape == (120, 160, 3)
    assert np.median(image) == pytest.approx(100, abs=2)  # frame 5


def test_without_images_there_is_none_and_no_frame_is_needed(http_server, tmp_path):
    with running(tmp_path, images=False) as sink:
        sink.emit([crossed(1)])
    assert http_server.requests[0].json["attachments"] == []


def test_an_interval_and_a_cooldown_give_one_alert(http_server, tmp_path):
    crowded = [
        crossed(1, CROWDED, s, phase) for s, phase in ((0, "start"), (9, "update"), (20, "end"))
    ]
    with running(tmp_path, events=[CROWDED, CROSSED], cooldown=5.0, text="{kind}") as sink:
        sink.emit([*crowded, crossed(2), crossed(3, seconds=4.0), crossed(4, seconds=6.0)])
        sink.emit([crossed(5, rule="gate", seconds=6.0), crossed(6, ENTERED)])
    assert sorted(texts(http_server)) == [*[CROSSED] * 3, CROWDED]


def test_alerts_in_quiet_hours_are_dropped_and_counted(http_server, tmp_path):
    with running(tmp_path, quiet=["00:00-12:00", "12:00-00:00"]) as sink:
        sink.emit([crossed(1), crossed(2)])
        assert sink.measures()[QUIET] == 2
    assert http_server.requests == []
    assert waiting(tmp_path) == 0


def test_an_alert_waits_until_the_service_takes_it(http_server, tmp_path):
    http_server.answers = [500, 429, "disconnect"]
    with running(tmp_path, text="{track}") as sink:
        sink.emit([crossed(1), crossed(2, track=8)])
        sink.write(make_result(0))
        http_server.wait(5)
    assert texts(http_server) == ["7", "7", "7", "7", "8"]


def test_a_redirect_is_not_followed(http_server, tmp_path):
    http_server.answers = [(307, {"Location": f"http://localhost:{http_server.port}/elsewhere"})]
    with running(tmp_path) as sink:
        sink.emit([crossed(1)])
        sink.write(make_result(0))
        http_server.wait(2)
    assert {request.path for request in http_server.requests} == {"/T0ken9s3cr3t"}


def test_an_alert_that_no_service_takes_is_dropped_when_it_is_old(http_server, tmp_path, caplog):
    http_server.always = 500
    with running(tmp_path, max_age=0.2) as sink:
        sink.emit([crossed(1)])
        sink.write(make_result(0))
        end = time.monotonic() + 5
        while not sink.measures()[REJECTED]:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert "JSON in ALERT_URL (status 500) did not take an alert: dropped" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert waiting(tmp_path) == 0


@pytest.mark.parametrize("status", sorted(services.REFUSALS))
def test_a_wrong_token_ends_the_sink_with_one_line_and_the_alert_waits(
    http_server, tmp_path, caplog, status
):
    http_server.always = status
    expected = rf"^JSON in ALERT_URL \(status {status}\) refused an alert: check the URL$"
    with pytest.raises(SinkError, match=expected), running(tmp_path) as sink:
        sink.emit([crossed(1)])
    assert len(http_server.requests) == 1
    assert "s3cr3t" not in caplog.text
    assert waiting(tmp_path) == 1


def test_after_the_first_alert_a_refusal_is_tried_again(http_server, tmp_path):
    http_server.answers = [204, 403]
    with running(tmp_path, text="{track}") as sink:
        sink.emit([crossed(1), crossed(2, track=8)])
        sink.write(make_result(0))
        http_server.wait(3)
    assert texts(http_server) == ["7", "8", "8"]


def test_one_bad_service_neither_stops_the_others_nor_repeats_their_alerts(
    http_server, tmp_path, monkeypatch, url, caplog
):
    monkeypatch.setenv("BAD_URL", url + "/bad")
    http_server.answers = [lambda r: 401 if r.path.endswith("bad") else 204] * 99
    with running(tmp_path, urls_env=["BAD_URL", "ALERT_URL"], text="{track}") as sink:
        sink.emit([crossed(1), crossed(2, track=8)])
        sink.write(make_result(0))
        http_server.wait(2 * (1 + services.ATTEMPTS))
    good = [r.json["message"] for r in http_server.requests if not r.path.endswith("bad")]
    assert good == ["7", "8"]
    assert "JSON in BAD_URL (status 401) did not take an alert: dropped" in caplog.text
    assert "JSON in ALERT_URL" not in caplog.text


def test_an_alert_by_mail_arrives_at_a_real_server(tmp_path, monkeypatch):
    mails = []

    class Mailbox:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
            mails.append(message_from_bytes(envelope.content))
            return "250 OK"

    server = Controller(Mailbox(), hostname="127.0.0.1", port=free_port())
    server.start()
    monkeypatch.setenv(
        "MAIL_URL",
        f"mailto://127.0.0.1:{server.port}?from=vidan@example.org&to=me@example.org&mode=insecure",
    )
    try:
        with running(tmp_path, urls_env="MAIL_URL") as sink:
            sink.emit([crossed(1)])
            sink.write(make_result(0, [[10.0, 20.0, 60.0, 90.0]]))
    finally:
        server.stop()
    [mail] = mails
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk()}
    assert mail["Subject"] == "vidan: front"
    assert cv2.imdecode(np.frombuffer(parts["image/jpeg"], np.uint8), 1) is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"urls_env": "NO_SUCH"},
            "^urls_env='NO_SUCH': expected the name of an environment",
        ),
        ({"urls_env": []}, r"^urls_env=\[\]: expected at least one name"),
        ({"urls_env": "BAD_SCHEME"}, "^urls_env='BAD_SCHEME': .*the unknown scheme 'tgrm'"),
        ({"urls_env": "BAD_URL"}, r"^urls_env='BAD_URL': .*<chat>: see"),
        ({"quiet": "22:00"}, "^quiet='22:00': expected two different times"),
        ({"quiet": ["07:00-07:00"]}, "^quiet='07:00-07:00': expected two different"),
        ({"text": "{lable}"}, r"^text='\{lable\}': \{lable\}: did you mean 'label'"),
        ({"text": "{kind.__class__}"}, r"^text=.*\{kind.__class__\}: "),
        ({"text": "{"}, r"^text='\{': .*write \{\{ for a brace"),
        ({"title": " "}, "^title=' ': expected a text"),
        ({"events": "line.crosed"}, "did you mean 'line.crossed'"),
        ({"drawing": {"lables": True}}, "lables"),
    ],
)
def test_wrong_options_are_errors_before_the_run_and_leave_no_spool(
    here, monkeypatch, options, message
):
    monkeypatch.setenv("BAD_SCHEME", "tgrm://s3cr3t/1")
    monkeypatch.setenv("BAD_URL", "tgram://s3cr3t")
    with pytest.raises(ConfigError, match=message) as caught:
        Alert(**({"urls_env": "ALERT_URL"} | options))
    assert "s3cr3t" not in str(caught.value)
    assert not list(here.iterdir())


def test_an_unknown_label_ends_the_sink(tmp_path):
    with (
        running(tmp_path, labels="thinf") as sink,
        pytest.raises(SinkError, match="no label 'thinf': did you mean 'thing'"),
    ):
        sink.write(make_result(0))


def test_a_run_shows_and_saves_no_url(http_server, here, monkeypatch, capfd):
    from vidan.cli.main import main

    http_server.always = 500
    arguments = [*SMALL, "max_frames=12", "sink=[alert]", "run_dir=out", "hydra.verbose=true",
                 "sink.alert.events=object.confirmed", "sink.alert.drain=1"]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["vidan", *arguments])
    main()
    assert "s3cr3t" in http_server.requests[0].path
    shown = "".join(capfd.readouterr())
    assert "JSON in ALERT_URL (status 500) did not take an alert" in shown
    written = [file.read_bytes() for file in here.rglob("*") if file.is_file()]
    assert not any(b"s3cr3t" in each for each in [*written, shown.encode()])
    assert json.loads((here / "out/summary.json").read_text())


def test_faces_in_the_image_of_an_alert_are_pixelated(http_server, here, monkeypatch):
    from vidan.cli.main import main

    arguments = [*SMALL, "max_frames=12", "sink=[alert]", "sink.alert.events=object.confirmed",
                 "sink.alert.drawing=null", "sink.alert.drain=10"]  # fmt: skip
    found = []
    for images in ("original", "blur"):
        own = [f"images={images}", f"run_dir={images}"]
        monkeypatch.setattr("sys.argv", ["vidan", *arguments, *own])
        main()
        [attached] = http_server.requests[-1].json["attachments"]
        data = np.frombuffer(base64.b64decode(attached["base64"]), np.uint8)
        found.append(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32))
    changed = np.abs(found[0] - found[1]) > 20
    assert changed.sum() > 2000  # px
    original, blurred = (np.abs(cv2.Laplacian(image, -1))[changed].mean() for image in found)
    assert blurred < original / 2
