import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import keras

from vidan.errors import ConfigError
from vidan_training import keras_backend as backend
from vidan_training.fit.display import Display

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
        ({"tensorflow", "jax"}, False, "tensorflow"),  # plain JAX computes on the CPU too
        ({"tensorflow", "jax", "jax_cuda12_plugin"}, False, "jax"),
        ({"tensorflow", "jax", "jax_cuda12_plugin"}, True, "tensorflow"),
    ],
)
def test_the_backend_is_the_one_with_an_accelerator(monkeypatch, installed, gpu, expected):
    monkeypatch.setattr(backend, "_installed", lambda name: name in installed)
    monkeypatch.setattr(backend, "_tensorflow_has_gpu", lambda: gpu)
    assert backend._best() == expected


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
def test_precision(monkeypatch, name, device, policy):
    monkeypatch.setattr(backend, "accelerator", lambda: device)
    backend.set_precision(name)
    assert keras.config.dtype_policy().name == policy


def test_wrong_precision():
    with pytest.raises(ConfigError, match="precision='float61': did you mean 'float16'"):
        backend.set_precision("float61")


@pytest.mark.slow
def test_the_start_says_nothing():
    code = "from vidan_training import train"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "KERAS_BACKEND": "tensorflow"})  # fmt: skip
    assert run.stderr == ""


@pytest.mark.slow
def test_it_trains_and_resumes_on_jax(tmp_path):
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


ROWS = [({"epoch": 1, "loss": 2.0}, False), ({"epoch": 2, "loss": 1.0, "AP50": 0.5}, True)]


def shown(terminal):
    stream = io.StringIO()
    display = Display(Console(file=stream, force_terminal=terminal, width=120))
    display.open()
    for row, best in ROWS:
        display.begin(row["epoch"], 2, 3)
        for _ in range(3):
            display.batch(row["loss"])
        display.row(row, best)
    display.close()
    return stream.getvalue()


def test_a_line_an_epoch_where_there_is_no_terminal():
    assert shown(False).splitlines() == ["epoch=1 loss=2.0", "epoch=2 loss=1.0 AP50=0.5 best"]


def test_a_table_in_a_terminal():
    text = shown(True)
    assert "epoch" in text
    assert "seconds" in text
    assert "0.5" in text
    assert "epoch=1" not in text
