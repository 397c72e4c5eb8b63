"""The catalog of public detectors."""

from typing import get_args

import pytest

from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors.exported.decoding import DecodeName
from vidan_plugins.detectors.labels import BUILT_IN
from vidan_plugins.detectors.preprocess import PreprocessOverrides
from vidan_plugins.models import catalog as module
from vidan_plugins.models.catalog import catalog, find_downloaded, find_entry

SHA = "ab" * 32


def test_built_in_entries_can_be_verified_and_used(own):
    entries = catalog()
    assert len(entries) >= 3
    for entry in entries.values():
        assert entry.url.startswith("https://")
        assert entry.sha256
        assert entry.size
        assert entry.license != "unknown"
        assert entry.about
        options = dict(entry.options)
        assert options.pop("decode") in get_args(DecodeName)
        assert len(PreprocessOverrides(**options).given()) == len(options)
        assert isinstance(entry.labels, tuple) or entry.labels in BUILT_IN


def test_the_users_entries_have_priority(own):
    own(
        "ultraface-320: {url: 'https://a/b.onnx', about: mine}\n"
        f"mine.v2: {{url: 'http://a/c.onnx', sha256: {SHA}, size: 7, labels: [a, b], "
        "input_size: [64, 96], decode: yolo}\n"
    )
    assert find_entry("ultraface-320").about == "mine"
    mine = find_entry("mine.v2")
    assert (mine.sha256, mine.size, mine.labels) == (SHA, 7, ("a", "b"))
    assert mine.options == {"size": [64, 96], "decode": "yolo"}
    assert "ssd-resnet34" in catalog()


def test_unknown_names(own):
    with pytest.raises(ConfigError, match="unknown model 'ssd-resnet43': did you mean 'ssd-resn"):
        find_entry("ssd-resnet43")
    assert find_downloaded("nothing") is None
    with pytest.raises(ModelError, match="not downloaded yet: run vidan models pull ssd-resnet34"):
        find_downloaded("ssd-resnet34")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "expected models by name"),
        ("a: 1", "'a': expected keys such as url"),
        ("'../a': {url: 'https://a'}", "expected a name of letters, digits"),
        ("a: {}", "url=None: expected an address"),
        ("a: {url: 'file:///etc/passwd'}", "expected an address that starts with https://"),
        ("a: {url: 'https://a', sha: b}", "unknown key 'sha': did you mean 'sha256'"),
        ("a: {url: 'https://a', sha256: 12}", "sha256=12: expected 64 hexadecimal digits"),
        ("a: {url: 'https://a', size: -1}", "size=-1: expected a number of bytes"),
        ("a: {url: 'https://a', labels: []}", r"labels=\[\]: expected a list of labels"),
    ],
)
def test_an_invalid_catalog(own, text, message):
    own(text)
    with pytest.raises(ConfigError, match=message) as caught:
        catalog()
    assert "models.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_locations():
    assert module.cache_folder().parts[-2:] == ("vidan", "models")
    assert module.user_file().name == "models.yaml"
