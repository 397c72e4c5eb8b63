"""A new kind of component is a new row of the table."""

from typing import Protocol

import pytest

from vidan.authoring.show import find
from vidan.cli.completion import complete
from vidan.config.build import build
from vidan.errors import PluginError
from vidan.kinds import KINDS, Kind
from vidan.registry.components import Package, Registrar


class Judge(Protocol):
    @property
    def strict(self) -> bool: ...

    def rate(self) -> int: ...

    def _private(self) -> None: ...


class Lenient:
    """Rates everything highly."""

    strict = False

    def __init__(self, best: int = 10):
        self.best = best

    def rate(self):
        return self.best


@pytest.fixture
def judge(monkeypatch, register):
    kind = Kind("judge", "a judge", "judges", Judge, many=True, required=False)
    monkeypatch.setitem(KINDS, "judge", kind)
    register("judge", "lenient", f"{__name__}:Lenient")
    return kind


def test_methods_are_those_of_the_protocol():
    assert {name: set(kind.methods) for name, kind in KINDS.items()} == {
        "source": {"__iter__", "close"},
        "detector": {"detect", "close"},
        "tracker": {"update"},
        "analytics": {"update", "finish"},
        "sink": {"write", "close"},
        "runner": {"submit", "shutdown"},
    }


def test_a_sink_may_take_events_alone():
    class Events:
        def emit(self, events): ...

        def close(self): ...

    class Neither:
        def close(self): ...

    assert KINDS["sink"].missing_methods(Events) == []
    assert KINDS["sink"].missing_methods(Neither) == ["write"]


def test_key_of_a_component():
    assert KINDS["tracker"].key("sort") == "tracker"
    assert KINDS["sink"].key("video") == "sink.video"


def test_a_new_kind_is_known_everywhere(judge):
    assert judge.methods == ("rate",)
    assert judge.key("lenient") == "judge.lenient"
    assert build("judge", {"name": "lenient", "best": 3}).rate() == 3
    assert find("judge/lenient").name == "lenient"
    assert "judge/lenient" in complete("vidan plugins show ju")
    assert "judge" in complete("vidan plugins new name --kind ")
    registrar = Registrar(Package("strange", "1.0"))
    registrar.add("judge", "harsh", "strange:Harsh")
    assert [c.kind for c in registrar.components] == ["judge"]


def test_an_unknown_kind_is_refused(judge):
    with pytest.raises(PluginError, match="unknown kind 'jugde', did you mean 'judge'"):
        Registrar(Package("strange", "1.0")).add("jugde", "harsh", "strange:Harsh")
