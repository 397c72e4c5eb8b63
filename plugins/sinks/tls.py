"""Certificates of sinks that serve or connect."""

from __future__ import annotations

import ssl

from vidan import options
from vidan.errors import ConfigError


def trusting(ca: str | None) -> ssl.SSLContext:
    """What verifies the certificate of a server, and its name.

    Args:
        ca: value of the option `ca`, a PEM file of the authorities to trust; None for the system's.

    Raises:
        ConfigError: the file cannot be used.
    """
    path = None if ca is None else options.path("ca", ca)
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"ca={ca!r}: expected a PEM file of certificates: {error}") from error


def load_certificate(context: ssl.SSLContext, certificate: str | None, key: str | None) -> bool:
    """Add a certificate of our own, if one is given.

    Args:
        context: to add it to.
        certificate: value of the option `certificate`, a PEM file.
        key: value of the option `key`, a PEM file with its private key, without a password.

    Returns:
        Whether there is one.

    Raises:
        ConfigError: only one of them is given, or they cannot be used.
    """
    if certificate is None and key is None:
        return False
    if certificate is None or key is None:
        raise ConfigError("certificate and key: set both or neither")
    paths = options.path("certificate", certificate), options.path("key", key)
    try:
        context.load_cert_chain(*paths, password="")  # without a password OpenSSL would prompt
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"certificate={certificate!r} and key={key!r}: expected PEM files, the key without a "
            f"password: {error}"
        ) from error
    return True
