"""Hiding what may be a secret in addresses, wherever they are shown.

Cameras and servers take passwords and tokens in the user's part of an address, in queries, and in
paths. Their names tell little (`loginpas`, `p`), so that all of them are hidden.
"""

from __future__ import annotations

import logging
import re
from typing import Any

HIDDEN = "***"

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:(?:/{1,2}|\\\\)"

_SCHEME_START = re.compile(
    rf"^(?={_SCHEME})|(?<![A-Za-z0-9+.-])(?<!:/)(?<!://)(?=[A-Za-z][A-Za-z0-9+.-]+://)"
)
"""In a word. `user:/` within it may be a user and a password, as in `rtsp://user:/password@host`."""

_QUOTED = re.compile(rf"(['\"](?:[\w.@+~-]+=)?)({_SCHEME}(?:(?!://)[^'\"])*)(?=['\"])")
"""A single address in quotes, which may contain spaces."""

_NAMED = re.compile(
    r"(?i)(?P<name>(?:(?<![\w.])|(?P<mapping>[{,]\s*))[\"']?"
    r"(?:[\w.]{0,64}(?:token|passw|passphrase|secret|api_?key)\w{0,64}"
    r"|pass|pwd|psw|pw|playpath)[\"']?(?(mapping)\s*[=:]\s*|=))(?!\$\{|null\b|None\b|\*{3})"
    r"(?:(?P<quote>['\"])(?!\$\{|\*{3})(?:\\.|(?!(?P=quote))[^\\])+"
    r"|[^\s'\"]*[^\s'\"&;,)\]}])"
)
"""A setting whose name tells that its value is a secret, unless that is in the environment: with
`=`, or with `:` in a mapping."""

_HEADER = re.compile(
    r"(?i)(?<![\w-])(?P<name>(?:(?:proxy-)?authorization|(?:set-)?cookie"
    r"|x-[\w-]{0,64}(?:key|token|secret|password))"
    r"(?:['\"]?\s*[:=]\s*['\"]|\s*[:=]\s*(?!['\"])))[^\r\n'\"]+"
)
"""A header of HTTP whose value is a secret; also in a mapping."""

_TRAILING = "'\"`)]}>,;:.|"
"""What may follow an address in a text."""

_PARTS = re.compile(rf"(?P<scheme>{_SCHEME})(?P<rest>.*)", re.DOTALL)

_HOST_NAME = r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d+)?"

_HOST = rf"{_HOST_NAME}(?=[/?#\\]|$)"

