"""The Compose file is valid, and its command starts a job that exists."""

import re

import pytest
import yaml

from tests.docs.pages import ROOT
from vidan.config.compose import compose
from vidan.config.jobs import check, parse
from vidan.config.search_path import Start
from vidan.config.streams import stream_configs
from vidan.execution.settings import RunSettings

FOLDER = ROOT / "deploy"
FILE = FOLDER / "compose.yaml"


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("CAMERA_PASSWORD", "a/b")
    monkeypatch.setenv("VIDAN_TOKEN", "0123456789abcdef")


def interpolated(text):
    """The file as Compose reads it, with a word in place of each variable."""
    return re.sub(r"\$\{\w+[^}]*\}", "word", text)


def test_the_file_is_valid():
    spec = pytest.importorskip("compose_spec", reason="no compose-spec: pip install vidan[test]")
    text = interpolated(FILE.read_text())
    assert spec.PyCompose.from_yaml(text).service_names() == ["vidan"]
    with pytest.raises(ValueError, match="restrat"):
        spec.PyCompose.from_yaml(text.replace("restart:", "restrat:"))


def test_files_and_volumes_exist():
    content = yaml.safe_load(FILE.read_text())
    (service,) = content["services"].values()
    assert (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert (FOLDER / content["configs"][service["configs"][0]["source"]]["file"]).is_file()
    assert {volume.partition(":")[0] for volume in service["volumes"]} == set(content["volumes"])


def test_the_command_starts_the_job(secrets):
    content = yaml.safe_load(FILE.read_text())["services"]["vidan"]
    start, rest = parse([word.replace("/etc/vidan", str(FOLDER)) for word in content["command"]])
    assert rest == []
    assert content["configs"][0]["target"] == f"/etc/vidan/{start.name}.yaml"
    check(start)
    streams = stream_configs(compose([], *start), [], start)
    assert set(streams) == {"entrance", "yard"}
    for config in streams.values():
        config.run_dir = "out"
        settings = RunSettings.from_config(config)
        assert set(settings.components["sink"]) == {"events", "counts", "prometheus"}
        assert settings.components["source"]["path"].startswith("rtsp://admin:a/b@")


def test_a_job_without_its_secrets_is_an_error(monkeypatch):
    from vidan import ConfigError

    monkeypatch.delenv("CAMERA_PASSWORD", raising=False)
    start = Start("vidan", str(FOLDER))
    (config, *_) = stream_configs(compose([], *start), [], start).values()
    with pytest.raises(ConfigError, match=r"environment variable \w+ is not set"):
        RunSettings.from_config(config)
