import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidan_plugins.trackers.appearance.embedders import unit
from vidan_plugins.trackers.appearance.gallery import Galleries, Gallery


@given(st.integers(1, 12), st.integers(1, 40))
def test_a_gallery_is_as_good_as_keeping_a_list(budget, count):
    rng = np.random.default_rng(count)
    vectors, queries = unit(rng.normal(size=(count, 6))), unit(rng.normal(size=(5, 6)))
    galleries = Galleries(budget)
    for k, vector in enumerate(vectors.astype(np.float32)):
        galleries.add([7], vector[None])
        kept = vectors[: k + 1][-budget:]
        nearest = (1 - kept @ queries.T).min(axis=0)
        found = galleries.distances([7] * 5, queries.astype(np.float32), np.arange(5))
        np.testing.assert_allclose(found, nearest, atol=1e-5)


def test_a_gallery_is_bounded_however_long_a_track_lives():
    gallery = Gallery(budget=5)
    for k in range(1000):
        gallery.add(np.full(3, k, np.float32))
    assert len(gallery) == 5
    assert gallery.features.shape == gallery.features.base.shape == (5, 3)  # none kept behind it
    assert sorted(gallery.features[:, 0]) == [995, 996, 997, 998, 999]


def test_each_pair_is_told_apart_and_strangers_are_infinitely_far():
    x, y = np.eye(2, dtype=np.float32)
    galleries = Galleries(3)
    galleries.add([1, 2, 3], np.stack([x, y, 0 * x]))  # nothing is known of 3
    galleries.add([1], y[None])
    # 1 has x and y, 2 has y; the last pair is opposite: a cosine of -1
    pairs = galleries.distances(
        [1, 2, 2, 3, 4, 2], np.stack([x, y, -y]), np.array([0, 0, 1, 0, 0, 2])
    )
    np.testing.assert_allclose(pairs, [0, 1, 0, np.inf, np.inf, 2])
    assert len(galleries) == 2
    galleries.keep([2])
    assert len(galleries) == 1
    assert galleries.distances([], np.stack([x, y]), np.zeros(0, np.intp)).shape == (0,)
