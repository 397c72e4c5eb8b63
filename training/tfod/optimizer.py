"""Optimizer and learning-rate schedule of a `pipeline.config`."""

from __future__ import annotations

from typing import Any

from .message import Message

EXPONENTIAL_DROPS = 20
"""Number of steps that approximate a smooth exponential decay."""


def read_optimizer(optimizer: Message) -> dict[str, Any]:
    """Convert to a recipe's `optimizer`, without clipping and weight decay."""
    values: dict[str, Any] = {"backbone_factor": 1.0}
    kinds = optimizer.children()
    kind = kinds[0] if kinds else optimizer.child("momentum_optimizer")
    if kind.name == "momentum_optimizer":
        values |= {"name": "sgd", "momentum": kind.number("momentum_optimizer_value", 0.9)}
    else:
        values |= {"name": "adamw", "momentum": 0.9}
        if kind.name == "rms_prop_optimizer":
            for key in ("momentum_optimizer_value", "decay", "epsilon"):
                kind.note(key, "not honored: AdamW is used instead of RMSProp")
    averaged = optimizer.flag("use_moving_average", True)
    decay = optimizer.number("moving_average_decay", 0.9999)
    return values | {"ema": decay if averaged else 0.0} | _schedule(kind.child("learning_rate"))


def _schedule(rate: Message) -> dict[str, Any]:
    kinds = rate.children()
    kind = kinds[0] if kinds else rate.child("constant_learning_rate")
    return {
        "cosine_decay_learning_rate": _cosine,
        "manual_step_learning_rate": _manual,
        "exponential_decay_learning_rate": _exponential,
    }.get(kind.name, _constant)(kind)


def _cosine(kind: Message) -> dict[str, Any]:
    total = kind.number("total_steps", 4_000_000)
    kind.note("total_steps", "the cosine ends after num_steps")
    if kind.number("hold_base_rate_steps", 0):
        kind.note("hold_base_rate_steps", "not honored: the rate decreases right after the warm-up")
    return {
        "schedule": "cosine",
        "learning_rate": kind.number("learning_rate_base", 0.002),
        "warmup": kind.number("warmup_steps", 10_000) / max(total, 1),
        "warmup_learning_rate": kind.number("warmup_learning_rate", 0.0002),
        "final_ratio": 0.0,
        "drops": [],
    }


def _steps(rate: float, drops: list[list[float]]) -> dict[str, Any]:
    return {
        "schedule": "steps",
        "learning_rate": rate,
        "warmup": 0.0,
        "warmup_learning_rate": 0.0,
        "final_ratio": 0.0,
        "drops": drops,
    }


def _constant(kind: Message) -> dict[str, Any]:
    return _steps(kind.number("learning_rate", 0.002), [])


def _manual(kind: Message) -> dict[str, Any]:
    """Drops at given steps: pairs of step and learning rate."""
    if kind.flag("warmup", False):
        kind.note("warmup", "not honored: the rate starts at its first value")
    drops = [
        [step.number("step", 0), step.number("learning_rate", 0.002)]
        for step in kind.children("schedule")
    ]
    return _steps(kind.number("initial_learning_rate", 0.002), drops)


def _exponential(kind: Message) -> dict[str, Any]:
    """A staircase of drops, which also approximates a smooth decay."""
    rate, factor = kind.number("initial_learning_rate", 0.002), kind.number("decay_factor", 0.95)
    every, smooth = kind.number("decay_steps", 4_000_000), not kind.flag("staircase", True)
    if smooth:
        kind.note("staircase", f"approximated by {EXPONENTIAL_DROPS} steps")
    lowest = kind.number("min_learning_rate", 0.0)
    drops = [[every * n, max(lowest, rate * factor**n)] for n in range(1, EXPONENTIAL_DROPS + 1)]
    for key in ("burnin_learning_rate", "burnin_steps"):
        if kind.number(key, 0.0):
            kind.note(key, "not honored: the rate starts at its first value")
    return _steps(rate, drops)
