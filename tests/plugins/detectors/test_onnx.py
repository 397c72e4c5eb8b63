import json
import threading
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from vidan import ArrayFrame, create
from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors import onnx as module
from vidan_plugins.detectors.backends.onnxruntime import available_providers, choose_providers
from vidan_plugins.detectors.onnx import OnnxDetector

from .models import BOXES, LABELS, metadata, noise, plain

RED, GREEN = (255, 0, 0), (0, 204, 0)  # means of 1.0 and 0.8


def test_detections_are_those_of_the_model(toy):
    detector = OnnxDetector(toy())
    assert detector.labels == LABELS
    (found,) = detector.detect([plain(GREEN)])  # 192x128, halved
    np.testing.assert_allclose(found.boxes, BOXES * 2)
    np.testing.assert_allclose(found.scores, [0.8, 0.8], atol=1e-6)
    assert found.classes.tolist() == [1, 1]


@pytest.mark.parametrize("batch", ["N", 1])
def test_batches_and_single_images_have_the_same_results(toy, batch):
    detector = OnnxDetector(toy(batch=batch), threshold=0.1)
    frames = [plain(RED), noise(1), plain(GREEN, 100, 30), noise(2)]
    together = detector.detect(frames)
    for frame, found in zip(frames, together, strict=True):
        (alone,) = detector.detect([frame])
        np.testing.assert_array_equal(alone.boxes, found.boxes)
        np.testing.assert_array_equal(alone.scores, found.scores)
    assert detector.detect([]) == []


def test_concurrent_calls_have_the_same_results(toy):
    detector = OnnxDetector(toy(), threshold=0.1)
    frames = [noise(seed) for seed in range(8)]
    expected = [detector.detect([frame])[0].scores for frame in frames]
    found = [None] * len(frames)

    def work(first):
        for _ in range(20):
            for i in range(first, len(frames), 4):
                found[i] = detector.detect([frames[i]])[0].scores

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_options_select_detections(toy):
    frame = plain((255, 204, 128))  # red 1.0, green 0.8, blue 0.502
    model = toy(weights=[[1, 1, 1], [0.5, 0.9, 1]])  # box 1: 0.5, 0.72, 0.502
    cases = [
        ({}, [(0, 1.0), (1, 0.72)]),
        ({"threshold": 0.75}, [(0, 1.0)]),
        ({"classes": "green"}, [(1, 0.72)]),
        ({"max_detections": 1}, [(0, 1.0)]),
        (
            {"class_agnostic": False, "threshold": 0.6},
            [(0, 1.0), (1, 0.8), (1, 0.72)],
        ),
    ]
    for options, expected in cases:
        (found,) = OnnxDetector(model, **options).detect([frame])
        got = list(zip(found.classes.tolist(), found.scores.tolist(), strict=True))
        assert [c for c, _ in got] == [c for c, _ in expected], options
        np.testing.assert_allclose([s for _, s in got], [s for _, s in expected], atol=1e-6)


def test_labels_are_renamed(toy):
    frame = plain((255, 204, 128))
    model = toy(weights=[[1, 1, 1], [0.5, 0.9, 1]])  # red 1.0; green 0.72
    detector = OnnxDetector(model, rename={"red": "bright", "blue": "bright"})
    assert (detector.labels, detector.own_labels) == (
        ("bright", "green"),
        (("red", "blue"), ("green",)),
    )
    (found,) = detector.detect([frame])
    assert found.classes.tolist() == [0, 1]
    (found,) = OnnxDetector(model, rename={"red": "x"}, classes=["x"]).detect([frame])
    assert found.classes.tolist() == [0]
    (found,) = OnnxDetector(model, rename={"red": None}).detect([frame])
    assert found.classes.tolist() == [0]
    np.testing.assert_allclose(found.boxes, BOXES[1:] * 2)
    # One box of each color, and of all colors.
    each = {"class_agnostic": False, "threshold": 0.1}
    assert len(OnnxDetector(model, **each).detect([frame])[0]) == 6
    one = OnnxDetector(model, **each, rename=dict.fromkeys(LABELS, "colored"))
    assert len(one.detect([frame])[0]) == 2


