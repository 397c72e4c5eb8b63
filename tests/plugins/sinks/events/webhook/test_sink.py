import base64
import hashlib
import hmac
import json
import ssl
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import trustme
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.plugins.sinks.events.http_server import HttpServer
from vidan.errors import ConfigError, SinkError
from vidan.events import CROSSED, ENTERED, Event, Measure
from vidan.testing import SinkSuite
from vidan.testing import result as make_result
from vidan_plugins.sinks.events.delivery import open_spool
from vidan_plugins.sinks.events.webhook import Webhook, service
from vidan_plugins.sinks.events.webhook.service import seconds

pytestmark = pytest.mark.usefixtures("fast_retries")


class TestWebhook(SinkSuite):
    @pytest.fixture(autouse=True)
    def at(self, http_server):
        self.url = http_server.url

    def make(self, tmp_path):
        return Webhook(self.url, spool=str(tmp_path / "s.sqlite"))


def crossed(number, kind=CROSSED):
    return Event(f"front/door/{number}", kind, "point", "front", "door", 0.1 * number, number,
                 1, "person", (10.0, 20.0, 60.0, 90.0))  # fmt: skip


def make(tmp_path, url, **options):
    return Webhook(url, **{"spool": str(tmp_path / "s.sqlite"), "drain": 10.0} | options)


@contextmanager
def running(*args, **options):
    sink = make(*args, **options)
    try:
        yield sink
    finally:
        sink.close()


def ids(server, batch=False):
    found = [event for r in server.requests for event in (r.json if batch else [r.json])]
    return [event["data"]["frame"] for event in found]


def signature_of(key, request):
    """What a receiver computes."""
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def waiting(tmp_path):
    spool = open_spool("webhook", str(tmp_path / "s.sqlite"), 9, None)
    spool.close()
    return len(spool)


def dropped(sink, reason):
    return sink.measures()[
        Measure("events_dropped_total", (("sink", "webhook"), ("reason", reason)))
    ]


def test_events_arrive_in_order_over_one_connection_and_the_sdk_reads_them(http_server, tmp_path):
    with running(tmp_path, http_server.url) as sink:
        sink.emit([crossed(1), crossed(2)])
        sink.emit([crossed(3)])
    assert ids(http_server) == [1, 2, 3]
    assert len({request.connection for request in http_server.requests}) == 1
    first = http_server.requests[0]
    assert first.path == "/in"
    assert first.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    event = JSONFormat().read(CloudEvent, first.body)  # raises for an invalid event
    assert event.get_type() == "io.github.vidan.line.crossed.v1"
    assert event.get_subject() == "front/door"
    assert event.get_time().tzinfo is not None
    assert event.get_data()["id"] == "front/door/1"


def test_a_batch_is_one_request(http_server, tmp_path):
    http_server.answers = [503]  # so that the rest waits
    with running(tmp_path, http_server.url, batch=True) as sink:
        sink.emit([crossed(0)])
        http_server.wait(1)
        sink.emit([crossed(n) for n in range(1, 250)])
        http_server.wait(4)
    taken = http_server.requests[1:]
    assert max(len(request.json) for request in taken) == 100
    assert [e["data"]["frame"] for request in taken for e in request.json] == list(range(250))
    content = taken[0].headers["Content-Type"]
    assert content == "application/cloudevents-batch+json; charset=utf-8"


def test_only_the_chosen_events_are_sent_and_ids_do_not_depend_on_that(http_server, tmp_path):
    with running(tmp_path, http_server.url, events=ENTERED, labels="person") as sink:
        sink.emit([crossed(1), crossed(2, ENTERED)])
    assert [request.json["id"] for request in http_server.requests] == ["front/door/2:2"]


def test_an_unknown_label_ends_the_sink(http_server, tmp_path):
    with (
        running(tmp_path, http_server.url, labels="thinf") as sink,
        pytest.raises(SinkError, match="no label 'thinf': did you mean 'thing'"),
    ):
        sink.write(make_result(0))


