import pytest

from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors.errors import naming, one_line


def test_the_name_of_the_model_is_put_first_once():
    cause = ValueError("cause")
    with pytest.raises(ModelError) as caught, naming("model 'm'"):
        raise ModelError("it does not run") from cause
    assert str(caught.value) == "model 'm': it does not run"
    assert caught.value.__cause__ is cause


def test_errors_in_options_are_not_changed():
    with pytest.raises(ConfigError) as caught, naming("model 'm'"):
        raise ConfigError("classes: unknown")
    assert str(caught.value) == "classes: unknown"


def test_one_line():
    assert one_line(ValueError("a\n  b")) == "a b"
    assert one_line(KeyError()) == "KeyError"
    assert len(one_line(ValueError("x" * 1000))) == 300