def test_labels_from_a_file(toy, tmp_path):
    (tmp_path / "labels.txt").write_text("rot\ngrün\nblau\n", encoding="utf-8")
    detector = OnnxDetector(toy(text=None), labels=str(tmp_path / "labels.txt"))
    assert detector.labels == ("rot", "grün", "blau")


def test_close_may_be_called_twice_and_detect_fails_afterwards(toy):
    detector = OnnxDetector(toy())
    detector.close()
    detector.close()
    with pytest.raises(ModelError, match="closed"):
        detector.detect([plain(RED)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file: set detector.model"),
        (b"", "the file is empty"),
        (b"this is not a model" * 9, "not a model that ONNX Runtime can read"),
        (0.6, "not a model that ONNX Runtime can read"),  # cut off after 60 %
    ],
)
def test_bad_files_are_rejected(toy, tmp_path, content, message, capfd):
    path = tmp_path / "bad.onnx"
    if isinstance(content, float):
        whole = (tmp_path / "toy.onnx") if toy() else None
        content = whole.read_bytes()[: int(whole.stat().st_size * content)]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=f"^model '{path}': {message}") as caught:
        OnnxDetector(str(path))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_metadata_must_be_utf_8(toy, tmp_path):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(Path(toy()).read_bytes().replace(b"efficientdet", b"efficient\xffet"))
    with pytest.raises(ModelError, match="its names or metadata are not UTF-8"):
        OnnxDetector(str(damaged))


def test_a_folder_is_rejected(tmp_path):
    with pytest.raises(ModelError, match="it is a folder"):
        OnnxDetector(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "input"}, r"it has inputs input uint8 \[\?,64,96,3\]"),
        (
            {"names": ("dets", "scores")},
            r"expected input images .* outputs dets float32 \[\?,2,4\]",
        ),
        ({"dtype": 1}, r"it has inputs images float32 \[\?,64,96,3\]"),
        ({"batch": 4}, "its batch size is 4"),
        ({"text": None}, "it has no labels of its own"),
        ({"text": "{"}, "its metadata is not JSON"),
        ({"text": json.dumps(metadata(labels=["a"]))}, "3 classes, but there are 1 labels"),
        ({"text": json.dumps(metadata(input_size=[64, 64]))}, "its metadata has input_size"),
        ({"weights": [[3, 1, 1], [1, 1, 1]], "size": (64, 96)}, None),
    ],
)
def test_models_in_another_format_are_rejected(toy, changes, message):
    model = toy(**changes)
    if message is None:  # only the scores show that there is no sigmoid
        with pytest.raises(ModelError, match=r"expected scores in \[0,1\], got 0 to 3"):
            OnnxDetector(model).detect([plain(RED)])
        return
    with pytest.raises(ModelError, match=message):
        OnnxDetector(model)


def test_a_model_that_does_not_run_is_rejected(toy, capfd):
    with pytest.raises(ModelError, match=r"^model .*: it does not run: ") as caught:
        OnnxDetector(toy(axes=[[1, 2]]))  # a matrix, which fails only when the model runs
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_label_file_of_another_model_is_rejected(toy, tmp_path):
    (tmp_path / "two.txt").write_text("a\nb\n")
    with pytest.raises(ModelError, match=r"3 classes, but there are 2 labels \(a, b\)"):
        OnnxDetector(toy(), labels=str(tmp_path / "two.txt"))


