"""Decode, infer and encode, each alone: the stages that every video program needs.

    python -m benchmarks.baselines.stages decode|onnxruntime|openvino|encode \
        VIDEO MODEL OUT FRAMES BURN_IN

prints wall and CPU time per frame as JSON. The sum of the CPU times is about the minimum.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

ENCODER = {"preset": "superfast", "crf": "23"}
"""The defaults of `sink=video`."""

ENCODED_FRAMES = 30
"""Frames that the encoder gets over and over, decoded in advance."""

Step = Callable[[], object]
"""Processes one frame."""


def decoded(video: str) -> Iterator[av.VideoFrame]:
    """The frames of a video."""
    with av.open(video) as container:
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


def decode(video: str, _model: str, _out: str) -> Step:
    """Decode a frame without converting its pixels."""
    frames = decoded(video)
    return lambda: next(frames)


def onnx(_video: str, model: str, _out: str) -> Step:
    """Run the model with ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Threads that spin while they wait would add CPU time that is not needed.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    batch = noise()
    return lambda: session.run(["boxes", "scores"], {"images": batch})


def openvino(_video: str, model: str, _out: str) -> Step:
    """Run the model with OpenVINO."""
    import openvino as ov

    compiled = ov.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request, batch = compiled.create_infer_request(), noise()
    return lambda: request.infer({"images": batch})


def encode(video: str, _model: str, out: str) -> Step:
    """Encode frames that were decoded in advance, so that decoding is not measured."""
    frames = [frame for frame, _ in zip(decoded(video), range(ENCODED_FRAMES), strict=False)]
    container = av.open(out, "w")
    stream: Any = container.add_stream("libx264", 30, ENCODER | {"bf": "0"})
    stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    stream.codec_context.thread_count = 0
    count = 0

    def step() -> None:
        nonlocal count
        frame = frames[count % len(frames)]
        frame.pts, frame.time_base = count, Fraction(1, 30)
        frame.pict_type = av.video.frame.PictureType.NONE
        count += 1
        container.mux(stream.encode(frame))

    return step


def noise() -> Any:
    """A batch of one noise image for the model, (1, 512, 512, 3) uint8."""
    return np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), np.uint8)


STAGES: dict[str, Callable[[str, str, str], Step]] = {
    "decode": decode,
    "onnxruntime": onnx,
    "openvino": openvino,
    "encode": encode,
}


def measure(stage: str, files: tuple[str, str, str], frames: int, burn_in: int) -> dict[str, float]:
    """Measure one stage.

    Args:
        stage: a key of STAGES.
        files: the video, the model, and a file to write.
        frames: how many to process; fewer if the video is shorter.
        burn_in: how many of the first frames are not measured.

    Returns:
        Wall time `ms` and CPU time `cpu_ms` per frame.
    """
    step = STAGES[stage](*files)
    for _ in range(burn_in):
        step()
    wall, cpu = time.perf_counter(), time.process_time()
    count = 0
    for _ in range(frames - burn_in):
        try:
            step()
        except StopIteration:
            break
        count += 1
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return {"ms": 1e3 * seconds / count, "cpu_ms": 1e3 * cpu_seconds / count}


if __name__ == "__main__":
    stage, video, model, out, frames, burn_in = sys.argv[1:]
    print(json.dumps(measure(stage, (video, model, out), int(frames), int(burn_in))), flush=True)
    os._exit(0)  # the encoder's output is not needed
