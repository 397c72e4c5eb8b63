from pathlib import Path

import numpy as np
import pytest

from tests.real import DATA, needs_data
from vidan_training.data.formats import read
from vidan_training.data.sample import Sample
from vidan_training.data.split import read_groups, split


def sample(name, *classes):
    return Sample(Path(name), np.zeros((len(classes), 4), np.float32), np.array(classes, np.int32))


def names(samples):
    return {s.path.name for s in samples}


SAMPLES = [sample(f"{n:03}.jpg", *([0, 1] if n % 10 == 0 else [0])) for n in range(200)]


def test_every_sample_is_on_one_side():
    training, validation = split(SAMPLES, 0.2, seed=1)
    assert names(training) | names(validation) == names(SAMPLES)
    assert not names(training) & names(validation)


def test_rare_classes_are_in_both_parts():
    # 20 of 200 images have class 1: a fifth of them is 4, a fifth of the others 36.
    _, validation = split(SAMPLES, 0.2, seed=1)
    assert len(validation) == 40
    assert sum(1 in s.classes for s in validation) == 4


def test_the_split_depends_on_the_seed_but_not_on_the_order_of_the_samples():
    first = names(split(SAMPLES, 0.2, seed=1)[1])
    assert first == names(split(SAMPLES[::-1], 0.2, seed=1)[1])
    assert first != names(split(SAMPLES, 0.2, seed=2)[1])


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together_also_when_connected_through_others(seed):
    groups = [("001.jpg", "002.jpg"), ("010.jpg", "002.jpg"), ("050.jpg", "not-there.jpg")]
    training, validation = split(SAMPLES, 0.5, seed, groups)
    chain = {"001.jpg", "002.jpg", "010.jpg"}
    assert chain <= names(training) or chain <= names(validation)


def test_a_groups_file_is_read(tmp_path):
    file = tmp_path / "groups.txt"
    file.write_text("a.jpg b.jpg ncc=0.9\n\nc.jpg d.jpg\n")
    assert read_groups(file) == [("a.jpg", "b.jpg"), ("c.jpg", "d.jpg")]
    assert read_groups(tmp_path / "none.txt") == []


@needs_data
def test_no_near_duplicate_leaks_from_the_face_masks():
    folder = DATA / "facemask"
    samples = read(folder, "voc", one_based=False).samples()
    groups = read_groups(folder / "near_duplicates_within.txt")
    training, validation = split(samples, 0.15, 1, groups)
    assert (len(training), len(validation), len(groups)) == (595, 105, 19)
    sides = dict.fromkeys(names(training), "training")
    sides |= dict.fromkeys(names(validation), "validation")
    for a, b in groups:
        assert sides.get(a) == sides.get(b) or a not in sides or b not in sides
