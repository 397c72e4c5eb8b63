"""Signatures that let a service verify who sent a request, and when.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
"""Before a key in base64."""


def signing_key(secret: str) -> bytes:
    """The key that a secret stands for: base64 after `whsec_`, else its bytes in UTF-8.

    Raises:
        ValueError: what follows `whsec_` is not base64, or empty.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret[len(PREFIX) :], validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError(f"expected base64 after {PREFIX}")
    return key


def signed_headers(key: bytes, body: bytes, now: float) -> dict[str, str]:
    """The headers of a request, as Standard Webhooks has them.

    Args:
        key: of the signature.
        body: of the request.
        now: Unix time, s. It is signed, so that a receiver can reject an old request.

    Returns:
        `webhook-id`, the same whenever the same body is sent; `webhook-timestamp`, whole seconds;
        and `webhook-signature`, `v1,` and the HMAC-SHA256 of `<id>.<timestamp>.<body>` in base64.
    """
    identity, timestamp = f"msg_{hashlib.sha256(body).hexdigest()[:32]}", str(int(now))
    content = f"{identity}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }
