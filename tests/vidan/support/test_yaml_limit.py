import pytest
import yaml

from vidan.support.yaml_limit import check_yaml, load_yaml

LEVELS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
BOMB = f"a0: &a0 [x, x, x, x, x, x, x, x, x]\n{LEVELS}"
"""A few hundred bytes that stand for 9**9 values."""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 100000 values"),
        ("a: &a [*a]", "contains itself"),
        ("a: &a {b: *a}", "contains itself"),
        ("a: &a 1\nb: [*a, " + "[" * 5000 + "]" * 5000 + "]", "nested too deeply"),
    ],
)
def test_what_aliases_stand_for_is_limited(text, message):
    with pytest.raises(yaml.YAMLError, match=message):
        check_yaml(text)


@pytest.mark.parametrize("text", ["", "a: &a [1, 2]\nb: *a\nc: *a\n", "a: '*'", "[1, 2]"])
def test_other_texts_are_accepted(text):
    check_yaml(text)


@pytest.mark.parametrize(
    "content", ["name: größe".encode("latin-1"), b"a: ${b", b"a: [", b"a: 1\na: 2"]
)
def test_a_file_that_is_no_configuration_is_one_kind_of_error(tmp_path, content):
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(yaml.YAMLError):
        load_yaml(tmp_path / "a.yaml")
