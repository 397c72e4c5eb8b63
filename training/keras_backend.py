"""Selection of Keras's backend, device and precision; to be used before Keras is imported."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from vidan.errors import ConfigError, did_you_mean
from vidan.support.stderr import quiet_stderr

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
"""Keras's dtype policies by the option's values."""

JAX_ACCELERATORS = ("jax_cuda12_plugin", "jax_cuda13_plugin", "jax_rocm60_plugin", "libtpu")
"""Packages that give JAX an accelerator; plain jax runs on the CPU only."""


def select() -> None:
    """Set `KERAS_BACKEND` unless it is set: TensorFlow, or JAX if only JAX has an accelerator.

    Has no effect once Keras is imported.
    """
    if "keras" in sys.modules:
        return
    # Hides the log lines of training; it is not enough for those of the import, which the C++ part
    # prints before logging is set up (2.21).
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        os.environ.setdefault("KERAS_BACKEND", best_backend())
        if os.environ["KERAS_BACKEND"] == "tensorflow" and is_installed("tensorflow"):
            import tensorflow as tf

            tf.constant(0)  # initializes the devices, which prints to stderr


def best_backend() -> str:
    """TensorFlow, or JAX if TensorFlow is missing or only JAX has an accelerator."""
    if not is_installed("tensorflow"):
        return "jax" if is_installed("jax") else "tensorflow"
    if (
        is_installed("jax")
        and any(map(is_installed, JAX_ACCELERATORS))
        and not tensorflow_has_gpu()
    ):
        return "jax"
    return "tensorflow"


def is_installed(name: str) -> bool:
    """Whether a package is installed; does not import it."""
    return importlib.util.find_spec(name) is not None


def tensorflow_has_gpu() -> bool:
    """Whether TensorFlow has a GPU."""
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def accelerator() -> str | None:
    """The GPU or TPU that Keras uses by default; None for the CPU."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]  # JAX lists its best platform first
        return None if device.platform == "cpu" else str(device)
    for kind in ("tpu", "gpu"):
        try:
            devices = keras.distribution.list_devices(kind)
        except (RuntimeError, ValueError, NotImplementedError):  # no such platform
            continue
        if devices:
            return str(devices[0])
    return None


def set_precision(name: str) -> str:
    """Set the precision of the layers and return it.

    `auto` is bfloat16 on an accelerator and float32 on a CPU, where bfloat16 was measured to be
    slower (0.164 instead of 0.115 s per image). Weights and losses remain float32.

    Raises:
        ConfigError: unknown precision.
    """
    import keras

    if name == "auto":
        name = "bfloat16" if accelerator() else "float32"
    if name not in PRECISIONS:
        raise ConfigError(f"precision={name!r}: {did_you_mean(name, ['auto', *PRECISIONS])}")
    keras.config.set_dtype_policy(PRECISIONS[name])
    return name


def jit() -> Any:
    """Keras's `jit_compile`: off on a CPU, where XLA compiles for minutes without a speedup."""
    import keras

    on_cpu = keras.backend.backend() == "tensorflow" and accelerator() is None
    return False if on_cpu else "auto"
