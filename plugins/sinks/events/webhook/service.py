"""The service that a run posts events to."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import msgspec

from vidan.errors import SinkError

from ..connecting import RefusedError
from ..delivery import DeliveryError
from ..message import Message, cloud_event
from .address import Address
from .connection import Answer, Connection
from .signature import signed_headers

SINGLE = "application/cloudevents+json; charset=utf-8"
BATCHED = "application/cloudevents-batch+json; charset=utf-8"

LATER = {408, 425, 429}
"""Besides 5xx: answers after which the same request may succeed."""

MESSAGE = {400, 409, 413, 414, 422}
"""Answers that are about the content of a request: another one may succeed."""

GONE = 410
"""The answer that no later request will be taken."""

MAX_WAIT_S = 3600.0
"""Longest wait that an answer can ask for, s."""


class Service:
    """Posts messages as CloudEvents. It is a `Receiver`.

    An answer that refuses every request, such as 401, ends the sink before the first event has
    been taken, since options are the likely reason; later, it is tried again.

    Args:
        address: of the service.
        batch: whether one request has several events.
        key: of the signature; None for none.
        token: sent in the header `Authorization`; None for none.
    """

    def __init__(
        self,
        address: Address,
        *,
        batch: bool = False,
        key: bytes | None = None,
        token: str | None = None,
    ) -> None:
        self._address, self._batch = address, batch
        self._key, self._token = key, token
        self._connection = Connection(address)
        self._was_taken = False

    def connect(self) -> None:
        """See `Receiver`."""
        self._connection.close()
        try:
            self._connection.connect()
        except RefusedError as error:
            raise self._refusal(str(error)) from error

    def deliver(self, messages: Sequence[Message]) -> int:
        """See `Receiver`."""
        if self._batch:
            return self._post(messages) if messages else 0
        return sum(self._post([message]) for message in messages)

    def close(self) -> None:
        """See `Receiver`."""
        self._connection.close()

    def _post(self, messages: Sequence[Message]) -> int:
        """Post messages in one request; how many the service refuses for good."""
        body = self._body(messages)
        try:
            answer = self._connection.post(body, self._headers(body))
        except RefusedError as error:
            raise self._refusal(str(error)) from error
        if 200 <= answer.status < 300:
            self._was_taken = True
            return 0
        if answer.status not in MESSAGE:
            raise self._error(answer)
        if len(messages) == 1:
            return 1
        middle = len(messages) // 2  # to find the ones that it refuses
        return self._post(messages[:middle]) + self._post(messages[middle:])

    def _body(self, messages: Sequence[Message]) -> bytes:
        events = [cloud_event(message) for message in messages]
        return msgspec.json.encode(events if self._batch else events[0])

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": BATCHED if self._batch else SINGLE,
            "User-Agent": f"vidan/{version('vidan')}",
        }
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._key is not None:
            headers |= signed_headers(self._key, body, time.time())
        return headers

    def _error(self, answer: Answer) -> Exception:
        status = answer.status
        text = f"{self._address} answered with status {status}"
        if status in LATER or status >= 500:
            return DeliveryError(text, seconds(answer.retry_after))
        if 300 <= status < 400:
            return self._refusal(f"{text}: redirects are not followed: set url to the new address")
        if status in (401, 403):
            return self._refusal(f"{text}: check token_env and secret_env")
        if status == GONE:
            return SinkError(f"{text}: it takes no more events")
        return self._refusal(f"{text}: check the URL")

    def _refusal(self, text: str) -> Exception:
        return DeliveryError(text) if self._was_taken else SinkError(text)


def seconds(retry_after: str | None) -> float:
    """The wait that a header `Retry-After` asks for, s; 0 if it cannot be read.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if retry_after is None:
        return 0.0
    try:
        wait = float(retry_after)
    except ValueError:
        try:
            wait = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, OverflowError):
            return 0.0
    return min(max(0.0, wait), MAX_WAIT_S) if math.isfinite(wait) else 0.0
