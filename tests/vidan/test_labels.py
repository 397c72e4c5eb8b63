import pytest

from vidan.errors import ConfigError
from vidan.labels import Renaming

OWN = ["person", "car", "truck", "dog"]


def test_labels_get_new_names():
    renaming = Renaming(OWN, {"truck": "lorry"})
    assert renaming.labels == ("person", "car", "lorry", "dog")
    assert renaming.classes.tolist() == [0, 1, 2, 3]
    assert not renaming.merges


def test_labels_of_one_new_name_are_one_class():
    renaming = Renaming(OWN, {"car": "vehicle", "truck": "vehicle"})
    assert renaming.labels == ("person", "vehicle", "dog")
    assert renaming.classes.tolist() == [0, 1, 1, 2]
    assert renaming.origins == (("person",), ("car", "truck"), ("dog",))
    assert renaming.merges
    assert Renaming(OWN, {"truck": "car"}).labels == ("person", "car", "dog")


def test_labels_can_be_exchanged():
    renaming = Renaming(OWN, {"car": "truck", "truck": "car"})
    assert renaming.labels == ("person", "truck", "car", "dog")
    assert renaming.origins == (("person",), ("car",), ("truck",), ("dog",))
    assert not renaming.merges


def test_labels_are_left_out():
    renaming = Renaming(OWN, {"car": None, "person": "pedestrian"})
    assert renaming.labels == ("pedestrian", "truck", "dog")
    assert renaming.classes.tolist() == [0, -1, 1, 2]
    assert renaming.names["car"] is None


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ({"cra": "x"}, "no label 'cra'; did you mean 'car'[?] The labels are person, car, truck"),
        ({"plane": "x"}, "no label 'plane'; the labels are person, car, truck, dog$"),
        ({3: "x"}, "no label 3; the labels"),
        ({"car": 3}, "expected new names of labels, such as {car: vehicle"),
        ({"car": ""}, "expected new names of labels"),
        (["car"], "expected new names of labels"),
        (dict.fromkeys(OWN), "expected at least one label that is not left out"),
    ],
)
def test_other_values_are_rejected(rename, message):
    with pytest.raises(ConfigError, match=f"^rename.*{message}"):
        Renaming(OWN, rename)


def test_very_many_labels_are_not_all_listed():
    with pytest.raises(ConfigError, match=r"label 98, label 99 and 900 more$"):
        Renaming([f"label {n}" for n in range(1000)], {"car": "x"})
