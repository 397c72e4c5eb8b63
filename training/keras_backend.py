"""Which backend of Keras computes, on what, and how precisely; decided before Keras is imported."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from vidan.errors import ConfigError, did_you_mean
from vidan.support.stderr import quiet_stderr

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
# Packages that JAX brings its accelerators with; plain jax computes on the CPU alone.
JAX_ACCELERATORS = ("jax_cuda12_plugin", "jax_cuda13_plugin", "jax_rocm60_plugin", "libtpu")


def choose() -> None:
    """Set `KERAS_BACKEND` if nobody has: TensorFlow, or JAX where it alone has an accelerator.

    Does nothing once Keras is imported.
    """
    if "keras" in sys.modules:
        return
    # TF_CPP_MIN_LOG_LEVEL does not do it: its C++ part speaks before logging is set up (2.21).
    with quiet_stderr():
        os.environ.setdefault("KERAS_BACKEND", _best())
        if os.environ["KERAS_BACKEND"] == "tensorflow" and _installed("tensorflow"):
            import tensorflow as tf

            tf.constant(0)  # finds the devices, and says so


def _best() -> str:
    if not _installed("tensorflow"):
        return "jax" if _installed("jax") else "tensorflow"
    if _installed("jax") and any(map(_installed, JAX_ACCELERATORS)) and not _tensorflow_has_gpu():
        return "jax"
    return "tensorflow"


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _tensorflow_has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def accelerator() -> str | None:
    """The GPU or TPU that Keras computes on by itself, or None for the CPU."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]  # JAX puts its best platform first
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
    """Set what layers compute in: `auto` is bfloat16 on an accelerator, float32 on a CPU.

    Weights and losses stay float32. (On a CPU bfloat16 was measured to be slower: 0.164 against
    0.115 s an image.)
    """
    import keras

    if name == "auto":
        name = "bfloat16" if accelerator() else "float32"
    if name not in PRECISIONS:
        raise ConfigError(f"precision={name!r}: {did_you_mean(name, ['auto', *PRECISIONS])}")
    keras.config.set_dtype_policy(PRECISIONS[name])
    return name


def jit() -> Any:
    """Keras's `jit_compile`: XLA on a CPU compiles for minutes and computes no faster."""
    import keras

    on_cpu = keras.backend.backend() == "tensorflow" and accelerator() is None
    return False if on_cpu else "auto"
