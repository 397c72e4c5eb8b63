"""What is in a data set, held against a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from rich.table import Table

from vidan import options
from vidan.boxes import iou
from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console

from .. import recipe
from ..data import formats
from ..data.loading import OPTIONS, groups_of, read_sets
from ..data.split import split
from ..model.anchors import make_anchors
from .scan import scan
from .sheet import write_sheet
from .similar import Pair

CHUNK = 64  # boxes held against all anchors at once
PAIRS = 24  # near duplicates on their sheet


def check_data(config: dict[str, Any]) -> dict[str, Any]:
    """Check, print, and write `data.json`, `near_duplicates.txt` and the sheets; the findings."""
    threshold = options.number("similar", config["similar"], 0, 1)
    shown = options.whole("sheet", config["sheet"], 0)
    plan = recipe.load_recipe([f"recipe={config['recipe']}"])
    sets = read_sets(config["data"], {key: config.get(key, OPTIONS[key]) for key in OPTIONS})
    folder = run_directory(OmegaConf.create(config))
    dataset = formats.join([part for _, part in sets])
    found = scan(dataset.pictures, threshold)
    side = _sides(sets, dataset, plan)
    names = [picture.name for picture in dataset.pictures]
    leaks = [p for p in found.pairs if side[p.first] != side[p.second]]
    findings = {
        "data": [str(path) for path, _ in sets],
        "pictures": len(names),
        "empty": sum(not picture.labels for picture in dataset.pictures),
        "boxes": dict(dataset.counts()),
        "sizes": sizes(dataset, plan),
        "problems": [str(problem) for problem in dataset.problems],
        "broken": found.broken,
        "near_duplicates": [_pair(p, names, side) for p in found.pairs],
        "leaks": [_pair(p, names, side) for p in leaks],
    }
    write_json(folder / "data.json", findings)
    lines = (f"{names[p.first]} {names[p.second]}  # {p.likeness:.3f}\n" for p in found.pairs)
    (folder / "near_duplicates.txt").write_text("".join(lines), encoding="utf-8")
    _sheets(folder, dataset, found.pairs, shown, config["seed"])
    _show(findings, folder)
    return findings


def sizes(dataset: formats.Dataset, plan: Any) -> dict[str, dict[str, float]]:
    """By label: percentiles of the boxes' sides at the recipe's size, px, and how anchors fit.

    `side` is the square root of the area; `fit` the share of boxes that some anchor overlaps by
    the recipe's `matching.positive` or more, `overlap` the median of the best overlap.
    """
    height, width = plan.size
    anchors = make_anchors(height, width, recipe.shapes(plan))
    boxes, labels = [np.zeros((0, 4))], list[str]()
    for picture in dataset.pictures:
        boxes.append(picture.boxes * min(width / picture.size[0], height / picture.size[1]))
        labels += picture.labels
    scaled = np.concatenate(boxes).astype(np.float32)
    best = [iou(scaled[i : i + CHUNK], anchors).max(axis=1) for i in range(0, len(scaled), CHUNK)]
    overlap = np.concatenate([np.zeros(0, np.float32), *best])
    side = np.sqrt((scaled[:, 2:] - scaled[:, :2]).prod(axis=1))
    rows = np.array(labels)
    return {
        label: {
            **{
                f"p{p}": round(float(np.percentile(side[rows == label], p)), 1) for p in (5, 50, 95)
            },
            "fit": round(float((overlap[rows == label] >= plan.matching.positive).mean()), 3),
            "overlap": round(float(np.median(overlap[rows == label])), 3),
        }
        for label in dataset.labels
        if label in labels
    }


def _sides(
    sets: Sequence[tuple[Path, formats.Dataset]], dataset: formats.Dataset, plan: Any
) -> list[str]:
    """Where each image goes: its data set, or the part that the recipe's split puts it in."""
    if len(sets) > 1:
        return [path.name for path, part in sets for _ in part.pictures]
    samples = dataset.samples()
    held = plan.validation if isinstance(plan.validation, int | float) else 0.15
    groups = groups_of([path for path, _ in sets])
    training = {id(sample) for sample in split(samples, held, plan.seed, groups)[0]}
    return ["training" if id(sample) in training else "validation" for sample in samples]


def _pair(pair: Pair, names: Sequence[str], side: Sequence[str]) -> dict[str, Any]:
    return {
        "pictures": [names[pair.first], names[pair.second]],
        "likeness": pair.likeness,
        "mirrored": pair.mirrored,
        "parts": [side[pair.first], side[pair.second]],
    }


def _sheets(
    folder: Path, dataset: formats.Dataset, pairs: Sequence[Pair], shown: int, seed: int
) -> None:
    pictures = dataset.pictures
    chosen = np.random.default_rng(seed).permutation(len(pictures))[:shown]
    if shown:
        chosen_images = [pictures[i] for i in sorted(chosen)]
        write_sheet(folder / "contact_sheet.jpg", chosen_images, dataset.labels)
    if pairs:
        both = [pictures[i] for pair in pairs[:PAIRS] for i in (pair.first, pair.second)]
        write_sheet(folder / "near_duplicates.jpg", both, dataset.labels)


def _show(findings: Mapping[str, Any], folder: Path) -> None:
    terminal = console()
    terminal.print(f"{findings['pictures']} pictures, {findings['empty']} of them without a box")
    table = Table(
        "label", "boxes", "share", "side p5", "p50", "p95", "fit", box=None, pad_edge=False
    )
    total = sum(findings["boxes"].values())
    for label, figures in findings["sizes"].items():
        count = findings["boxes"][label]
        sides = [f"{figures[key]:g}" for key in ("p5", "p50", "p95")]
        share, fit = f"{count / total:.1%}", f"{figures['fit']:.1%}"
        table.add_row(label, str(count), share, *sides, fit)
    terminal.print(table)
    terminal.print("side: of boxes at the recipe's size, px; fit: boxes that an anchor fits")
    for key in ("problems", "broken", "near_duplicates", "leaks"):
        terminal.print(f"{key.replace('_', ' ')}: {len(findings[key])}")
    for leak in findings["leaks"][:10]:
        names = " and ".join(
            f"{n} ({p})" for n, p in zip(leak["pictures"], leak["parts"], strict=True)
        )
        terminal.print(f"  leak: {names} look alike by {leak['likeness']:.3f}")
    terminal.print(f"written: {folder}")
