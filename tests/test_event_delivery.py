"""No event is lost, whatever is killed: the broker, the database, the service, or vidan itself."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.plugins.sinks.events.mqtt.broker import (
    DURABLE,
    MOSQUITTO,
    Mosquitto,
    Subscriber,
    free_port,
)
from tests.postgres import FOLDERS, PASSWORD, Postgres
from vidan_plugins.sinks.store.sql.sink import Sql

EVENTS, PER_FRAME = 10_000, 5
SERVER_KILLS, KILLS = 20, 5

PLUGIN = f"""
import time
import numpy as np
from vidan import ArrayFrame, Detections, hookimpl
from vidan.events import Event

class Blank:
    live, frames = False, {EVENTS // PER_FRAME}
    def __init__(self, pause: float = 0.004):
        self.pause = pause
    def __iter__(self):
        image = np.zeros((32, 32, 3), np.uint8)
        for n in range(self.frames):
            time.sleep(self.pause)
            yield ArrayFrame(image, index=n, time=n / 25, stream="front")
    def close(self): pass

class Nothing:
    labels = ("thing",)
    def detect(self, frames): return [Detections.empty() for _ in frames]
    def close(self): pass

class Ticker:
    '''Reports the events 0, 1, 2, ...'''
    def update(self, result):
        first, time = result.frame.index * {PER_FRAME}, result.frame.time
        return [
            Event(f"front/ticker/{{n}}", "ticker.tick", "point", "front", "ticker", time, n)
            for n in range(first, first + {PER_FRAME})
        ]
    def finish(self): return []

@hookimpl
def vidan_components(registry):
    registry.add("source", "blank", f"{{__name__}}:Blank")
    registry.add("detector", "nothing", f"{{__name__}}:Nothing")
    registry.add("analytics", "ticker", f"{{__name__}}:Ticker")
"""


class Ticks(Subscriber):
    """Records the numbers of the events, in the order in which each first arrived.

    It reads as fast as it can: what waits in the memory of a broker is lost when that is killed.
    """

    def __init__(self, port):
        self.found = {}
        self.arrived = 0
        super().__init__(port, "vidan/#", qos=0)

    def _receive(self, _client, _data, message):
        if message.topic.endswith("ticker.tick"):
            self.arrived += 1
            event = json.loads(message.payload)
            self.found.setdefault((event["source"], event["id"]), event["data"]["frame"])


class Recorder:
    """A service in a process of its own, which writes down what it takes before it answers."""

    CODE = """if True:
        import sys, threading
        from tests.plugins.sinks.events.http_server import HttpServer
        file = open(sys.argv[2], "ab", buffering=0)
        server = HttpServer(int(sys.argv[1]))
        server.always = lambda request: file.write(request.body + b"\\n") and 204
        print("ready", flush=True)
        threading.Event().wait()
    """

    def __init__(self, path):
        self.port, self.path = free_port(), path

    def start(self):
        command = [sys.executable, "-c", self.CODE, str(self.port), str(self.path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def lines(self):
        return self.path.read_bytes().splitlines() if self.path.exists() else []


class Together:
    """Several servers that are killed at the same time."""

    def __init__(self, *servers):
        self.servers = servers

    def kill(self):
        for server in self.servers:
            server.kill()

    def start(self):
        for server in self.servers:
            server.start()


RUN = (
    *("plugins_dir=plugins", "source=blank", "detector=nothing", "tracker=none"),
    *("analytics=[ticker]", "run_dir=run"),
)


def start(folder, *arguments):
    with (folder / "output.txt").open("ab") as output:
        command = [sys.executable, "-m", "vidan", *arguments]
        return subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)


def kill_often(folder, run, server, count):
    """Kill the server and vidan while events arrive; wait for the end of the run.

    Args:
        folder: of the run.
        run: its process.
        server: with `kill` and `start`.
        count: returns how many events have arrived.
    """
    steps = [(n * EVENTS // (SERVER_KILLS + 1), "server") for n in range(1, SERVER_KILLS + 1)]
    steps += [(n * EVENTS // (KILLS + 1), "vidan") for n in range(1, KILLS + 1)]
    try:
        for wanted, what in sorted(steps):
            end = time.monotonic() + 120  # a resumed run reads all frames again
            while count() < wanted:
                assert time.monotonic() < end, (wanted, (folder / "output.txt").read_text())
                time.sleep(0.01)
            if what == "server":
                server.kill()
                time.sleep(0.2)
                server.start()
            else:
                run.send_signal(signal.SIGKILL)
                run.wait()
                run = start(folder, "resume", "run")
        assert run.wait(120) == 0, (folder / "output.txt").read_text()
    finally:
        run.kill()


@pytest.mark.stress
@pytest.mark.skipif(MOSQUITTO is None, reason="install mosquitto")
def test_every_event_arrives_once_and_in_order_though_the_broker_and_vidan_are_killed(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/ticker.py").write_text(PLUGIN)
    broker = Mosquitto(tmp_path, *DURABLE).start()
    subscriber = Ticks(broker.port)
    broker.stop()
    broker.start()
    run = start(
        *(tmp_path, *RUN, "sink=[mqtt]", f"sink.mqtt.port={broker.port}", "sink.mqtt.drain=60"),
    )
    try:
        kill_often(tmp_path, run, broker, lambda: len(subscriber.found))
        time.sleep(2)  # for what is under way from the broker
    finally:
        broker.kill()
        subscriber.close()
    print(f"{subscriber.arrived} messages, {subscriber.arrived - EVENTS} of them duplicates")
    numbers = list(subscriber.found.values())
    assert not set(range(EVENTS)) - set(numbers)
    assert numbers == list(range(EVENTS))


@pytest.mark.stress
@pytest.mark.skipif(MOSQUITTO is None or not FOLDERS, reason="install mosquitto and postgresql")
def test_every_event_reaches_both_the_broker_and_the_database_though_all_are_killed(
    tmp_path, monkeypatch
):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/ticker.py").write_text(PLUGIN)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    database = Postgres()
    broker = Mosquitto(tmp_path, *DURABLE).start()
    subscriber = Ticks(broker.port)
    broker.stop()
    broker.start()

    def count():
        (found,) = database.run("SELECT to_regclass('events')")
        stored = database.run("SELECT count(*) FROM events")[0][0] if found[0] else 0
        return min(stored, len(subscriber.found))

    try:
        url = f"sink.sql.url={database.url().replace(':' + PASSWORD, '')}"
        stored = "sink=[mqtt,sql]", url, "sink.sql.drain=60"
        sent = f"sink.mqtt.port={broker.port}", "sink.mqtt.drain=60"
        run = start(tmp_path, *RUN, "source.pause=0.02", *stored, *sent)
        kill_often(tmp_path, run, Together(broker, database), count)
        time.sleep(2)  # for what is under way from the broker
        rows = database.run("SELECT frame, number FROM events ORDER BY number")
    finally:
        broker.kill()
        subscriber.close()
        database.close()
    print(f"{subscriber.arrived} messages, {subscriber.arrived - EVENTS} of them duplicates")
    assert list(subscriber.found.values()) == list(range(EVENTS))
    assert rows == [(n, n + 1) for n in range(EVENTS)]


@pytest.mark.stress
@pytest.mark.skipif(not FOLDERS, reason="install postgresql")
def test_every_event_is_stored_once_though_the_database_and_vidan_are_killed(tmp_path, monkeypatch):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/ticker.py").write_text(PLUGIN)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    server = Postgres()

    def count():
        (found,) = server.run("SELECT to_regclass('events')")
        return server.run("SELECT count(*) FROM events")[0][0] if found[0] else 0

    try:
        url = f"sink.sql.url={server.url().replace(':' + PASSWORD, '')}"
        stored = "sink=[sql,parquet]", url, "sink.sql.drain=60", "sink.parquet.rotate=0.5"
        kill_often(tmp_path, start(tmp_path, *RUN, *stored), server, count)
        (spool,) = (tmp_path / "runs/spool").glob("*.sqlite")
        # A server that returns when the run has ended gets what is left with the next run.
        Sql("unused", server.url(), spool=str(spool), drain=60.0).close()
        rows = server.run("SELECT frame, number FROM events ORDER BY number")
    finally:
        server.close()
    assert rows == [(n, n + 1) for n in range(EVENTS)]
    from pyarrow import dataset

    files = dataset.dataset(tmp_path / "run/dataset/events", partitioning="hive")
    numbers = files.to_table(columns=["number"])["number"].to_pylist()
    assert sorted(numbers) == list(range(1, EVENTS + 1))


@pytest.mark.stress
def test_every_event_is_posted_once_and_in_order_though_the_service_and_vidan_are_killed(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/ticker.py").write_text(PLUGIN)
    service = Recorder(tmp_path / "taken").start()
    url = f"sink.webhook.url=http://localhost:{service.port}/"
    run = start(tmp_path, *RUN, "sink=[webhook]", url, "sink.webhook.drain=60")
    try:
        kill_often(tmp_path, run, service, lambda: len(service.lines()))
    finally:
        service.kill()
    events = [json.loads(line) for line in service.lines()]
    print(f"{len(events)} requests, {len(events) - EVENTS} of them duplicates")
    found = {}
    for event in events:
        found.setdefault((event["source"], event["id"]), event["data"]["frame"])
    assert list(found.values()) == list(range(EVENTS))
