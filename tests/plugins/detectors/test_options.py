from pathlib import Path

import pytest
from vidan_plugins.detectors import options

from vidan.errors import ConfigError


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (options.fraction, [-0.1, 1.1, float("nan"), True, "0.5", None]),
        (options.number, [float("nan"), float("inf"), True, "0.5"]),
        (options.boolean, [0, 1, "true", None]),
        (options.text, ["", " ", 5]),
        (options.names, [[], [1], "", 7, ["a", ""]]),
        (options.path, ["", " ", 5]),
        (lambda name, value: options.whole(name, value, 1), [0, -1, 1.0, True, "2"]),
    ],
    ids=["fraction", "number", "boolean", "text", "names", "path", "whole"],
)
def test_refuses_and_names_the_option_and_the_value(check, values):
    for value in values:
        with pytest.raises(ConfigError) as caught:
            check("x", value)
        assert str(caught.value).startswith(f"detector.x={value!r}: expected ")


def test_gives_what_is_good():
    assert options.fraction("x", 1) == 1.0
    assert options.number("x", -3) == -3.0
    assert options.whole("x", 7, 7) == 7
    assert options.names("x", "cat") == ("cat",)
    assert options.names("x", ["cat", "dog"]) == ("cat", "dog")
    assert options.path("x", "~/m.onnx") == Path.home() / "m.onnx"
