from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan.errors import SourceError
from vidan_plugins.sources.images.listing import find_images, natural_key


@pytest.mark.parametrize(
    "names",
    [
        ["1.jpg", "2.jpg", "10.jpg"],
        ["a2b9.jpg", "a2b10.jpg", "a10b1.jpg"],
        ["A.jpg", "b.jpg", "C.jpg"],
        ["2/10.jpg", "10/2.jpg"],
        ["1.jpg", "a.jpg"],
    ],
)
def test_natural_order(tmp_path, names):
    paths = [tmp_path / name for name in names]
    assert sorted([*paths[1:], paths[0]], key=natural_key) == paths


@given(st.lists(st.text(alphabet="aB1023._²٣", min_size=1, max_size=8)))
def test_any_names_can_be_sorted(names):
    assert sorted(map(Path, sorted(names)), key=natural_key) == sorted(
        map(Path, sorted(names, reverse=True)), key=natural_key
    )


OTHERS = ("IMG_1.HEIC", "IMG_2.heic", "IMG_10.HEIC", "raw.dng", "t.tga")


def test_images_of_other_kinds_are_named_and_counted(tmp_path, warnings):
    for name in (*OTHERS, "a.jpg", "notes.txt", ".hidden.tga"):
        (tmp_path / name).touch()
    assert len(find_images(str(tmp_path)).files) == 1
    (warning,) = warnings()
    assert warning == (
        f"{str(tmp_path)!r}: images of these kinds are not read: 1 dng, 3 heic, 1 tga "
        "(IMG_1.HEIC, IMG_2.heic, IMG_10.HEIC, \N{HORIZONTAL ELLIPSIS}); convert them to PNG"
    )


@pytest.mark.parametrize("name", OTHERS)
def test_a_folder_with_nothing_else_is_an_error_that_names_them(tmp_path, name):
    (tmp_path / name).touch()
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(SourceError, match=rf"are not read: 1 \w+ \({name}\)"):
            find_images(str(path))
