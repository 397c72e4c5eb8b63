"""Random addresses with a secret in them, as they appear in errors, logs and saved settings."""

import random

import pytest

from vidan.support.secrets import redacted, redacted_url, split_user, without_passwords
from vidan_plugins.sources.ffmpeg.url import Address

from . import SEED

SECRET = "zq7HUSHq8z"
ALPHABET = "ab01._~-!$&()*+,;=:@/?#[]%|\\^ é日\u200e\ud800"
HOSTS = ["cam", "cam.example:554", "192.168.1.64", "10.0.0.1:80", "[fe80::1]:554", "my_cam"]
PLACES = [
    "rtsp://admin:{secret}@{host}/live",
    "rtsp://admin:{secret}@{host}",
    "https://user:{secret}@{host}/a/b.m3u8?t=2#u=3",
]
WORDS = [
    "http://{secret}@{host}/video.cgi?x=1",
    "http://{host}/v?user=admin&{name}={secret}",
    "http://{host}/v?{secret}",
    "http://{host}/v#{secret}",
    "http://{host}/{name}={secret}_x=1/live",
    "http://{host}/token/{secret}/live",
    "rtmp://{host}/live/{secret}",
    "rtmps://{host}/app/live/{secret}/",
    "srt://{host}?streamid=publish:{secret}",
    "http://{host}/hls/{secret}abcd/live.m3u8",
]
NAMES = ["p", "pw", "psw", "loginpas", "Password", "auth_key", "q", "x.y"]


def addresses(rng, count):
    """URLs with SECRET in a place where a camera or server takes one."""
    for _ in range(count):
        around = ["".join(rng.choices(ALPHABET, k=rng.randrange(6))) for _ in range(2)]
        in_user = rng.random() < 0.6
        # Without the letter, `me:1/2@host` may be a port and a path.
        secret = f"a{around[0]}{SECRET}{around[1]}" if in_user else SECRET
        template = rng.choice(PLACES if in_user else WORDS)
        url = template.format(secret=secret, host=rng.choice(HOSTS), name=rng.choice(NAMES))
        if url.count("://") == 1:  # otherwise it may be two addresses
            yield url


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.fuzz)])
def test_no_random_address_shows_its_secret(count):
    for url in addresses(random.Random(f"{SEED} secrets"), count):
        texts = [redacted_url(url), redacted(f"cannot open {url!r}: check"), repr(Address(url))]
        texts += [redacted(f"'source.path={url}'"), Address(url).name]
        if not set(url) & set(" \t"):
            texts.append(redacted(f"opened {url} at 12:30"))
        if url.partition("://")[2] and split_user(url)[1] and not set(url) & set(" '\""):
            assert SECRET not in without_passwords(url.replace("http://", "postgresql://me:")), url
        assert all(SECRET not in text for text in texts), (url, texts)
