"""Events as lines of JSON."""

from __future__ import annotations

import json
from typing import Any

from vidan.events import Event


def event_line(event: Event) -> str:
    """One line of JSON, without its end; see `event_record`."""
    return json.dumps(event_record(event), ensure_ascii=False, allow_nan=False)


def event_record(event: Event) -> dict[str, Any]:
    """The JSON object of an event: coordinates to 0.01 px, times and other numbers to 1e-6."""
    record = event.record()
    record["time"] = round(event.time, 6)
    for key in ("box", "at"):
        if record[key] is not None:
            record[key] = [round(float(value), 2) for value in record[key]]
    record["data"] = {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in event.data.items()
    }
    return record
