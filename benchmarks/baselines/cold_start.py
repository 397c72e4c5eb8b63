"""The least work before a first result, without vidan: the baseline for start-up times.

    python benchmarks/baselines/cold_start.py VIDEO MODEL

imports PyAV and ONNX Runtime, loads the model, decodes one frame and infers once. Prints as JSON
the time of the monotonic clock and the CPU time used until then, both in s.
"""

from __future__ import annotations

import json
import sys
import time

import av
import numpy as np
import onnxruntime


def first_result(video: str, model: str) -> None:
    """Run the model on the first frame of a video."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with av.open(video) as container:
        frame = next(container.decode(video=0))
    height, width = session.get_inputs()[0].shape[1:3]
    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
    session.run(["boxes", "scores"], {"images": rgb[np.newaxis]})


if __name__ == "__main__":
    first_result(*sys.argv[1:])
    print(json.dumps({"at": time.monotonic(), "cpu_s": time.process_time()}))
