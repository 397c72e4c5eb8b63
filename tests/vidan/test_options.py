from functools import partial
from pathlib import Path

import pytest

from vidan import ConfigError, options


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (partial(options.number, low=0, high=1), [-0.1, 1.1, float("nan"), True, "0.5", None]),
        (options.number, [float("nan"), float("inf"), True, "0.5"]),
        (options.positive, [0, -1.5, float("inf"), None]),
        (options.boolean, [0, 1, "true", None]),
        (options.text, ["", " ", 5]),
        (options.names, [[], [1], "", 7, ["a", ""]]),
        (options.path, ["", " ", 5]),
        (partial(options.whole, low=1), [0, -1, 1.0, True, "2"]),
        (partial(options.whole, low=0, high=51), [-1, 52]),
    ],
)
def test_an_error_names_the_option_and_the_value(check, values):
    for value in values:
        with pytest.raises(ConfigError) as caught:
            check("detector.x", value)
        assert str(caught.value).startswith(f"detector.x={value!r}: expected ")


def test_a_choice_suggests_similar_names():
    with pytest.raises(ConfigError, match=r"x='bacthed': did you mean 'batched'\?"):
        options.choice("x", "bacthed", ["batched", "filterpy"])


def test_returns_acceptable_values():
    assert options.number("x", 1, 0, 1) == 1.0
    assert options.positive("x", 2) == 2.0
    assert options.choice("x", "b", "ab") == "b"
    assert options.boolean("x", False) is False
    assert options.text("x", "y") == "y"
    assert options.number("x", -3) == -3.0
    assert options.whole("x", 7, 7) == 7
    assert options.names("x", "cat") == ("cat",)
    assert options.names("x", ["cat", "dog"]) == ("cat", "dog")
    assert options.path("x", "~/m.onnx") == Path.home() / "m.onnx"


def test_a_path_may_begin_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert options.path("x", "~/a.mp4") == tmp_path / "home/a.mp4"
    assert options.path("x", "~no-such-user.mp4") == Path("~no-such-user.mp4")
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "b.mp4").write_bytes(b"")
    assert options.path("x", "~/b.mp4") == Path("~/b.mp4"), "a file of this name comes first"


def test_a_secret_in_place_of_the_name_of_its_variable_is_not_shown(monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    with pytest.raises(ConfigError, match="url_env='NOWHERE': expected the name"):
        options.environment("url_env", "NOWHERE", "the URL")
    with pytest.raises(ConfigError, match=r"^url_env: expected the name") as caught:
        options.environment("url_env", "ntfy://secret", "the URL")
    assert "secret" not in str(caught.value)
