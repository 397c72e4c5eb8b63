"""The services that send alerts."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apprise
import msgspec
from apprise.attachment.memory import AttachMemory
from apprise.manager_plugins import NotificationManager

from vidan import options
from vidan.errors import ConfigError, SinkError

from ..delivery import DeliveryError

log = logging.getLogger(__name__)

REFUSALS = {401, 403, 404}
"""Answers by which a service refuses every alert, as after a wrong token."""

ATTEMPTS = 3
"""How often an alert is given to a service that does not take what another one takes."""


class Notice(msgspec.Struct, frozen=True):
    """An alert that waits.

    Attributes:
        title: its first line, where a service has one.
        text: what it says.
        made: Unix time when it was made, s.
        image: a JPEG file; None if there is none.
    """

    title: str
    text: str
    made: float
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """One service of apprise.

    Attributes:
        name: what messages call it; without its URL.
        client: sends to it.
    """

    name: str
    client: apprise.Apprise


class Services:
    """Gives alerts to all services. It is a `Receiver`.

    An alert that no service takes is tried again until it is `max_age` old. If all of them refuse
    every alert, such as with 401, before the first one has been taken, the sink ends, since a URL
    is the likely reason.

    Args:
        services: at least one.
        max_age: how old an alert can be, s.
    """

    def __init__(self, services: Sequence[Service], max_age: float) -> None:
        self._services, self._max_age = services, max_age
        self._current: Notice | None = None
        self._left: list[Service] = []
        self._attempts = 0
        self._was_taken = False  # any alert, by any service

    def connect(self) -> None:
        """See `Receiver`: each alert is a connection of its own."""

    def deliver(self, messages: Sequence[Notice]) -> int:
        """See `Receiver`."""
        return sum(not self._send(notice) for notice in messages)

    def close(self) -> None:
        """See `Receiver`."""

    def _send(self, notice: Notice) -> bool:
        """Send to the services that have not taken an alert; whether one of them has.

        Raises:
            DeliveryError: it is to be tried again.
        """
        if notice != self._current:
            self._current, self._left, self._attempts = notice, list(self._services), 0
        self._attempts += 1
        answers = {service.name: _ask(service, notice) for service in self._left}
        statuses = {name: status for name, status in answers.items() if status is not None}
        self._left = [service for service in self._left if service.name in statuses]
        was_taken = len(self._left) < len(self._services)
        self._was_taken |= was_taken
        if not self._left:
            return True
        names = " and ".join(map(_described, statuses.items()))
        if not self._was_taken and set(statuses.values()) <= REFUSALS:
            raise SinkError(f"{names} refused an alert: check the URL")
        is_old = time.time() - notice.made >= self._max_age
        if is_old or (was_taken and self._attempts >= ATTEMPTS):
            log.warning("alert: %s did not take an alert: dropped", names)
            return was_taken
        raise DeliveryError(f"{names} did not take an alert: check the URL and the connection")


def find_services(variables: str | Sequence[str]) -> list[Service]:
    """The services whose URLs environment variables have.

    Args:
        variables: value of the option `urls_env`.

    Raises:
        ConfigError: a variable does not exist, or apprise has no such service. Messages name the
            variable, since all parts of such a URL may be secret.
    """
    _silence()
    return [_service(name) for name in options.names("urls_env", variables)]


def _service(variable: str) -> Service:
    url = options.environment("urls_env", variable, "a URL of apprise").strip()
    client = apprise.Apprise(asset=apprise.AppriseAsset(app_id="vidan", async_mode=False))
    if not client.add(url) or len(client) != 1:
        raise ConfigError(
            f"urls_env={variable!r}: the variable has no URL of a service of apprise, such as "
            f"tgram://<token>/<chat>{_about_scheme(url)}: see https://appriseit.com/services"
        )
    client[0].redirects = False  # they would take the alert to another server
    return Service(f"{client[0].service_name} in {variable}", client)


def _about_scheme(url: str) -> str:
    scheme, colon, _ = url.partition("://")
    if not colon or not scheme.isalpha() or len(scheme) > 16:
        return ""
    manager: Any = NotificationManager  # has no types
    return "" if scheme.lower() in manager().schemas() else f", but the unknown scheme {scheme!r}"


def _attachment(image: bytes) -> Any:
    make: Any = AttachMemory  # has no types
    return make(image, name="event.jpg", mimetype="image/jpeg")


class _Answers(logging.Handler):
    """Finds the status of the newest answer in what apprise logs, the only place that has it.

    Attributes:
        status: of the answer; 0 if apprise names none.
        asking: held while a service is asked, since apprise asks in threads of its own.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.status = 0
        self.asking = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        found = re.search(r"\berror=(\d{3})\b", record.getMessage())
        if found:
            self.status = int(found[1])


_answers = _Answers()


def _described(answer: tuple[str, int]) -> str:
    name, status = answer
    return f"{name} (status {status})" if status else name


def _ask(service: Service, notice: Notice) -> int | None:
    """None if a service took an alert, else the status of its answer; 0 if that is not known."""
    attached = None
    if notice.image is not None:
        attached = apprise.AppriseAttachment()
        attached.add(_attachment(notice.image))
    with _answers.asking:
        _answers.status = 0
        try:
            took = service.client.notify(body=notice.text, title=notice.title, attach=attached)
        except Exception as error:  # of the many services; its text may contain the URL
            log.warning("alert: %s failed: %s", service.name, type(error).__name__)
            return 0
        return None if took else _answers.status


def _silence() -> None:
    """Show nothing that contains the addresses of requests, which contain tokens."""
    logging.getLogger("urllib3.connectionpool").setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(_answers)
