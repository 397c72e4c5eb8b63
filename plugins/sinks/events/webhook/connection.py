"""A connection to a service, which is kept from one request to the next."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from ..connecting import connecting
from ..delivery import DeliveryError
from .address import Address

MAX_ANSWER = 65_536
"""Bytes of an answer that are read; after a longer one a new connection is made."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered.

    Attributes:
        status: the code, such as 200.
        retry_after: the header `Retry-After`; None if there is none.
    """

    status: int
    retry_after: str | None


class Connection:
    """Posts to one address, one request at a time. It follows no redirects and uses no proxy.

    Args:
        address: of the service.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._open: http.client.HTTPConnection | None = None

    def connect(self) -> None:
        """Connect, if it is not connected.

        Raises:
            RefusedError: the service does not exist, or its certificate is not valid.
            DeliveryError: it cannot be reached.
        """
        if self._open is None:
            connection = self._made()
            try:
                with connecting(self._address):
                    connection.connect()
            except BaseException:
                connection.close()
                raise
            self._open = connection

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post, again if the service has closed a connection that was kept.

        Raises:
            RefusedError: as `connect`.
            DeliveryError: there is no complete answer.
        """
        was_kept = self._open is not None
        try:
            return self._post(body, headers)
        except ConnectionError as error:
            if not was_kept:
                raise self._lost(error) from error
        try:
            return self._post(body, headers)
        except OSError as error:
            raise self._lost(error) from error

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.connect()
        assert self._open is not None
        try:
            self._open.request("POST", self._address.path, body, dict(headers))
            response = self._open.getresponse()
            response.read(MAX_ANSWER)
        except ConnectionError:
            self.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._lost(error) from error
        if not response.isclosed():
            self.close()
        return Answer(response.status, response.getheader("Retry-After"))

    def _lost(self, error: Exception) -> DeliveryError:
        if isinstance(error, TimeoutError):
            return DeliveryError(f"{self._address} did not answer in {self._address.timeout:g} s")
        if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
            return DeliveryError(f"{self._address} did not answer in HTTP")
        return DeliveryError(f"{self._address} ended the connection")

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _made(self) -> http.client.HTTPConnection:
        place = self._address
        if place.tls is None:
            return http.client.HTTPConnection(place.host, place.port, timeout=place.timeout)
        return http.client.HTTPSConnection(
            place.host, place.port, timeout=place.timeout, context=place.tls
        )
