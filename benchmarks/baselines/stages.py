"""The stages that no video program can do without, each alone: decode, infer, encode.

    python -m benchmarks.baselines.stages decode|onnx|openvino|encode VIDEO MODEL OUT FRAMES BURN_IN

prints wall and CPU time per frame as JSON. The sum of the CPU times is the limit.
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
"""As `sink=video` has it."""

Step = Callable[[], object]


def pictures(video: str) -> Iterator[av.VideoFrame]:
    """The decoded images."""
    with av.open(video) as container:
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


def decode(video: str, _model: str, _out: str) -> Step:
    """Decode an image, and leave it as it is."""
    frames = pictures(video)
    return lambda: next(frames)


def onnx(_video: str, model: str, _out: str) -> Step:
    """Run the model by ONNX Runtime."""
    import onnxruntime

    wishes = onnxruntime.SessionOptions()
    # Threads that spin while they wait would make the limit look farther away than it is.
    wishes.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(model, wishes, providers=["CPUExecutionProvider"])
    batch = blank()
    return lambda: session.run(["boxes", "scores"], {"images": batch})


def openvino(_video: str, model: str, _out: str) -> Step:
    """Run the model by OpenVINO."""
    import openvino as ov

    compiled = ov.Core().compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    request, batch = compiled.create_infer_request(), blank()
    return lambda: request.infer({"images": batch})


def encode(video: str, _model: str, out: str) -> Step:
    """Encode the decoder's images, a few in turn, so that decoding does not count."""
    some = [frame for frame, _ in zip(pictures(video), range(30), strict=False)]
    container = av.open(out, "w")
    stream: Any = container.add_stream("libx264", 30, ENCODER | {"bf": "0"})
    stream.width, stream.height, stream.pix_fmt = some[0].width, some[0].height, "yuv420p"
    stream.codec_context.thread_count = 0
    count = 0

    def step() -> None:
        nonlocal count
        frame = some[count % len(some)]
        frame.pts, frame.time_base = count, Fraction(1, 30)
        frame.pict_type = av.video.frame.PictureType.NONE
        count += 1
        container.mux(stream.encode(frame))

    return step


def blank() -> Any:
    """A batch of one image for the model."""
    return np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), np.uint8)


STAGES: dict[str, Callable[[str, str, str], Step]] = {
    "decode": decode,
    "onnxruntime": onnx,
    "openvino": openvino,
    "encode": encode,
}


def measure(stage: str, files: tuple[str, str, str], frames: int, burn_in: int) -> dict[str, float]:
    """Wall and CPU time per frame, ms.

    Args:
        stage: of STAGES.
        files: the video, the model, and a file to write.
        frames: how many, at most as many as the video has.
        burn_in: how many of them do not count.
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
    seconds, computed = time.perf_counter() - wall, time.process_time() - cpu
    return {"ms": 1e3 * seconds / count, "cpu_ms": 1e3 * computed / count}


if __name__ == "__main__":
    stage, video, model, out, frames, burn_in = sys.argv[1:]
    print(json.dumps(measure(stage, (video, model, out), int(frames), int(burn_in))), flush=True)
    os._exit(0)  # the encoder's file is of no use to anyone
