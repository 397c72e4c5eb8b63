import io
import logging

import pytest

from vidan.support.secrets import (
    SecretsFilter,
    redacted,
    redacted_url,
    split_user,
    without_passwords,
)

URLS = [
    ("rtsp://cam/live", "rtsp://cam/live"),
    ("rtsp://me:SECRET@cam/live", "rtsp://***@cam/live"),
    ("rtsp://SECRET@cam/live", "rtsp://***@cam/live"),
    ("rtsp://me:SECRET@x/SECRET@cam:554/live", "rtsp://***@cam:554/live"),
    ("rtsp://me:SECRET#x@cam:554/live", "rtsp://***@cam:554/live"),
    ("rtsp://me:SECRET/x@cam", "rtsp://***@cam"),
    ("rtsp://me:SECRET?x@[::1]:554/live", "rtsp://***@[::1]:554/live"),
    ("rtsp://me:1234/SECRET@10.0.0.1/live", "rtsp://***@10.0.0.1/live"),
    ("rtsp://me:SECRET SECRET@cam/live", "rtsp://***@cam/live"),
    ("rtsp:/me:SECRET@cam/live", "rtsp:/***@cam/live"),
    ("me:SECRET@10.0.0.1/live", "***@10.0.0.1/live"),
    ("http://cam/v?loginuse=SECRET&loginpas=SECRET", "http://cam/v?loginuse=***&loginpas=***"),
    ("http://cam/v?p=SECRET;x=SECRET#SECRET", "http://cam/v?p=***;x=***#***"),
    ("http://cam/v?SECRET", "http://cam/v?***"),
    ("rtsp://cam/user=admin_password=SECRET_channel=1.sdp?real", "rtsp://cam/user=***?***"),
    ("rtmp://server/live/SECRET", "rtmp://server/live/***"),
    ("rtmps://server:443/rtmp/SECRET?s=SECRET", "rtmps://server:443/rtmp/***?s=***"),
    ("rtsps://10.0.0.1:7441/SECRET23aBcDeFgH", "rtsps://10.0.0.1:7441/***"),
    ("https://server/hls/9f8e7d6c5b4a3210/live.m3u8", "https://server/hls/***/live.m3u8"),
    ("https://server/123e4567-e89b-12d3-a456-426614174000", "https://server/***"),
    ("srt://server:9000?passphrase=SECRET", "srt://server:9000?passphrase=***"),
    ("rtmp://server/live/S3CRET/", "rtmp://server/live/***/"),
    ("rtsp://cam:554/user/x/password/S3CRET", "rtsp://cam:554/user/x/password/***"),
    ("rtsp://cam/admin/S3CRET/ch1", "rtsp://cam/admin/***/ch1"),
    ("https://server/access_token/S3CRET/live", "https://server/access_token/***/live"),
    ("https://server/token-S3CRET/live.m3u8", "https://server/***/live.m3u8"),
    ("https://server/bot123:S3CRET-x/live", "https://server/bot123:***/live"),
    ("https://server/live;S3CRET/x", "https://server/live;***/x"),
    ("http://server:8080/live/me/S3CRET/12.ts", "http://server:8080/live/***/***/12.ts"),
    ("me:SECRET@cam", "***@cam"),
    ("https://server/(S(S3CRET7abcdefgh))/x", "https://server/***/x"),
    ("https://server/eyJh9bGciOiJI.S3CRET.S3CRETx_y/live.m3u8", "https://server/***/live.m3u8"),
    (r"rtsp:\\me:SECRET@cam\live", r"rtsp:\\***@cam\live"),
    ("concat:http://a/x?S3CRET|http://b/S3CRET23aBcDeFgH", "concat:http://a/x?***|http://b/***"),
    # what is no secret
    ("rtsp://cam/tokens_of/passing/keyboard/live", "rtsp://cam/tokens_of/passing/keyboard/live"),
    ("rtsp://cam/h264Preview_01_main", "rtsp://cam/h264Preview_01_main"),
    ("rtsp://cam/Streaming/Channels/101", "rtsp://cam/Streaming/Channels/101"),
    ("http://server:8080/photo@2x.png", "http://server:8080/photo@2x.png"),
    ("udp://@239.0.0.1:1234", "udp://@239.0.0.1:1234"),
    ("udp://:5000", "udp://:5000"),
    ("street.mp4", "street.mp4"),
    ("at 12:30 me@home.mp4", "at 12:30 me@home.mp4"),
    (r"C:\me@home\a.mp4", r"C:\me@home\a.mp4"),
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_what_may_be_a_secret_is_hidden(url, shown):
    assert redacted_url(url) == shown
    assert redacted_url(shown) == shown
    assert "SECRET" not in shown
    assert "S3CRET" not in shown


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_addresses_in_a_text_are_redacted(url, shown):
    text = "cannot open '{0}': source.path='{0}', check the path"
    assert redacted(text.format(url)) == text.format(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'sink.web.token=SECRET x'", "'sink.web.token=*** x'"),
        ("token='SECRET': expected text", "token='***': expected text"),
        ('+mqtt.password="SECRET"', '+mqtt.password="***"'),
        ("API_KEY=SECRET, passphrase=SECRET", "API_KEY=***, passphrase=***"),
        ("rtsp://cam/live user=me pw=SECRET", "rtsp://cam/live user=me pw=***"),
        ("token=${oc.env:TOKEN} token=null", "token=${oc.env:TOKEN} token=null"),
        ("sink.web={host: x, token: SECRET}", "sink.web={host: x, token: ***}"),
        ("{'user': 'me', 'password': 'a SECRET'}", "{'user': 'me', 'password': '***'}"),
        ("pw='my SECRET' x", "pw='***' x"),
        ("token=a,SECRET&SECRET)SECRET, port=1", "token=***, port=1"),
        ("Authorization: Bearer SECRET", "Authorization: ***"),
        ("'X-Api-Key: SECRET': refused", "'X-Api-Key: ***': refused"),
        ("{'Authorization': 'Bearer SECRET', 'x': 1}", "{'Authorization': '***', 'x': 1}"),
        ("headers.authorization=Bearer SECRET", "headers.authorization=***"),
    ],
)
def test_values_of_settings_that_are_named_as_secrets_are_hidden(text, shown):
    assert redacted(text) == shown


