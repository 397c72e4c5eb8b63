"""`vidan data check`: statistics and issues of a data set, relative to a recipe."""

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
from ..data.loading import READ_OPTIONS, duplicate_groups, read_datasets
from ..data.split import split
from ..model.anchors import make_anchors
from .scan import scan_images
from .sheet import write_contact_sheet
from .similar import SimilarPair

BOXES_PER_CHUNK = 64  # boxes compared with all anchors at once
MAX_PAIRS_ON_SHEET = 24
MAX_PRINTED_LEAKS = 10
DEFAULT_VALIDATION = 0.15  # if the recipe has a validation set of its own


def check_data(config: dict[str, Any]) -> dict[str, Any]:
    """Check a data set; print and return the report.

    Writes `data.json`, `near_duplicates.txt` and contact sheets to the run folder.

    Args:
        config: the keys of `conf/data_check.yaml`.
    """
    threshold = options.number("similarity", config["similarity"], 0, 1)
    sheet_images = options.whole("sheet_images", config["sheet_images"], 0)
    plan = recipe.load_recipe([f"recipe={config['recipe']}"])
    read_options = {key: config.get(key, default) for key, default in READ_OPTIONS.items()}
    datasets = read_datasets(config["data"], read_options)
    folder = run_directory(OmegaConf.create(config))
    dataset = formats.join([part for _, part in datasets])
    scan = scan_images(dataset.images, threshold)
    parts = _parts(datasets, dataset, plan)
    names = [image.name for image in dataset.images]
    leaks = [pair for pair in scan.pairs if parts[pair.first] != parts[pair.second]]
    report = {
        "data": [str(path) for path, _ in datasets],
        "images": len(names),
        "empty": sum(not image.labels for image in dataset.images),
        "boxes": dict(dataset.label_counts()),
        "sizes": box_sizes(dataset, plan),
        "issues": [str(issue) for issue in dataset.issues],
        "broken": scan.broken,
        "near_duplicates": [_pair_entry(pair, names, parts) for pair in scan.pairs],
        "leaks": [_pair_entry(pair, names, parts) for pair in leaks],
    }
    write_json(folder / "data.json", report)
    lines = (f"{names[p.first]} {names[p.second]}  # {p.similarity:.3f}\n" for p in scan.pairs)
    (folder / "near_duplicates.txt").write_text("".join(lines), encoding="utf-8")
    _write_sheets(folder, dataset, scan.pairs, sheet_images, config["seed"])
    _print(report, folder)
    return report


def box_sizes(dataset: formats.Dataset, plan: Any) -> dict[str, dict[str, float]]:
    """Box sizes and anchor fit by label, with images scaled to the recipe's input size.

    Returns:
        For each label, `p5`, `p50` and `p95`: percentiles of the square root of the area, px;
        `fit`: fraction of the boxes that an anchor overlaps by `matching.positive` or more;
        `overlap`: median of the best IoU with an anchor.
    """
    height, width = plan.size
    anchors = make_anchors(height, width, recipe.anchor_shapes(plan))
    boxes, labels = [np.zeros((0, 4))], list[str]()
    for image in dataset.images:
        boxes.append(image.boxes * min(width / image.size[0], height / image.size[1]))
        labels += image.labels
    scaled = np.concatenate(boxes).astype(np.float32)
    chunks = range(0, len(scaled), BOXES_PER_CHUNK)
    best = [iou(scaled[i : i + BOXES_PER_CHUNK], anchors).max(axis=1) for i in chunks]
    overlap = np.concatenate([np.zeros(0, np.float32), *best])
    side = np.sqrt((scaled[:, 2:] - scaled[:, :2]).prod(axis=1))
    row_labels = np.array(labels)
    sizes = {}
    for label in (label for label in dataset.labels if label in labels):
        rows = row_labels == label
        sizes[label] = {
            **{f"p{p}": round(float(np.percentile(side[rows], p)), 1) for p in (5, 50, 95)},
            "fit": round(float((overlap[rows] >= plan.matching.positive).mean()), 3),
            "overlap": round(float(np.median(overlap[rows])), 3),
        }
    return sizes


def _parts(
    datasets: Sequence[tuple[Path, formats.Dataset]], dataset: formats.Dataset, plan: Any
) -> list[str]:
    """The data set of each image, or the part that the recipe's split assigns it to."""
    if len(datasets) > 1:
        return [path.name for path, part in datasets for _ in part.images]
    samples = dataset.samples()
    has_fraction = isinstance(plan.validation, int | float)
    fraction = plan.validation if has_fraction else DEFAULT_VALIDATION
    groups = duplicate_groups([path for path, _ in datasets])
    training = {id(sample) for sample in split(samples, fraction, plan.seed, groups)[0]}
    return ["training" if id(sample) in training else "validation" for sample in samples]


def _pair_entry(pair: SimilarPair, names: Sequence[str], parts: Sequence[str]) -> dict[str, Any]:
    return {
        "images": [names[pair.first], names[pair.second]],
        "similarity": pair.similarity,
        "mirrored": pair.mirrored,
        "parts": [parts[pair.first], parts[pair.second]],
    }


def _write_sheets(
    folder: Path, dataset: formats.Dataset, pairs: Sequence[SimilarPair], count: int, seed: int
) -> None:
    images = dataset.images
    rows = np.random.default_rng(seed).permutation(len(images))[:count]
    if count:
        selected = [images[i] for i in sorted(rows)]
        write_contact_sheet(folder / "contact_sheet.jpg", selected, dataset.labels)
    if pairs:
        shown = pairs[:MAX_PAIRS_ON_SHEET]
        both = [images[i] for pair in shown for i in (pair.first, pair.second)]
        write_contact_sheet(folder / "near_duplicates.jpg", both, dataset.labels)


def _print(report: Mapping[str, Any], folder: Path) -> None:
    terminal = console()
    terminal.print(f"{report['images']} images, {report['empty']} of them without boxes")
    table = Table(
        "label", "boxes", "share", "side p5", "p50", "p95", "fit", box=None, pad_edge=False
    )
    total = sum(report["boxes"].values())
    for label, sizes in report["sizes"].items():
        count = report["boxes"][label]
        sides = [f"{sizes[key]:g}" for key in ("p5", "p50", "p95")]
        share, fit = f"{count / total:.1%}", f"{sizes['fit']:.1%}"
        table.add_row(label, str(count), share, *sides, fit)
    terminal.print(table)
    terminal.print("side: of boxes at the recipe's input size, px; fit: boxes that fit an anchor")
    for key in ("issues", "broken", "near_duplicates", "leaks"):
        terminal.print(f"{key.replace('_', ' ')}: {len(report[key])}")
    for leak in report["leaks"][:MAX_PRINTED_LEAKS]:
        names = " and ".join(
            f"{name} ({part})" for name, part in zip(leak["images"], leak["parts"], strict=True)
        )
        terminal.print(f"  leak: {names} have a similarity of {leak['similarity']:.3f}")
    terminal.print(f"written to {folder}")