def test_an_inconsistent_graph_is_rejected(toy):
    # 2 weights per box cannot be multiplied with 3 channels.
    with pytest.raises(ModelError, match="ONNX Runtime can read") as caught:
        OnnxDetector(toy(weights=np.ones((2, 2))))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 2}, "detector.threshold: expected `float` <= 1.0, not 2"),
        ({"iou_threshold": -0.1}, "detector.iou_threshold: .*not -0.1"),
        ({"classes": ["gren"]}, "detector.classes: .*no label 'gren'; did you mean 'green'"),
        ({"rename": {"gren": "x"}}, "rename: no label 'gren'; did you mean 'green'"),
        ({"score_scale": [0.5]}, r"score_scale=\[0.5\]: expected the level"),
        ({"threads": 0}, "detector.threads: expected `int` >= 1, not 0"),
        ({"max_detections": 0}, "detector.max_detections: .*not 0"),
        ({"providers": "cpuu"}, "detector.providers: unknown 'cpuu'; did you mean 'cpu'"),
        ({"providers": []}, "detector.providers"),
    ],
)
def test_bad_options_are_rejected(toy, options, message):
    with pytest.raises(ConfigError, match=message):
        create("detector", "onnx", model=toy(), **options)


def test_shipped_models_have_names(toy, tmp_path, monkeypatch):
    toy("ours.onnx")
    monkeypatch.setattr(module, "_models", lambda: tmp_path)
    assert OnnxDetector("ours", threads=1).labels == LABELS
    with pytest.raises(ModelError, match="there is no such file"):
        OnnxDetector("theirs")
    with pytest.raises(ModelError, match="there is no such file"):
        OnnxDetector("elsewhere/ours")


def test_a_missing_default_model_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", "none.onnx")
    with pytest.raises(ModelError, match=r"the default model is missing from this"):
        OnnxDetector()


def builds_with(monkeypatch, *names):
    full = [f"{name}ExecutionProvider" for name in names]
    monkeypatch.setattr(ort, "get_available_providers", lambda: full)


def test_providers_are_used_best_first_and_the_cpu_last(monkeypatch):
    builds_with(monkeypatch, "CPU", "Tensorrt", "CoreML", "Azure", "CUDA")
    assert available_providers() == ["cuda", "coreml", "cpu", "tensorrt", "azure"]
    names = ["CUDAExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider"]
    assert choose_providers(None) == names


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("cuda", ["CUDA", "CPU"]),
        (["cpu"], ["CPU"]),
        (["cpu", "TensorRT", "CUDAExecutionProvider"], ["Tensorrt", "CUDA", "CPU"]),
        (["cuda", "CUDA"], ["CUDA", "CPU"]),
    ],
)
def test_providers_by_name(monkeypatch, wanted, chosen):
    builds_with(monkeypatch, "Tensorrt", "CUDA", "CPU")
    assert choose_providers(wanted) == [f"{name}ExecutionProvider" for name in chosen]


def test_a_provider_of_another_build_is_rejected(monkeypatch):
    builds_with(monkeypatch, "CPU")
    with pytest.raises(ConfigError, match="'cuda' is not in this build of onnxruntime, which has"):
        choose_providers(["cuda"])


def test_a_provider_that_does_not_start(toy, monkeypatch, logged, capfd):
    builds_with(monkeypatch, "CUDA", "CPU")  # in the list, but not usable
    model = toy()
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        detector = OnnxDetector(model)
    assert len(detector.detect([plain(RED)])[0]) == 2
    problem = "'cuda' does not start: its libraries or device are missing"
    assert ("WARNING", f"ONNX Runtime: {problem}; using 'cpu'") in logged()
    with (
        pytest.warns(UserWarning, match="CUDAExecutionProvider"),
        pytest.raises(ConfigError, match=problem),
    ):
        OnnxDetector(model, providers="cuda")


def test_nothing_is_printed(toy, capfd):
    OnnxDetector(toy()).detect([noise(3)])
    assert capfd.readouterr() == ("", "")


def test_images_are_accepted_as_frames_are(toy):
    image = np.zeros((48, 64, 3), np.uint8)
    detector = OnnxDetector(toy(), threshold=0.1)
    (of_image,), (of_frame,) = detector.detect([image]), detector.detect([ArrayFrame(image)])
    assert of_image.boxes.tolist() == of_frame.boxes.tolist()
    with pytest.raises(ValueError, match=r"expected \(H,W,3\) uint8, got \(48, 64\) uint8"):
        detector.detect([image[:, :, 0]])
