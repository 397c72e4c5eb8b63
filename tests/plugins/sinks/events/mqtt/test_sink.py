import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidan.config.build import RunContext
from vidan.errors import ConfigError, SinkError
from vidan.events import CONFIRMED, CROSSED, Event, Measure, Shape
from vidan.testing import SinkSuite
from vidan.testing import result as make_result
from vidan_plugins.sinks.events import delivery
from vidan_plugins.sinks.events.mqtt import Mqtt, session
from vidan_plugins.sinks.events.mqtt import sink as sink_module

from .broker import DURABLE, MOSQUITTO, Mosquitto, free_port

needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="install mosquitto")

LINE = Shape("path", np.zeros((2, 2), np.float32), rule="door", inward="left")
ZONE = Shape("polygon", np.zeros((3, 2), np.float32), rule="yard")
INSIDE = Measure("zone_objects", (("zone", "yard"), ("label", "thing")))
CROSSINGS = Measure(
    "line_crossings_total", (("line", "door"), ("direction", "in"), ("label", "thing"))
)


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_S", 0.2)
    monkeypatch.setattr(delivery, "IDLE_S", 0.1)
    monkeypatch.setattr(session, "ANSWER_S", 5.0)


@contextmanager
def running(tmp_path, port, prefix="p", **options):
    options = {"spool": str(tmp_path / "s.sqlite"), "drain": 10.0} | options
    sink = Mqtt(port=port, prefix=prefix, **options)
    try:
        yield sink
    finally:
        sink.close()


def crossed(number, track=1):
    return Event(f"front/door/{number}", CROSSED, "point", "front", "door", 0.1 * number, number,
                 track, "thing", (10.0, 20.0, 60.0, 90.0))  # fmt: skip


def confirmed():
    return replace(crossed(0), kind=CONFIRMED, phase="update", rule="presence")


def frame(inside=1.0, crossings=2.0):
    one = make_result(0, [[10.0, 20.0, 60.0, 90.0]])
    measures = {INSIDE: inside, CROSSINGS: crossings}
    return replace(one, shapes=(LINE, ZONE), measures=measures)


def numbers(subscriber):
    """The numbers of the events that arrived, each once, in the order of their first arrival."""
    events = [json.loads(p)["data"] for t, p, _ in list(subscriber.messages) if "/events/" in t]
    return list(dict.fromkeys(event["frame"] for event in events))


@needs_mosquitto
class TestMqtt(SinkSuite):
    @pytest.fixture(autouse=True)
    def at(self, mosquitto):
        self.port = mosquitto.port

    def make(self, tmp_path):
        return Mqtt(port=self.port, prefix="suite", spool=str(tmp_path / "s.sqlite"), images=True)


def test_events_counts_and_images_arrive_and_the_rest_is_kept(mosquitto, subscribe, tmp_path):
    subscriber = subscribe(mosquitto.port, "front-1/#")
    with running(tmp_path, mosquitto.port, "front-1", images=True) as sink:
        sink.emit([crossed(1), confirmed()])
        sink.write(frame())
        subscriber.wait(lambda s: "front-1/test/lines/door/in/all" in s.by_topic())
        assert subscriber.by_topic()["front-1/available"] == "online"
    subscriber.wait(lambda s: s.by_topic()["front-1/available"] == "offline")
    found = subscriber.by_topic()
    assert {t: v for t, v in found.items() if v.isdigit()} == {
        "front-1/test/thing": "1",
        "front-1/test/other": "0",
        "front-1/test/all": "1",
        "front-1/yard/thing": "1",
        "front-1/yard/all": "1",
        "front-1/test/lines/door/in/thing": "2",
        "front-1/test/lines/door/in/all": "2",
        "front-1/test/lines/door/out/all": "0",
    }
    event = json.loads(found["front-1/front/events/door/line.crossed"])
    assert event["data"]["id"] == "front/door/1"
    late = subscribe(mosquitto.port, "front-1/#")
    late.wait(lambda s: "front-1/test/thing/snapshot" in s.by_topic())
    assert all(retained for _, _, retained in late.messages)
    assert not any("/events/" in topic for topic in late.by_topic())
    [jpeg] = [payload for topic, payload, _ in late.messages if topic.endswith("snapshot")]
    assert jpeg.startswith(b"\xff\xd8")


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_both_versions_of_mqtt(mosquitto, subscribe, tmp_path, protocol):
    subscriber = subscribe(mosquitto.port, "versions/#")
    with running(tmp_path, mosquitto.port, "versions", protocol=protocol) as sink:
        sink.emit([crossed(n) for n in range(50)])
    subscriber.wait(lambda s: len(numbers(s)) == 50)
    assert numbers(subscriber) == list(range(50))


