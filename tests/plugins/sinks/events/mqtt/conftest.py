import pytest

from .broker import MOSQUITTO, Mosquitto, Subscriber


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory):
    """A broker for the whole session: each test has a prefix of its own."""
    if MOSQUITTO is None:
        pytest.skip("no MQTT broker: install mosquitto")
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def subscribe():
    """Subscribes to topics of a broker for the duration of a test."""
    subscribers = []

    def make(port, *arguments, **options):
        subscribers.append(Subscriber(port, *arguments, **options))
        return subscribers[-1]

    yield make
    for subscriber in subscribers:
        subscriber.close()
