"""Galleries of appearance embeddings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vidan_plugins.trackers.appearance.embedders import unit_vectors
from vidan_plugins.trackers.appearance.gallery import Galleries, Gallery


@given(st.integers(1, 12), st.integers(1, 40))
def test_a_gallery_equals_a_list_of_the_latest_embeddings(budget, count):
    rng = np.random.default_rng(count)
    vectors, queries = (
        unit_vectors(rng.normal(size=(count, 6))),
        unit_vectors(rng.normal(size=(5, 6))),
    )
    galleries = Galleries(budget)
    for k, vector in enumerate(vectors.astype(np.float32)):
        galleries.add([7], vector[None])
        kept = vectors[: k + 1][-budget:]
        nearest = (1 - kept @ queries.T).min(axis=0)
        found = galleries.distances([7] * 5, queries.astype(np.float32), np.arange(5))
        np.testing.assert_allclose(found, nearest, atol=1e-5)


def test_a_gallery_stays_within_its_budget():
    gallery = Gallery(budget=5)
    for k in range(1000):
        gallery.add(np.full(3, k, np.float32))
    assert len(gallery) == 5
    # no larger array is kept alive
    assert gallery.features.shape == gallery.features.base.shape == (5, 3)
    assert sorted(gallery.features[:, 0]) == [995, 996, 997, 998, 999]


def test_distances_are_per_pair_and_infinite_for_unknown_tracks():
    x, y = np.eye(2, dtype=np.float32)
    galleries = Galleries(3)
    galleries.add([1, 2, 3], np.stack([x, y, 0 * x]))  # 3 has no embedding
    galleries.add([1], y[None])
    # 1 has x and y, 2 has y; the vectors of the last pair are opposite: cosine -1
    pairs = galleries.distances(
        [1, 2, 2, 3, 4, 2], np.stack([x, y, -y]), np.array([0, 0, 1, 0, 0, 2])
    )
    np.testing.assert_allclose(pairs, [0, 1, 0, np.inf, np.inf, 2])
    assert len(galleries) == 2
    galleries.keep([2])
    assert len(galleries) == 1
    assert galleries.distances([], np.stack([x, y]), np.zeros(0, np.intp)).shape == (0,)
