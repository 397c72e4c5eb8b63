"""Turn off usage reports of third-party libraries before they are loaded.

Two of them would otherwise resolve host names and connect, write identifiers into the user's home,
fork a process that keeps a copy of a camera's connection open, and wait for an answer at exit, for
seconds if there is none.
"""

from __future__ import annotations

import os
import sys
from typing import Any, cast


def decline() -> None:
    """Turn the reports off, unless the user has set the environment variable."""
    # ONNX Runtime 1.32 and later.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    # OpenVINO uses a stub if this module cannot be imported. Its only other switch is a file in the
    # user's home.
    cast(dict[str, Any], sys.modules).setdefault("openvino_telemetry", None)
