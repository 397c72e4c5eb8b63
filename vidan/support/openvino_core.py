"""The OpenVINO core that everything in a process uses."""

from __future__ import annotations

import threading
from typing import Any

_cores: list[Any] = []
_making = threading.Lock()


def core() -> Any:
    """The one core of the process, which is never destroyed.

    On processors with AMX, a core sets the alternate signal stack of the thread that makes it, and
    unmaps that memory with its last model, in whichever thread that is closed. A Python signal
    handler in the first thread would then be a segmentation fault.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    import openvino

    with _making:
        if not _cores:
            _cores.append(openvino.Core())
        return _cores[0]
