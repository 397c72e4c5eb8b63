"""What nobody can do without before a first result, by hand; runs without vidan.

    python benchmarks/baselines/cold_start.py VIDEO MODEL

imports PyAV and ONNX Runtime, opens the model, decodes one frame and infers once; prints the time
of the monotonic clock, s, and the processor time so far, s, as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import av
import numpy as np
import onnxruntime


def first(video: str, model: str) -> None:
    """Infer once, on the first frame of a video."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with av.open(video) as container:
        frame = next(container.decode(video=0))
    height, width = session.get_inputs()[0].shape[1:3]
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
    session.run(["boxes", "scores"], {"images": rgb[np.newaxis]})


if __name__ == "__main__":
    first(*sys.argv[1:])
    print(json.dumps({"at": time.monotonic(), "cpu_s": time.process_time()}))
