import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import keras

from vidan.errors import ConfigError
from vidan_training import keras_backend

from .drawn import SMALL, draw


@pytest.fixture(autouse=True)
def policy():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("installed", "gpu", "expected"),
    [
        ({"tensorflow"}, False, "tensorflow"),
        ({"jax"}, False, "jax"),
        ({"tensorflow", "jax"}, False, "tensorflow"),  # plain JAX runs on the CPU only
        ({"tensorflow", "jax", "jax_cuda12_plugin"}, False, "jax"),
        ({"tensorflow", "jax", "jax_cuda12_plugin"}, True, "tensorflow"),
    ],
)
def test_the_backend_is_the_one_with_an_accelerator(monkeypatch, installed, gpu, expected):
    monkeypatch.setattr(keras_backend, "is_installed", lambda name: name in installed)
    monkeypatch.setattr(keras_backend, "tensorflow_has_gpu", lambda: gpu)
    assert keras_backend.best_backend() == expected


@pytest.mark.parametrize(
    ("name", "device", "policy"),
    [
        ("auto", None, "float32"),
        ("auto", "gpu:0", "mixed_bfloat16"),
        ("bfloat16", None, "mixed_bfloat16"),
        ("float16", None, "mixed_float16"),
        ("float32", "gpu:0", "float32"),
    ],
)
def test_precision_depends_on_the_device(monkeypatch, name, device, policy):
    monkeypatch.setattr(keras_backend, "accelerator", lambda: device)
    keras_backend.set_precision(name)
    assert keras.config.dtype_policy().name == policy


def test_an_unknown_precision_is_an_error():
    with pytest.raises(ConfigError, match="precision='float61': did you mean 'float16'"):
        keras_backend.set_precision("float61")


@pytest.mark.slow
def test_importing_prints_nothing():
    code = "from vidan_training.fit import train"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "KERAS_BACKEND": "tensorflow"})  # fmt: skip
    assert run.stderr == ""


@pytest.mark.slow
def test_training_and_resuming_on_jax(tmp_path):
    pytest.importorskip("jax", reason="needs JAX: pip install jax")
    command = [sys.executable, "-m", "vidan", "train", "recipe=d0", *SMALL, "output=out",
               f"data={draw(tmp_path / 'data', 8)}"]  # fmt: skip
    for epochs in (1, 2):
        run = subprocess.run([*command, f"epochs={epochs}"], cwd=tmp_path, capture_output=True,
                             text=True, env={**os.environ, "KERAS_BACKEND": "jax"})  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert "jax on the" in run.stdout + run.stderr
    rows = [json.loads(row) for row in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(np.isfinite(row["loss"]) for row in rows)
    assert (tmp_path / "out/best.npz").exists()
