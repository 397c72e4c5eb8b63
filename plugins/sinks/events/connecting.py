"""Errors of connections: which are final, and which may pass."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from .delivery import DeliveryError


class RefusedError(Exception):
    """The receiver does not exist or does not let vidan in, which trying again does not change."""


@contextmanager
def connecting(place: object) -> Iterator[None]:
    """Turn the errors of `ssl` and `socket` into those of receivers.

    Args:
        place: what is connected to, as it is shown in messages.

    Raises:
        RefusedError: it does not exist, or its certificate is not valid.
        DeliveryError: it cannot be reached.
    """
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise RefusedError(
            f"the certificate of {place} is not valid: {why}: set ca=<PEM file>"
        ) from error
    except ssl.SSLError as error:
        raise RefusedError(f"no TLS connection to {place}: {error.reason or error}") from error
    except socket.gaierror as error:
        kind = DeliveryError if error.errno == socket.EAI_AGAIN else RefusedError
        raise kind(f"unknown host: cannot reach {place}: {error.strerror}") from error
    except UnicodeError as error:
        raise RefusedError(f"unknown host: {place} has no valid name") from error
    except OSError as error:
        raise DeliveryError(f"cannot reach {place}: {error.strerror or error}") from error