def test_home_assistant_gets_everything_again_when_it_asks(mosquitto, subscribe, tmp_path):
    subscriber = subscribe(mosquitto.port, "#")
    with running(tmp_path, mosquitto.port, "again", discovery="ha") as sink:
        sink.write(frame())
        topic = "ha/device/again-test/config"
        subscriber.wait(lambda s: topic in s.by_topic() and "again/yard/all" in s.by_topic())
        subscriber.messages.clear()
        subscriber.client.publish("ha/status", "online", 1)
        subscriber.wait(lambda s: {topic, "again/yard/all", "again/available"} <= set(s.by_topic()))


def test_home_assistant_gets_no_descriptions_in_quick_succession(
    mosquitto, subscribe, tmp_path, monkeypatch
):
    monkeypatch.setattr(sink_module, "EVERY_S", 0.0)
    monkeypatch.setattr(sink_module, "DESCRIBE_EVERY_S", 0.3)
    subscriber = subscribe(mosquitto.port, "ha/device/quick-test/config")
    with running(tmp_path, mosquitto.port, "quick", discovery="ha", images=True) as sink:

        def described(count):
            sink.write(frame())
            return len(subscriber.messages) == count

        subscriber.wait(lambda _: described(1))
        for label in ("thing", "other"):
            sink.emit([replace(confirmed(), label=label)])
            sink.write(frame())
        subscriber.wait(lambda _: described(2))
        sink.emit([replace(confirmed(), label="late")])
        sink.write(frame())
    subscriber.wait(lambda s: len(s.messages) == 3)
    images = [payload.count(b'"image_topic"') for _, payload, _ in subscriber.messages]
    assert images == [0, 2, 3]


def test_counts_of_an_earlier_run_that_have_no_value_anymore_become_0(
    mosquitto, subscribe, tmp_path
):
    subscriber = subscribe(mosquitto.port, "left/#")
    old = ["test/car", "yard/car", "test/lines/door/in/car", "test/lines/gate/in/all"]
    others = {"left/other/car": "5", "left/test/note": "text"}
    for topic in old:
        subscriber.client.publish(f"left/{topic}", "5", 1, retain=True)
    for topic, value in others.items():
        subscriber.client.publish(topic, value, 1, retain=True).wait_for_publish(5)
    with running(tmp_path, mosquitto.port, "left") as sink:
        sink.write(frame())
        subscriber.wait(lambda s: all(s.by_topic()[f"left/{topic}"] == "0" for topic in old))
    found = subscriber.by_topic()
    assert {topic: found[topic] for topic in others} == others
    assert found["left/test/thing"] == "1"


def test_frigate_and_onvif(mosquitto, subscribe, tmp_path):
    subscriber = subscribe(mosquitto.port, "forms/#")
    with running(tmp_path, mosquitto.port, "forms", format="frigate") as sink:
        appeared = replace(confirmed(), kind="object.appeared", phase="start")
        sink.emit([appeared, confirmed()])
        sink.write(frame())
    with running(tmp_path, mosquitto.port, "forms", format="onvif") as sink:
        sink.emit([crossed(1)])
    topic = "forms/onvif-ej/RuleEngine/LineDetector/Crossed/&front/vidan/door"
    subscriber.wait(lambda s: topic in s.by_topic())
    assert json.loads(subscriber.by_topic()["forms/events"])["type"] == "new"