_NUMERIC_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|\d+(?:\.\d+){3})(?::\d+)?(?=[/?#]|$)")

_USER = re.compile(rf".*?@(?={_HOST})", re.DOTALL)
"""What precedes the first `@` with a host after it: a password may contain `@`, `/`, `?` and `#`,
which is not valid, but people write it."""

_NO_SCHEME = re.compile(
    rf"(?<![^\s/\\:@='\"])[^\s/\\:@='\"]{{2,64}}:(?![/\\]{{1,2}}\*)[^\s@]{{0,128}}@"
    rf"(?={_HOST_NAME}(?:[/?#\\'\"`)\]}}>,;:|]|$))"
)
"""User and password of an address whose scheme was forgotten."""

_TOKEN = re.compile(
    r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9]{12,}"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|(?=\D*\d)(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[\w.~+-]{20,}"
)
"""Parts of a path that are probably random."""

_SECRET_FOLLOWS = re.compile(
    r"(?i)(?:.*(?:passw(?:or)?d|passphrase|token|secret|api_?key)|auth|key|pass|pwd|psw|pw|admin)"
    r"(?P<value>[^A-Za-z].*)?"
)
"""Parts of a path whose end, or else the next part, is a secret, such as `token`."""


_WITH_USER = re.compile(r"(?i)(?:live|movie|series)/[^/]+/[^/]+/\d+(?:\.\w+)?")
"""A path of IPTV servers: user, password and the number of a channel."""

_URL = re.compile(r"[A-Za-z][\w+.-]*://(?:\$\{[^}]*\}|[^\s'\"])+")

_PASSWORD_IN_QUERY = re.compile(
    r"(?i)([?&]\w*(?:passw(?:or)?d|passphrase|pwd|secret|token)=)(?!\$\{)[^&\s'\"]+"
)


def split_user(url: str) -> tuple[str, str, str]:
    """Scheme with its slashes, user and password with their `@`, and the rest of a URL.

    >>> split_user("rtsp://me:a#b@cam/live")
    ('rtsp://', 'me:a#b@', 'cam/live')
    """
    found = _PARTS.fullmatch(url)
    if found is None:
        return "", "", url
    scheme, rest = found["scheme"], found["rest"]
    user = _USER.match(rest)
    if user is None:
        return scheme, "", rest
    after = rest[user.end() :]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    is_host = "@" not in authority and re.fullmatch(_HOST, authority)
    # `host/path@2x` or `host:80/path@x`, unless `a:80/b` is a password and a host follows.
    if is_host and not (":" in authority and _NUMERIC_HOST.match(after)):
        return scheme, "", rest
    return scheme, user[0], after


def redacted_url(url: str) -> str:
    """A URL without user and password, values in its query, and what else may be a secret.

    >>> redacted_url("rtsp://me:secret@cam/live?channel=1")
    'rtsp://***@cam/live?channel=***'
    """
    scheme, user, rest = split_user(url)
    if not scheme:  # or one before it, such as FFmpeg's `concat:`
        return _redacted_word(url)
    if user:
        rest = _after_password(rest)
    place, mark, query = _divided(rest)
    host = re.split(r"[/\\]", place, maxsplit=1)[0]
    slash, path = place[len(host) : len(host) + 1], place[len(host) + 1 :]
    if host and not re.fullmatch(rf"{_HOST}|:\d+", host):
        host = HIDDEN  # such as the beginning of a password that contains a space
    path = _redacted_path(path, scheme.lower().startswith("rtmp"))
    start = "".join([scheme, HIDDEN if user[:-1] else "", user[-1:]])
    return start + host + slash + path + mark + _redacted_query(query)


def without_passwords(setting: str) -> str:
    """A setting with `***` for the passwords of its URLs, unless they come from elsewhere.

    >>> without_passwords("sink.sql.url=postgresql://me:secret@db/counts")
    'sink.sql.url=postgresql://me:***@db/counts'
    >>> without_passwords("postgresql://me:${oc.env:PASSWORD}@db/counts")
    'postgresql://me:${oc.env:PASSWORD}@db/counts'
    """
    return _URL.sub(lambda found: _without_password(found[0]), setting)


def _without_password(url: str) -> str:
    scheme, user, rest = split_user(url)
    name, colon, password = user.removesuffix("@").partition(":")
    after = _after_password(rest)
    if colon and (password or after != rest) and not password.startswith("${"):
        user, rest = f"{name}{colon}{HIDDEN}@", after
    return scheme + user + _PASSWORD_IN_QUERY.sub(rf"\1{HIDDEN}", rest)


def _after_password(rest: str) -> str:
    """What certainly follows the password: it may contain `@` and then the form of a host."""
    return re.split(rf"@(?={_HOST})", rest)[-1]


def _divided(rest: str) -> tuple[str, str, str]:
    """Host and path, the mark before the query or fragment, and that."""
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    return place, rest[len(place) : len(place) + 1], rest[len(place) + 1 :]


def _redacted_path(path: str, has_key: bool) -> str:
    """A path without what may be secrets; `has_key` if its last part is the key of a stream."""
    parts = path.split("/")
    follows = [False, *map(_names_next, parts)]
    shown = [
        HIDDEN if part and hidden else _redacted_part(part)
        for part, hidden in zip(parts, follows, strict=False)
    ]
    given = [n for n, part in enumerate(parts) if part]
    if _WITH_USER.fullmatch(path):
        shown[1:3] = [HIDDEN, HIDDEN]
    if has_key and given:
        shown[given[-1]] = HIDDEN
    return "/".join(shown)


def _redacted_part(part: str) -> str:
    """A part of a path, such as `user=admin_password=x`, without values."""
    value = re.search(r"[=:;](?=.)", part)
    if value is not None:
        return part[: value.end()] + HIDDEN
    named = _SECRET_FOLLOWS.fullmatch(part)
    if named is not None and named["value"]:
        return HIDDEN
    pieces = re.split(r"[^\w~+-]", part)
    if not any(map(_TOKEN.fullmatch, [part, *pieces])):
        return part
    suffix = "" if len(pieces) == 1 or not 1 < len(pieces[-1]) < 6 else f".{pieces[-1]}"
    return HIDDEN + suffix


def _names_next(part: str) -> bool:
    """Whether the part that follows this one in a path is a secret."""
    named = _SECRET_FOLLOWS.fullmatch(part)
    return named is not None and not named["value"]


def _redacted_query(query: str) -> str:
    """A query or fragment without values."""

    def hide(found: re.Match[str]) -> str:
        name, equals, _ = found[0].partition("=")
        return f"{name}={HIDDEN}" if equals else (HIDDEN if name else "")

    return re.sub(r"[^&;#?]+", hide, query)


def redacted(text: str) -> str:
    """A text with the secrets in its addresses, and those in settings such as `token=`, hidden."""
    text = _QUOTED.sub(lambda found: found[1] + redacted_url(found[2]), text)
    words = re.split(r"(\s+)", text)  # words and the spaces between them
    text = "".join(_redacted_word(word) if n % 2 == 0 else word for n, word in enumerate(words))
    text = _NAMED.sub(lambda found: found["name"] + (found["quote"] or "") + HIDDEN, text)
    return _HEADER.sub(lambda found: found["name"] + HIDDEN, text)


def _redacted_word(word: str) -> str:
    before, *urls = _SCHEME_START.split(word)
    shown = [_NO_SCHEME.sub(f"{HIDDEN}@", before)]
    for url in urls:
        end = len(url.rstrip(_TRAILING))
        shown += [redacted_url(url[:end]), url[end:]]
    return "".join(shown)


def redacted_settings(value: Any, key: str = "") -> Any:
    """Settings, such as a configuration as mappings and lists, without secrets.

    >>> redacted_settings({"path": "rtsp://me:secret@cam/live", "web": {"token": "secret"}})
    {'path': 'rtsp://***@cam/live', 'web': {'token': '***'}}
    """
    if isinstance(value, dict):
        return {name: redacted_settings(each, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [redacted_settings(each, key) for each in value]
    if not isinstance(value, str):
        return value
    if _NAMED.match(f"{key}=x") and not key.endswith("_env") and not value.startswith("${"):
        return HIDDEN
    return redacted(f"'{value}'")[1:-1]


def redacted_override(override: str) -> str:
    """An override `key=value` without secrets, also where it follows no grammar.

    >>> redacted_override("sink.web.token=['secret")
    'sink.web.token=***'
    """
    key, equals, value = override.partition("=")
    if not equals:  # such as `token: secret`
        named, _, value = override.partition(":")
        if value.strip() and not value.startswith("//") and _NAMED.match(f"{named.strip()}=x"):
            return f"{named}: {HIDDEN}"
    return f"{key}={redacted_settings(value, key.lstrip('+~-'))}" if equals else redacted(override)


class SecretsFilter(logging.Filter):
    """Hides secrets in the messages and tracebacks of a log handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message and its traceback; it is always logged."""
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info:  # formatters take the text that is there
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
        return True
