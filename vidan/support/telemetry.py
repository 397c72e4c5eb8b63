"""Libraries that report their use to their makers are told not to, before they are loaded.

What a camera sees is nobody's business. From every run that uses them, two of them look up hosts
and connect, write identifiers into the user's home, fork a process whose copy of a camera's
connection stays open, and at the end wait for an answer, for seconds where there is none.
"""

import os
import sys
from typing import Any, cast


def decline() -> None:
    """Turn the reports off; what the user has said in the environment stands."""
    # ONNX Runtime 1.32 and later.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # OpenVINO takes a stub where the module cannot be imported, and has no other switch than a
    # file in the user's home.
    cast(dict[str, Any], sys.modules).setdefault("openvino_telemetry", None)