def test_the_body_is_signed_and_a_token_is_sent(http_server, tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK_KEY", "k1-SECRET")
    monkeypatch.setenv("HOOK_TOKEN", "t1-SECRET")
    with running(tmp_path, http_server.url, secret_env="HOOK_KEY", token_env="HOOK_TOKEN") as sink:
        sink.emit([crossed(1)])
    [request] = http_server.requests
    assert request.headers["webhook-signature"] == signature_of(b"k1-SECRET", request)
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 5
    assert request.headers["Authorization"] == "Bearer t1-SECRET"


def test_an_event_that_is_sent_again_has_the_same_id_and_its_own_time(
    http_server, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOOK_KEY", "whsec_" + base64.b64encode(b"\x00\xffkey").decode())
    http_server.answers = [503]
    clock = iter(range(1_000_000, 2_000_000, 100))
    monkeypatch.setattr(service, "time", SimpleNamespace(time=lambda: next(clock) + 0.5))
    with running(tmp_path, http_server.url, secret_env="HOOK_KEY") as sink:
        sink.emit([crossed(1)])
        http_server.wait(2)
    first, second = (request.headers for request in http_server.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    for request in http_server.requests:
        assert request.headers["webhook-signature"] == signature_of(b"\x00\xffkey", request)


@pytest.mark.parametrize("failure", [500, 503, 429, 408, "disconnect", "hang", "nonsense"])
def test_what_may_succeed_later_is_tried_again_in_order(http_server, tmp_path, failure):
    http_server.answers = [failure, failure]
    with running(tmp_path, http_server.url, timeout=0.1) as sink:
        sink.emit([crossed(1), crossed(2)])
        http_server.wait(4)
    delivered = list(dict.fromkeys(ids(http_server)))
    assert delivered == [1, 2]
    assert ids(http_server)[-2:] == [1, 2]
    assert waiting(tmp_path) == 0


def test_a_connection_that_the_server_closed_is_no_failure(http_server, tmp_path, caplog):
    http_server.answers = ["close", "close"]
    with running(tmp_path, http_server.url) as sink:
        for number in (1, 2, 3):
            sink.emit([crossed(number)])
            http_server.wait(number)
    assert ids(http_server) == [1, 2, 3]
    assert not caplog.records


@pytest.mark.parametrize("status", [429, 503])
def test_the_time_in_retry_after_is_waited(http_server, tmp_path, status):
    http_server.answers = [(status, {"Retry-After": "1"})]
    with running(tmp_path, http_server.url) as sink:
        sink.emit([crossed(1)])
        http_server.wait(1)
        began = time.monotonic()
        http_server.wait(2)
        assert time.monotonic() - began > 0.9


def test_the_end_of_a_run_does_not_ask_again_before_that_time(http_server, tmp_path):
    http_server.answers = [(503, {"Retry-After": "60"})]
    began = time.monotonic()
    with running(tmp_path, http_server.url) as sink:
        sink.emit([crossed(1)])
        http_server.wait(1)
        time.sleep(0.1)
    assert time.monotonic() - began < 2
    assert len(http_server.requests) == 1
    assert waiting(tmp_path) == 1


def test_a_retry_after_is_a_number_or_a_date_and_limited():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert seconds(at) == pytest.approx(60, abs=2)
    assert [seconds(text) for text in ("2", "-1", "1e9", "nan", "soon", None)] == [
        2, 0, 3600, 0, 0, 0,
    ]  # fmt: skip


@pytest.mark.parametrize("batch", [False, True])
def test_only_the_events_that_the_service_refuses_are_dropped(http_server, tmp_path, batch):
    def refuses_3(request):
        return 422 if b'"frame":3,' in request.body else 204

    http_server.always = refuses_3
    with running(tmp_path, http_server.url, batch=batch) as sink:
        sink.emit([crossed(number) for number in range(8)])
    assert dropped(sink, "rejected") == 1
    taken = [r for r in http_server.requests if refuses_3(r) == 204]
    found = [event for r in taken for event in (r.json if batch else [r.json])]
    assert [event["data"]["frame"] for event in found] == [0, 1, 2, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (401, "answered with status 401: check token_env and secret_env"),
        (403, "answered with status 403: check token_env and secret_env"),
        (404, "answered with status 404: check the URL"),
        (410, "answered with status 410: it takes no more events"),
        ((302, {"Location": "http://localhost:1/?key=SECRET"}), "redirects are not followed"),
    ],
)
def test_a_service_that_refuses_all_ends_the_sink_and_events_wait(
    http_server, tmp_path, answer, message
):
    http_server.always = answer
    sink = make(tmp_path, http_server.url)
    sink.emit([crossed(1)])
    with pytest.raises(SinkError, match=message) as caught:
        sink.close()
    assert "SECRET" not in str(caught.value)
    assert len(http_server.requests) == 1
    assert waiting(tmp_path) == 1


def test_after_the_first_success_a_refusal_is_tried_again(http_server, tmp_path):
    http_server.answers = [204, 404, 401]
    with running(tmp_path, http_server.url) as sink:
        sink.emit([crossed(1), crossed(2)])
        http_server.wait(4)
    assert ids(http_server) == [1, 2, 2, 2]


def test_events_wait_for_a_service_that_is_down_and_for_the_next_run(tmp_path, caplog):
    with HttpServer() as server:
        url = server.url
    with running(tmp_path, url, drain=0.2) as sink:
        sink.emit([crossed(1)])
    assert "cannot reach http://localhost:" in caplog.text
    assert "1 events wait in" in caplog.text
    with HttpServer() as server, running(tmp_path, server.url) as sink:
        sink.emit([crossed(2)])
        server.wait(2)
    assert ids(server) == [1, 2]


def test_a_certificate_is_verified(tmp_path):
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with HttpServer(tls=context) as server:
        with running(tmp_path, server.url, ca=str(tmp_path / "ca.pem")) as sink:
            sink.emit([crossed(1)])
        assert ids(server) == [1]
        elsewhere = server.url.replace("localhost", "127.0.0.1")
        for url, ca, why in [
            (server.url, "other", "certificate verify failed|unable to get local issuer"),
            (elsewhere, "ca", "IP address mismatch"),
        ]:
            sink = make(tmp_path, url, ca=str(tmp_path / f"{ca}.pem"))
            with pytest.raises(SinkError, match=f"is not valid: .*({why}).*: set ca="):
                sink.close()
        assert ids(server) == [1]


def test_an_unknown_host_and_a_server_without_tls_are_one_line(http_server, tmp_path):
    for url, message in [
        ("http://no-such-host.invalid/", "^unknown host: cannot reach http://no-such-host.invalid"),
        (http_server.url.replace("http", "https"), "^no TLS connection to https://localhost"),
    ]:
        with pytest.raises(SinkError, match=message), running(tmp_path, url):
            pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "^url and url_env: set one of them"),
        ({"url": "http://a", "url_env": "HOOK_URL"}, "^url and url_env: set one of them"),
        ({"url": "ftp://a/b"}, "^url: expected an address such as https://host/path$"),
        ({"url": "a/b"}, "^url: expected an address"),
        ({"url": "http://a:99999/"}, "^url: expected an address"),
        ({"url": "http://a/b c"}, "^url: expected ASCII without spaces"),
        ({"url": "https://me:SECRET@a/"}, "^url: it may contain a secret"),
        ({"url": "https://a/?key=SECRET"}, "^url: it may contain a secret"),
        ({"url_env": "NO_SUCH_URL"}, "^url_env='NO_SUCH_URL': expected the name of an environment"),
        ({"url_env": "HOOK_URL"}, "^url_env: it contains a user: set token_env"),
        ({"url": "http://a", "secret_env": "NO_SUCH"}, "^secret_env='NO_SUCH': expected the name"),
        (
            {"url": "http://a", "secret_env": "BAD_KEY"},
            "^secret_env='BAD_KEY': expected base64",
        ),
        ({"url": "http://a", "ca": "no.pem"}, "^ca='no.pem': expected a PEM file"),
        ({"url": "http://a", "events": "line.crosed"}, "did you mean 'line.crossed'"),
    ],
)
def test_wrong_options_are_errors_before_the_run_and_leave_no_spool(
    here, monkeypatch, options, message
):
    monkeypatch.setenv("HOOK_URL", "https://me:SECRET@a/")
    monkeypatch.setenv("BAD_KEY", "whsec_SECRET!")
    with pytest.raises(ConfigError, match=message) as caught:
        Webhook(**options)
    assert "SECRET" not in str(caught.value)
    assert not list(here.iterdir())


def test_a_run_shows_and_saves_no_secret(http_server, here, monkeypatch, capfd):
    from vidan.cli.main import main

    for name in ("KEY", "TOKEN"):
        monkeypatch.setenv(f"HOOK_{name}", f"{name}-s3cr3t")
    path = "/hooks/T0abcs3cr3tXYZ9?sig=s3cr3t"
    monkeypatch.setenv("HOOK_URL", http_server.url.removesuffix("/in") + path)
    http_server.always = 401
    arguments = [
        *("max_frames=20", "sink=[webhook]", "on_sink_error=continue", "run_dir=out"),
        *("sink.webhook.url_env=HOOK_URL", "sink.webhook.secret_env=HOOK_KEY"),
        *("sink.webhook.token_env=HOOK_TOKEN", "hydra.verbose=true"),
    ]
    monkeypatch.setattr("sys.argv", ["vidan", *arguments])
    main()
    assert http_server.requests[0].path == path
    written = [file.read_bytes() for file in here.rglob("*") if file.is_file()]
    shown = "".join(capfd.readouterr())
    assert "answered with status 401" in shown
    assert len(written) > 3
    assert not any(b"s3cr3t" in each for each in [*written, shown.encode()])
    assert json.loads((here / "out/summary.json").read_text())
