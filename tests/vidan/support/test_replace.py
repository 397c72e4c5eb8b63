import pytest

from vidan.support.replace import replaced


def test_a_file_is_replaced_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replaced(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert (path.read_text(), list(tmp_path.iterdir())) == ("new", [path])


def write(path, text):
    with replaced(path) as part:
        part.write_text(text)


def interrupt(path):
    with replaced(path) as part:
        part.write_text("ne")
        raise KeyboardInterrupt


def test_after_a_failure_the_file_is_as_before(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        interrupt(path)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_a_file_that_cannot_be_renamed_leaves_nothing_behind(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        write(tmp_path / "a", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
