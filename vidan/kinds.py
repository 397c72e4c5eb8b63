"""The kinds of components, one row each.

The registry, the configuration, the command line, shell completion and the documentation read
this table: a new kind is a new row.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from .interfaces import Analyzer, Detector, EventSink, Runner, Sink, Source, Tracker


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of component.

    Attributes:
        name: of the kind, of its config group and of its key in the configuration.
        noun: what one component of it is called in messages, with its article.
        plural: for prose; also the folder of the built-in components.
        protocol: the interface in `vidan.interfaces`.
        alternatives: interfaces that will do in its place.
        many: whether a run may have several, as in `sink=[video,jsonl]`.
        required: whether a run needs one.
        in_run: whether it is a part of runs, unlike what `vidan batch` distributes them with.
    """

    name: str
    noun: str
    plural: str
    protocol: type
    many: bool = False
    required: bool = True
    alternatives: tuple[type, ...] = ()
    in_run: bool = True

    def key(self, component: str) -> str:
        """Where a component is configured: `sink.video` if there may be several, or `tracker`."""
        return f"{self.name}.{component}" if self.many else self.name

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that a component must have."""
        return _methods(self.protocol)

    def missing_methods(self, target: object) -> list[str]:
        """The methods that a component, or its class, lacks."""
        lacking = [
            [name for name in _methods(protocol) if not callable(getattr(target, name, None))]
            for protocol in (self.protocol, *self.alternatives)
        ]
        return lacking[0] if all(lacking) else []


def _methods(protocol: type) -> tuple[str, ...]:
    functions = [name for name, member in vars(protocol).items() if inspect.isfunction(member)]
    return tuple(n for n in functions if not n.startswith("_") or n == "__iter__")


KINDS = {
    kind.name: kind
    for kind in (
        Kind("source", "a source", "sources", Source),
        Kind("detector", "a detector", "detectors", Detector),
        Kind("tracker", "a tracker", "trackers", Tracker),
        Kind("analytics", "an analyzer", "analytics", Analyzer, many=True, required=False),
        Kind("sink", "a sink", "sinks", Sink, many=True, required=False, alternatives=(EventSink,)),
        Kind("runner", "a runner", "runners", Runner, required=False, in_run=False),
    )
}
"""Every kind by its name, in the order of the pipeline."""
