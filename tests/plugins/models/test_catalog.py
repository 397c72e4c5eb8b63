"""The catalog of public detectors."""

import hashlib
from typing import get_args

import pytest

from vidan.errors import ConfigError
from vidan_plugins.detectors.exported.decoding import DecodeName
from vidan_plugins.detectors.labels import BUILT_IN
from vidan_plugins.detectors.preprocess import PreprocessOverrides
from vidan_plugins.models import catalog as module
from vidan_plugins.models.catalog import (
    CatalogFile,
    catalog,
    entry_of,
    file_paths,
    find_entry,
    is_downloaded,
)
from vidan_plugins.models.download import Checksum

SHA = "ab" * 32


def test_built_in_entries_can_be_verified_and_used(own):
    entries = catalog()
    assert len(entries) >= 3
    for entry in entries.values():
        assert all(file.url.startswith("https://") for file in entry.files)
        assert entry.is_verifiable
        assert entry.size
        assert entry.license != "unknown"
        assert entry.about
        if entry.task != "detection":
            continue
        options = dict(entry.options)
        assert options.pop("decode") in get_args(DecodeName)
        assert len(PreprocessOverrides(**options).given()) == len(options)
        # The labels of an IR of the Open Model Zoo follow from its metadata.
        of_its_own = entry.files[0].suffix == ".xml"
        assert isinstance(entry.labels, tuple) or entry.labels in BUILT_IN or of_its_own


def test_files_of_the_open_model_zoo_are_those_of_the_data(data):
    for folder, name in {
        "omz_pvb_2003": "person-vehicle-bike-2003",
        "omz_pvb_2004": "person-vehicle-bike-2004",
        "omz_reid_0287": "person-reidentification-0287",
        "omz_reid_0288": "person-reidentification-0288",
    }.items():
        for file in find_entry(name).files:
            (path,) = (data / "models" / folder).glob(f"*{file.suffix}")
            assert file.size == path.stat().st_size
            assert file.checksum.digest == hashlib.sha384(path.read_bytes()).hexdigest()


def test_a_file_is_recognized_wherever_it_is(data, tmp_path):
    (model,) = (data / "models/omz_pvb_2004").glob("*.xml")
    copy = tmp_path / "model.xml"
    copy.write_bytes(model.read_bytes())
    entry = entry_of(copy)
    assert (entry.name, entry.threshold) == ("person-vehicle-bike-2004", 0.2)
    assert entry.score_scale == (0.39, 2.51)
    copy.write_bytes(model.read_bytes()[:-1] + b" ")  # of the same size
    assert entry_of(copy) is None


def test_the_users_entries_have_priority(own):
    own(
        "ultraface-320: {url: 'https://a/b.onnx', about: mine}\n"
        f"mine.v2: {{url: 'http://a/c.onnx', sha256: {SHA}, size: 7, labels: [a, b], "
        "input_size: [64, 96], decode: yolo}\n"
    )
    assert find_entry("ultraface-320").about == "mine"
    mine = find_entry("mine.v2")
    assert mine.files == (
        CatalogFile(url="http://a/c.onnx", size=7, checksum=Checksum("sha256", SHA)),
    )
    assert (mine.size, mine.labels) == (7, ("a", "b"))
    assert mine.options == {"size": [64, 96], "decode": "yolo"}
    assert "ssd-resnet34" in catalog()


def test_unknown_names(own):
    with pytest.raises(ConfigError, match="unknown model 'ssd-resnet43': did you mean 'ssd-resn"):
        find_entry("ssd-resnet43")


def test_an_entry_of_several_files(own):
    folder = own(
        "ir: {license: MIT, files: [{url: 'https://a/m.xml?x=1', size: 3}, {url: 'https://a/m.bin'}]}\n"
    )
    entry = find_entry("ir")
    assert file_paths(entry) == (folder / "ir.xml", folder / "ir.bin")
    assert (entry.size, entry.is_verifiable, is_downloaded(entry)) == (None, False, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a", "expected models by name"),
        ("a: 1", "'a': expected keys such as url"),
        ("'../a': {url: 'https://a'}", "expected a name of letters, digits"),
        ("a: {}", "url=None: expected an address"),
        ("a: {url: 'file:///etc/passwd'}", "expected an address that starts with https://"),
        ("a: {url: 'https://a', sha255: b}", "unknown key 'sha255': did you mean 'sha256'"),
        ("a: {url: 'https://a', sha256: 12}", "sha256=12: expected 64 hexadecimal digits"),
        ("a: {url: 'https://a', size: -1}", "size=-1: expected a number of bytes"),
        ("a: {url: 'https://a', sha384: ab}", "sha384='ab': expected 96 hexadecimal digits"),
        ("a: {url: 'https://a', task: x}", "task='x': expected one of detection, appearance"),
        ("a: {url: 'https://a', files: []}", "expected either files or url, not both"),
        ("a: {files: []}", "expected at least one file"),
        ("a: {files: ['https://a']}", "expected a list of files with their url"),
        ("a: {files: [{url: 'https://a', sise: 1}]}", "file 1: unknown key 'sise': did you mean"),
        ("a: {files: [{url: 'https://a'}, {size: 1}]}", "file 2: url=None: expected an address"),
        ("a: {url: 'https://a', threshold: 2}", "threshold=2: expected a number from 0 to 1"),
        (
            "a: {url: 'https://a', score_scale: 1}",
            "score_scale=1: expected the level and the slope",
        ),
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
