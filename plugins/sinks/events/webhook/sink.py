"""`sink=webhook`: events for a service with HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from vidan import options
from vidan.config.build import RunContext
from vidan.errors import ConfigError
from vidan.events import Event, Measure
from vidan.options import SECRET
from vidan.types import Result

from ...tls import load_certificate, trusting
from ..delivery import DRAIN_S, SPOOL_SIZE, Delivery, open_spool
from ..filter import EventFilter
from ..message import Message, Messages
from .address import parsed, read_url
from .service import Service
from .signature import signing_key

BATCH = 100
"""Events in one request at most, with `batch`."""


class Webhook:
    """Posts events as CloudEvents 1.0 in structured mode.

    Events are delivered at least once, in order: they wait on disk while the service is down.
    `source` and `id` of a CloudEvent together tell it from all others. The answer decides:

    | status | |
    |---|---|
    | 2xx | delivered |
    | 408, 425, 429, 5xx, or none | tried again, after the time in `Retry-After` if there is one |
    | 400, 409, 413, 414, 422 | this event is dropped and counted; a batch is divided to find it |
    | 410 | the sink ends |
    | 3xx, 401, 403, 404, other 4xx | the sink ends; after it has taken an event, tried again |

    Args:
        url: of the service, if there is no secret in it.
        url_env: name of the environment variable that has the URL instead.
        batch: whether one request has several events.
        secret_env: name of the environment variable that has the key of the signature, which
            covers the time and the body, see `signed_headers`: `whsec_` and base64, or any text;
            None for none.
        token_env: name of the environment variable that has a token for the header
            `Authorization: Bearer`; None for none.
        events: kinds of events, or patterns such as `zone.*`.
        rules: names of lines, zones and analyzers; None for all.
        labels: labels of the objects; None for all.
        timeout: how long each step of a request may take, s.
        ca: PEM file of the authorities that sign the service's certificate; None for the system's.
        certificate: PEM file of a client certificate.
        key: PEM file with its private key, without a password.
        spool: file for events that wait; None for `runs/spool/<stream>-webhook.sqlite`.
        spool_size: events that wait at most; beyond it the oldest are dropped.
        drain: time that the end of a run waits for the service, s.
        run: which run it is.

    Raises:
        ConfigError: an option has an invalid value, or another run uses the spool.
        SinkError: the spool cannot be written, the service does not exist, its certificate is not
            valid, or it refuses all requests.
    """

    def __init__(
        self,
        url: Annotated[str, SECRET] | None = None,
        url_env: str | None = None,
        batch: bool = False,
        secret_env: str | None = None,
        token_env: str | None = None,
        events: str | Sequence[str] = ("*",),
        rules: str | Sequence[str] | None = None,
        labels: str | Sequence[str] | None = None,
        timeout: Annotated[float, Meta(gt=0, le=600)] = 10.0,
        ca: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        spool: str | None = None,
        spool_size: Annotated[int, Meta(ge=1)] = SPOOL_SIZE,
        drain: Annotated[float, Meta(ge=0)] = DRAIN_S,
        run: RunContext | None = None,
    ) -> None:
        context = trusting(ca)
        load_certificate(context, certificate, key)
        name = "url" if url_env is None else "url_env"
        address = parsed(name, read_url(url, url_env), context, timeout)
        signing = _key(secret_env)
        token = _variable("token_env", token_env, "the token")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ConfigError(f"token_env={token_env!r}: expected a token of ASCII characters")
        self._filter = EventFilter(events, rules, labels)
        self._messages = Messages(run)
        service = Service(address, batch=batch, key=signing, token=token)
        file = open_spool("webhook", spool, spool_size, run)
        self._delivery: Delivery[Message] = Delivery(
            "webhook", service, file, drain=drain, batch=BATCH if batch else 1
        )

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: store events, to be delivered."""
        pairs = zip(events, self._messages.of(events), strict=True)
        self._delivery.put([message for event, message in pairs if self._filter.takes(event)])

    def write(self, result: Result) -> None:
        """Check labels, and whether the service still takes events."""
        self._filter.check(result)
        self._delivery.check()

    def measures(self) -> Mapping[Measure, float]:
        """See Measuring."""
        return self._delivery.measures()

    def close(self) -> None:
        """Wait for the service for a while; see `Delivery.close`."""
        self._delivery.close()


def _key(secret_env: str | None) -> bytes | None:
    secret = _variable("secret_env", secret_env, "the key of the signature")
    try:
        return None if secret is None else signing_key(secret)
    except ValueError as error:
        raise ConfigError(f"secret_env={secret_env!r}: {error}") from None


def _variable(key: str, name: str | None, content: str) -> str | None:
    return None if name is None else options.environment(key, name, content)