def test_each_of_several_addresses_is_redacted():
    text = "[rtsp://a:SECRET@one/1,rtsp://b:SECRET@two/2] in http://c/?x=SECRET."
    assert redacted(text) == "[rtsp://***@one/1,rtsp://***@two/2] in http://c/?x=***."


@pytest.mark.parametrize("text", ["12:30, 3 of 4", "a: b {c: d}", "x=1 me@example.com", "'~/a'"])
def test_other_texts_are_kept(text):
    assert redacted(text) == text


def test_the_user_ends_before_the_first_host():
    assert split_user("rtsp://me:a/b#c?d@cam:554/x@y") == ("rtsp://", "me:a/b#c?d@", "cam:554/x@y")
    assert split_user("rtsp://cam/x@y") == ("rtsp://", "", "cam/x@y")


@pytest.mark.parametrize("unit", ["a", "a:", "ab:@", "rtsp://", "a:@", "'rtsp://a@/ ", "x="])
def test_a_long_text_is_redacted_too(unit):
    """In time that grows with its length: otherwise this takes minutes."""
    assert "SECRET" not in redacted(unit * 20_000 + " rtsp://me:SECRET@cam/live")


@pytest.mark.parametrize(
    ("setting", "saved"),
    [
        (
            "sink.sql.url=postgresql://me:SECRET@db/counts",
            "sink.sql.url=postgresql://me:***@db/counts",
        ),
        ("a='postgresql://me:SEC@RET@[::1]:5432/c'", "a='postgresql://me:***@[::1]:5432/c'"),
        ("postgresql://db/c?user=me&password=SECRET", "postgresql://db/c?user=me&password=***"),
        ("mysql://db/c?user=me&passwd=SECRET", "mysql://db/c?user=me&passwd=***"),
        ("postgresql://me@db/c", "postgresql://me@db/c"),
        ("https://me:${oc.env:A B}@host/x", "https://me:${oc.env:A B}@host/x"),
        ("sink.sql.path=runs/a.sqlite", "sink.sql.path=runs/a.sqlite"),
    ],
)
def test_saved_settings_have_no_passwords_of_their_own(setting, saved):
    assert without_passwords(setting) == saved


def test_tracebacks_are_logged_without_secrets():
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(SecretsFilter())
    log = logging.Logger("test")
    log.addHandler(handler)
    url = "rtsp://me:SECRET@cam/live"
    try:
        raise ValueError(f"cannot open {url!r}")
    except ValueError:
        log.exception("failed at %s", url)
    assert written.getvalue().count("rtsp://***@cam/live") == 2
    assert "Traceback" in written.getvalue()
    assert "SECRET" not in written.getvalue()
