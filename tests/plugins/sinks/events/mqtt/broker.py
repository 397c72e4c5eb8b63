"""A real MQTT broker, and a subscriber."""

import getpass
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

SEARCHED = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/usr/bin:/usr/local/bin"

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path=SEARCHED)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


DURABLE = ("persistence true", "autosave_interval 0", "queue_qos0_messages true")
"""Options for a broker that is killed. It saves the sessions of subscribers when it is stopped,
and queues messages for those that have not come back yet after a kill. With a subscription of
QoS 0, mosquitto acknowledges no message that it has not written to the subscriber."""


class Mosquitto:
    """A broker that can be killed and started again."""

    def __init__(self, folder, *options, port=None, anonymous=True):
        self.port = port or free_port()
        self.folder = Path(folder)
        self.lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(anonymous).lower()}",
            f"user {getpass.getuser()}",  # else root becomes a user who cannot read the folder
            "max_queued_messages 1000000",
            f"persistence_location {self.folder}/",
            *options,
        ]
        self.process = None

    def start(self):
        config = self.folder / f"mosquitto-{self.port}.conf"
        config.write_text("\n".join(self.lines) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", config], stdout=log, stderr=log)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert time.monotonic() < end, (self.folder / "mosquitto.log").read_text()
                time.sleep(0.01)

    def stop(self):
        """End it regularly, so that it saves what it knows."""
        self.process.terminate()
        self.process.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class Subscriber:
    """Records messages; it connects again by itself, with the same session."""

    def __init__(self, port, topic="#", tls=None, login=None, qos=1):
        self.messages = []  # topic, payload, retained
        self._subscribed = threading.Event()
        self._topic = topic
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, f"test-{port}-{id(self)}", clean_session=False
        )
        if tls is not None:
            self.client.tls_set_context(tls)
        if login is not None:
            self.client.username_pw_set(*login)
        self.client.reconnect_delay_set(0.05, 0.2)
        self.client.on_connect = lambda *_: self.client.subscribe(topic, qos)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._receive
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(10)

    def _receive(self, _client, _data, message):
        self.messages.append((message.topic, message.payload, message.retain))

    def by_topic(self):
        """The newest payload of each topic, as text."""
        return {t: payload.decode("utf-8", "replace") for t, payload, _ in list(self.messages)}

    def wait(self, condition):
        end = time.monotonic() + 15
        while not condition(self):
            assert time.monotonic() < end, sorted(self.by_topic())
            time.sleep(0.01)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
