"""Crops and the color histogram."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.trackers.appearance.embedders import HistogramEmbedder, crop, unit_vectors


def dressed(top, bottom, background=(90, 90, 90), width=40, height=120):
    """A crop of a person in two colors, in front of a background."""
    image = np.full((height, width, 3), background, np.uint8)
    body = slice(width // 5, -width // 5)
    image[: height // 2, body] = top
    image[height // 2 :, body] = bottom
    return image


def distance(a, b):
    a, b = unit_vectors(HistogramEmbedder().embed([a, b]))
    return 1 - float(a @ b)


RED, BLUE, WHITE, BLACK = (190, 40, 40), (40, 60, 180), (230, 230, 230), (20, 20, 20)


def test_the_same_clothes_are_similar_and_others_are_not():
    person = dressed(RED, BLUE)
    assert distance(person, dressed(RED, BLUE)) == pytest.approx(0, abs=1e-6)
    assert distance(person, dressed(BLUE, RED)) > 0.5  # upside down is another person
    assert distance(person, dressed(WHITE, BLACK)) > 0.5


def test_size_light_and_background_have_little_effect():
    person = dressed(RED, BLUE)
    assert distance(person, dressed(RED, BLUE, width=20, height=60)) < 0.05
    darker = dressed(tuple(int(0.9 * c) for c in RED), tuple(int(0.9 * c) for c in BLUE))
    assert distance(person, darker) < 0.1
    assert distance(person, dressed(RED, BLUE, background=(30, 120, 60))) < 0.2


def test_hues_on_both_sides_of_red_are_close():
    # hues of 358 and 2 degrees: 4 apart, at opposite ends of the scale
    assert distance(dressed((200, 20, 26), BLACK), dressed((200, 26, 20), BLACK)) < 0.02


def test_the_histogram_by_hand():
    # A white crop: saturation 0 and value 255, so bins 0 of 3 and 3 of 4; hue 0 lies between
    # the centers of bins 0 and 7 (11.25 and -11.25 degrees) and is shared by both.
    white = np.full((10, 10, 3), 255, np.uint8)
    vector = HistogramEmbedder().embed([white]).reshape(8, 8, 3, 4)
    assert vector.dtype == np.float32
    stripe = np.square(vector[0])  # the square root comes last
    assert stripe[0, 0, 3] == pytest.approx(stripe[7, 0, 3])
    assert np.count_nonzero(stripe) == 2
    np.testing.assert_allclose(vector, vector[:1].repeat(8, axis=0))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_every_crop_has_an_embedding_independent_of_the_others(seed, width, height):
    rng = np.random.default_rng(seed)
    crops = [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(3)]
    embedder = HistogramEmbedder()
    together = embedder.embed(crops)
    assert together.shape == (3, 768)
    assert np.isfinite(together).all()
    assert (np.linalg.norm(together, axis=1) > 0).all()
    np.testing.assert_allclose(embedder.embed(crops[1:2])[0], together[1], atol=1e-5)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((2, 1, 5, 3), (slice(1, 3), slice(2, 5))),
        ((1.6, 0.6, 5.4, 3.4), (slice(1, 3), slice(2, 5))),
        ((-9, -9, 3, 2), (slice(0, 2), slice(0, 3))),  # beyond the border
        ((6, 4, 90, 90), (slice(4, 6), slice(6, 8))),
        ((3, 3, 3, 3), (slice(3, 4), slice(3, 4))),  # no area
        ((50, 2, 60, 4), (slice(2, 4), slice(7, 8))),  # outside: the nearest pixels at the border
        ((-60, -60, -50, -50), (slice(0, 1), slice(0, 1))),
    ],
)
def test_crops(box, expected):
    image = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    (cut,) = crop(image, np.array([box], np.float32))
    np.testing.assert_array_equal(cut, image[expected])


def test_unit_vectors():
    vectors = np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1]], np.float32)
    np.testing.assert_allclose(unit_vectors(vectors), [[0.6, 0.8], [0, 0], [0, 0], [0, 0]])
