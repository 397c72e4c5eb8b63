from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan_plugins.sources.images.listing import natural_key


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