@needs_mosquitto
def test_the_broker_is_killed_and_started_again_during_events(subscribe, tmp_path):
    server = Mosquitto(tmp_path, *DURABLE).start()
    subscriber = subscribe(server.port, qos=0)
    server.stop()
    with server, running(tmp_path, server.port) as sink:
        sink.emit([crossed(n) for n in range(50)])
        sink.write(frame())
        subscriber.wait(lambda s: len(numbers(s)) > 5)
        server.kill()
        subscriber.messages = [m for m in subscriber.messages if "/events/" in m[0]]
        for n in range(50, 100):
            sink.emit([crossed(n)])
        server.start()
        subscriber.wait(lambda s: len(numbers(s)) == 100 and "p/yard/all" in s.by_topic())
    assert numbers(subscriber) == list(range(100))


@needs_mosquitto
def test_a_killed_process_leaves_its_events_to_the_next(subscribe, tmp_path):
    code = """if True:
        import os, signal
        from tests.plugins.sinks.events.mqtt.test_sink import *
        sink = Mqtt(port=int(sys.argv[1]), prefix="p", spool=sys.argv[2])
        sink.emit([crossed(n) for n in range(20)])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    port = free_port()
    subprocess.run([sys.executable, "-c", code, str(port), str(tmp_path / "s.sqlite")], check=False)
    with Mosquitto(tmp_path, port=port):
        subscriber = subscribe(port)
        with running(tmp_path, port) as sink:
            sink.emit([crossed(n) for n in range(20, 30)])
        subscriber.wait(lambda s: len(numbers(s)) == 30)
        assert numbers(subscriber) == list(range(30))


@needs_mosquitto
def test_the_last_will_of_a_killed_process(mosquitto, subscribe, tmp_path):
    code = """if True:
        from tests.plugins.sinks.events.mqtt.test_sink import *
        sink = Mqtt(port=int(sys.argv[1]), prefix="will", spool=sys.argv[2])
        sys.stdin.read()
    """
    subscriber = subscribe(mosquitto.port, "will/#")
    command = [sys.executable, "-c", code, str(mosquitto.port), str(tmp_path / "s.sqlite")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    subscriber.wait(lambda s: s.by_topic().get("will/available") == "online")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    subscriber.wait(lambda s: s.by_topic()["will/available"] == "offline")


def test_a_broker_that_is_down_ends_no_run(tmp_path, caplog):
    port = free_port()
    with running(tmp_path, port) as sink:
        for n in range(20):
            sink.emit([crossed(n)])
            sink.write(frame())
    lines = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == 2, lines
    assert f"cannot reach the MQTT broker at 'localhost', port {port}: Connection" in lines[0]
    assert "20 events wait in" in lines[1]


def ended(tmp_path, port, **options):
    """The error that ends the sink."""
    with pytest.raises(SinkError) as caught, running(tmp_path, port, **options):
        pass
    assert "\n" not in str(caught.value)
    assert "SECRET" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_host_is_one_line(tmp_path):
    assert "unknown host: cannot reach the MQTT broker at 'no-such-host.invalid'" in ended(
        tmp_path, 1883, host="no-such-host.invalid"
    )


@needs_mosquitto
@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_wrong_password_is_one_line(tmp_path, monkeypatch, protocol):
    monkeypatch.setenv("MQTT_TEST", "SECRET")
    password_file(tmp_path, "me", "another one")
    with Mosquitto(tmp_path, f"password_file {tmp_path}/passwords", anonymous=False) as server:
        login = {"username": "me", "password_env": "MQTT_TEST", "protocol": protocol}
        assert "refuses the connection: wrong username or password" in ended(
            tmp_path, server.port, **login
        )


@needs_mosquitto
def test_a_topic_that_the_broker_does_not_allow_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MQTT_TEST", "SECRET")
    password_file(tmp_path, "me", "SECRET")
    (tmp_path / "acl").write_text("user me\ntopic read #\n")
    options = f"password_file {tmp_path}/passwords", f"acl_file {tmp_path}/acl"
    with Mosquitto(tmp_path, *options, anonymous=False) as server:
        sink = Mqtt(port=server.port, username="me", password_env="MQTT_TEST",
                    spool=str(tmp_path / "s.sqlite"))  # fmt: skip
        sink.emit([crossed(1)])
        with pytest.raises(SinkError, match="does not allow to publish 'vidan/front/events"):
            sink.close()


@needs_mosquitto
@pytest.mark.filterwarnings(  # paho leaves the socket to the garbage collector
    "ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)
def test_a_certificate_is_verified(subscribe, tmp_path):
    trusted, other = certificate(tmp_path, "localhost"), certificate(tmp_path, "other")
    options = f"certfile {trusted}.pem", f"keyfile {trusted}.key"
    with Mosquitto(tmp_path, *options) as server:
        tls = {"tls": True, "ca": f"{trusted}.pem"}
        with running(tmp_path, server.port, **tls) as sink:
            sink.emit([crossed(1)])
        assert not len(delivery.open_spool("mqtt", str(tmp_path / "s.sqlite"), 9, None))
        wrong = ended(tmp_path / "2", server.port, tls=True, ca=f"{other}.pem")
        assert "is not valid: self-signed certificate: set ca=" in wrong


def password_file(folder, user, password):
    path = folder / "passwords"
    tool = Path(MOSQUITTO).with_name("mosquitto_passwd")
    tool = tool if tool.exists() else "mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", path, user, password], check=True, capture_output=True)


def certificate(folder, name):
    """A self-signed certificate for a host; its path without the suffix."""
    path = folder / name
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", f"{path}.key", "-out", f"{path}.pem", "-days", "1",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefix": "a/#"}, r"^prefix='a/#': expected a topic"),
        ({"discovery": "+"}, r"^discovery='\+': expected a topic"),
        ({"host": " "}, r"^host=' ': expected a text"),
        (
            {"host": "mqtt://me:SECRET@x"},
            r"^host: expected a name or an address, not a URL: [^:]*$",
        ),
        ({"ca": "x.pem"}, r"^ca='x.pem': requires tls=true"),
        ({"tls": True, "ca": "no.pem"}, r"^ca='no.pem': expected a PEM file"),
        ({"tls": True, "key": "k"}, r"^certificate and key: set both"),
        ({"password_env": "X"}, r"^password_env='X': requires username"),
        (
            {"username": "me", "password_env": "NO_SUCH_VARIABLE"},
            r"^password_env='NO_SUCH_VARIABLE': expected the name of an environment variable",
        ),
    ],
)
def test_wrong_options_are_errors_before_the_run_and_leave_no_spool(here, options, message):
    with pytest.raises(ConfigError, match=message):
        Mqtt(**options)
    assert not list(here.iterdir())


def test_a_zone_with_the_name_of_the_stream_is_an_error(tmp_path):
    zone = Measure("zone_objects", (("zone", "test"), ("label", "thing")))
    with (
        running(tmp_path, free_port(), drain=0.0) as sink,
        pytest.raises(SinkError, match="the zone 'test' has the name of the stream"),
    ):
        sink.write(replace(make_result(0), measures={zone: 1.0}))


def test_the_spool_is_that_of_the_stream(here):
    run = RunContext("id", 0.0, True, "front", Path())
    sink = Mqtt(port=free_port(), run=run, drain=0.0)
    sink.close()
    assert (here / "runs/spool/front-mqtt.sqlite").exists()
