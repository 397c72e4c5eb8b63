"""A job of `vidan batch` without any work."""

from vidan_plugins.tools.batch.job import Job, Outcome


def nothing(job: Job) -> Outcome:  # noqa: ARG001
    """Report a run over no frames."""
    return Outcome({"frames": 0, "detections": 0, "objects": {}, "events": {}}, [], 0.0, "worker")
