import json

import pytest

from vidan.cli import subcommands
from vidan.config.compose import compose
from vidan.errors import ConfigError, SinkError


def test_the_keys_of_a_configuration_with_their_defaults():
    lines = subcommands.keys("eval_tracking").splitlines()
    assert any(line.startswith("sequences: null  # names or patterns") for line in lines)
    assert not any(line.startswith(("#", " ", "defaults")) for line in lines)
    assert subcommands.keys("tune_tracking", "eval_tracking").splitlines()[-len(lines) :] == lines


@pytest.mark.parametrize("key", ["run_dir", "hydra.run.dir"])
def test_the_run_directory_contains_the_configuration(here, key):
    config = compose(["tracker=sort", f"{key}=out/deep"], "eval_tracking")
    directory = subcommands.run_directory(config)
    assert str(directory) == "out/deep"
    assert "name: sort" in (directory / "config.yaml").read_text()
    subcommands.write_json(directory / "x.json", {"label": "é", "n": 1})
    assert json.loads((directory / "x.json").read_text(encoding="utf-8")) == {"label": "é", "n": 1}


def test_a_run_directory_that_cannot_be_created(here):
    (here / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write into 'file/run'"):
        subcommands.run_directory(compose(["run_dir=file/run"], "eval_tracking"))


def test_an_unknown_key_suggests_similar_ones():
    with pytest.raises(ConfigError, match="unknown key 'sequence': did you mean 'sequences'"):
        compose(["sequence=x"], "eval_tracking")
