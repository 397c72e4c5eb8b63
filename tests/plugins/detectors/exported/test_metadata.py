import pytest

from vidan.errors import ModelError
from vidan_plugins.detectors.exported.metadata import image_hints, own_labels, stored_size


@pytest.mark.parametrize(
    ("properties", "labels"),
    [
        ({}, None),
        ({"names": "{0: 'a', 2: 'b'}"}, {1: "a", 3: "b"}),
        ({"names": '{"1": "b", "0": "a"}'}, {1: "a", 2: "b"}),
        ({"labels": '["???", "a", "b"]'}, {1: "a", 2: "b"}),
        ({"classes": "80"}, None),
        ({"names": '["background", "a"]'}, {1: "background", 2: "a"}),
        ({"labels": "traffic light, b"}, {1: "traffic light", 2: "b"}),
        ({"classes": "person"}, None),
        ({"model_info/labels": "a b"}, {1: "a", 2: "b"}),
        ({"model_name": "vehicle-detection-0202"}, {1: "vehicle"}),
        ({"model_name": "torch-jit-export"}, None),
    ],
)
def test_labels(properties, labels):
    assert own_labels(properties) == labels


@pytest.mark.parametrize("names", ["{", "[1, 2]", "{'a': 'b'}", "{-2: 'a'}", "[]", "{0: 1}"])
def test_names_that_are_not_labels(names):
    with pytest.raises(ModelError, match="which are not labels"):
        own_labels({"names": names})


def test_steps_in_the_graph_are_not_repeated():
    converted = {
        "conversion_parameters/scale_values": "data[127.5]",
        "conversion_parameters/mean_values": "data[127.5,127.5,127.5]",
    }
    black, white = (0, 0, 0), (1, 1, 1)
    assert image_hints(converted) == {"scale": 255, "mean": black, "std": white}
    reversed_too = converted | {"conversion_parameters/reverse_input_channels": "True"}
    assert image_hints(reversed_too)["channels"] == "bgr"
    assert image_hints({"conversion_parameters/layout": "nchw"}) == {}


def test_values_of_the_model_api_are_in_the_order_of_its_channels():
    api = {
        "model_info/model_type": "ssd",
        "model_info/mean_values": "103.5 116.3 123.7",
        "model_info/scale_values": "255.0",
    }
    assert image_hints(api) == {
        "channels": "bgr",
        "scale": 255,
        "mean": (123.7, 116.3, 103.5),
        "std": (255, 255, 255),
    }


@pytest.mark.parametrize(
    ("text", "size"), [(None, None), ("[64, 96]", (64, 96)), ("64", None), ("[1, 'x']", None)]
)
def test_sizes(text, size):
    assert stored_size({} if text is None else {"imgsz": text}) == size
