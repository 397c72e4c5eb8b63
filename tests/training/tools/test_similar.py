import cv2
import numpy as np

from vidan_training.data import formats
from vidan_training.tools.similar import near_duplicates, thumbnail


def test_mirrored_and_brighter_copies_are_near_duplicates():
    rng = np.random.default_rng(0)
    image, other = (
        cv2.resize(rng.integers(0, 200, (8, 8, 3)).astype(np.uint8), (90, 60)) for _ in range(2)
    )
    plain = np.full((60, 90, 3), 128, np.uint8)
    thumbnails = [thumbnail(i) for i in (image, other, image + 30, image[:, ::-1], plain, plain)]
    pairs = near_duplicates(np.stack(thumbnails), 0.9)
    found = {(p.first, p.second, p.mirrored) for p in pairs}
    assert found == {(0, 2, False), (0, 3, True), (2, 3, True)}


def test_published_near_duplicates_are_found_in_real_data(data, tmp_path):
    """All published pairs of which both images are in the data."""
    for name in ("facemask", "facemask_hard"):
        images = formats.read(data / name, one_based=False).images
        names = [p.name for p in images]
        pairs = near_duplicates(np.stack([thumbnail(p.file.decode()) for p in images]), 0.9)
        found = {frozenset((names[p.first], names[p.second])) for p in pairs}
        lines = (data / name / "near_duplicates_within.txt").read_text().splitlines()
        wanted = {frozenset(line.split()[:2]) for line in lines}
        there = {pair for pair in wanted if pair <= set(names)}
        assert there <= found
        assert len(found - there) <= 1
