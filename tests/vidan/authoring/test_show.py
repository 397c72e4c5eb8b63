"""`vidan plugins show` prints what the constructor and its docstring say."""

import pytest

from vidan.authoring.show import parameters
from vidan.cli import main as cli
from vidan.registry.discovery import load_plugins


def test_a_component_with_all_its_options(capsys):
    assert cli.main(["plugins", "show", "tracker/deepsort"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("tracker/deepsort")
    assert "vidan tracker=deepsort tracker.<key>=<value>" in text
    row = next(line for line in text.splitlines() if line.startswith("n_init"))
    assert row.split()[1:3] == ["int", "3"]
    assert "confirmed" in text


def test_brackets_are_no_style(capsys):
    assert cli.main(["plugins", "show", "detector/onnx"]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("classes"))
    assert "Sequence[str]" in row


def test_a_name_is_enough_where_one_kind_has_it(capsys):
    assert cli.main(["plugins", "show", "jsonl"]) == 0
    assert "vidan sink=jsonl sink.jsonl.<key>=<value>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trackr/sort", "did you mean 'tracker'"),
        ("tracker/sortt", "did you mean 'sort'"),
        ("sortt", "did you mean 'sort'"),
    ],
)
def test_what_there_is_not(name, said, capsys):
    assert cli.main(["plugins", "show", name]) == 3
    assert said in capsys.readouterr().err


def test_several_of_one_name(register, capsys):
    register("source", "twin", "vidan_plugins.sources.images.source:Images")
    register("sink", "twin", "vidan_plugins.sinks.jsonl:JsonLines")
    assert cli.main(["plugins", "show", "twin"]) == 3
    assert "say source/twin or sink/twin" in capsys.readouterr().err


def test_every_option_of_ours_is_explained():
    for component in load_plugins().registry:
        if component.package.name != "vidan" or component.missing():
            continue
        for parameter in parameters(component.load()):
            assert parameter.about, f"{component.kind}/{component.name}: {parameter.name}"
            assert parameter.type, f"{component.kind}/{component.name}: {parameter.name}"
