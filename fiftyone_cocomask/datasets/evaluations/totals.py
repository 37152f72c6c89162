"""Sums over many samples, made by MongoDB from the fields that evaluations write.

Nothing but a row per split or class leaves the database, so tables of 100,000 samples
take about a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents
from ..measuring.measure import CLASS_OF_THIS, NO_LABEL
from ..split_names import split_expression, split_paths, split_rank

_EXTREMES: dict[str, Any] = {"min": min, "max": max}
_LABEL_COUNTS = ("small", "medium", "large", "hidden", "empty")
_IMAGE_PX: Document = {"$multiply": ["$metadata.width", "$metadata.height"]}


def area_totals(samples: SampleCollection, path: str) -> list[Document]:
    """Returns a row of sums per split, from the samples' areas at a path."""
    area = f"${path}"
    return _split_totals(
        samples,
        path,
        {
            "foreground_px": {"$sum": area},
            "area_times_image_px": {
                "$sum": {"$multiply": [{"$toDouble": area}, _IMAGE_PX]}
            },
        },
    )


def coverage_totals(
    samples: SampleCollection,
    path: str,
    overlap_path: str | None,
    classes_path: str | None,
) -> list[Document]:
    """Returns a row of sums per split, from the samples' coverages at a path."""
    ratio = f"${path}"
    sums: Document = {
        "ratio": {"$sum": ratio},
        "foreground_px": {"$sum": _of_image(ratio)},
    }
    if overlap_path is not None and classes_path is not None:
        overlap = f"${overlap_path}"
        drawn = {"$sum": f"${classes_path}.px"}
        sums["overlap"] = {"$sum": overlap}
        sums["overlap_images"] = _count({"$isNumber": overlap})
        sums["overlap_px"] = {"$sum": {"$round": {"$multiply": [overlap, drawn]}}}
        sums["drawn_px"] = {"$sum": drawn}
    return _split_totals(samples, path, sums)


def label_totals(
    samples: SampleCollection, label_path: str, eval_key: str, *, is_list: bool
) -> list[Document]:
    """Returns a row of sums per split and class, from the labels' areas."""
    stages = _label_stages(samples, label_path, eval_key)
    by_class: dict[tuple[str, str], list[Document]] = {}
    for row in aggregate_documents(samples, stages):
        key = row.pop("_id")
        if key["seen"] is None:
            continue
        counted = {key.get("bucket"), key["seen"]}
        counts = {n: row["objects"] if n in counted else 0 for n in _LABEL_COUNTS}
        by_class.setdefault((key["split"], key["class"]), []).append(row | counts)
    stages = _label_image_stages(samples, label_path, eval_key, is_list=is_list)
    return [
        row | summed(by_class[row["split"], row["class"]])
        for row in _class_rows(aggregate_documents(samples, stages))
    ]


def _label_stages(
    samples: SampleCollection, label_path: str, eval_key: str
) -> list[Document]:
    """Returns the stages that sum over labels that count in the same way."""
    names = ("label", f"{eval_key}_px", f"{eval_key}_visible_px", f"{eval_key}_bucket")
    name, area, visible, bucket = (f"${label_path}.{leaf}" for leaf in names)
    hidden = {"$cond": [{"$eq": [visible, 0]}, "hidden", "visible"]}
    seen = {"$cond": [{"$eq": [area, 0]}, "empty", hidden]}
    return [
        *_needed(samples, [f"{label_path}.{leaf}" for leaf in names]),
        {"$unwind": f"${label_path}"},
        # A sum for each way to count is three times as fast as a condition in each sum.
        {
            "$group": {
                "_id": {
                    "split": "$split",
                    "class": {"$ifNull": [name, NO_LABEL]},
                    "bucket": bucket,
                    "seen": {"$cond": [{"$isNumber": area}, seen, None]},
                },
                "objects": {"$sum": 1},
                "area_px": {"$sum": area},
                "visible_px": {"$sum": visible},
                "min_area_px": {"$min": area},
                "max_area_px": {"$max": area},
            }
        },
    ]


def _label_image_stages(
    samples: SampleCollection, label_path: str, eval_key: str, *, is_list: bool
) -> list[Document]:
    """Returns the stages that count the samples of each class of labels."""
    measured = _measured_labels(label_path, eval_key, is_list=is_list)
    names = {"$map": {"input": measured, "in": CLASS_OF_THIS}}
    return [
        *_needed(samples, [f"{label_path}.label", f"{label_path}.{eval_key}_px"]),
        {"$project": {"split": 1, "class": {"$setUnion": [names, []]}}},
        {"$unwind": "$class"},
        {
            "$group": {
                "_id": {"split": "$split", "class": "$class"},
                "images": {"$sum": 1},
            }
        },
    ]


def class_totals(samples: SampleCollection, classes_path: str) -> list[Document]:
    """Returns a row of sums per split and class, from the classes on each sample.

    ``visible_px`` are pixels of the masks, ``image_px`` those of the images that they
    cover: as many, unless a mask has another size than its image.
    """
    name, px, ratio = (f"${classes_path}.{leaf}" for leaf in ("label", "px", "ratio"))
    size = ["metadata.width", "metadata.height"]
    stages: list[Document] = [
        *_needed(samples, [classes_path, *size]),
        {"$unwind": f"${classes_path}"},
        {
            "$group": {
                "_id": {"split": "$split", "class": name},
                "images": {"$sum": 1},
                "visible_px": {"$sum": px},
                "image_px": {"$sum": _of_image(ratio)},
                "ratio": {"$sum": ratio},
            }
        },
    ]
    return _class_rows(aggregate_documents(samples, stages))


def over_splits(rows: Sequence[Document]) -> list[Document]:
    """Returns a row of sums per class, from those per split and class."""
    by_class: dict[str, list[Document]] = {}
    for row in rows:
        by_class.setdefault(row["class"], []).append(row)
    found = [
        {**summed(group), "split": None, "class": name}
        for name, group in by_class.items()
    ]
    return sorted(found, key=lambda row: str(row["class"]))


def summed(rows: Sequence[Document]) -> Document:
    """Returns the sums of rows; of a ``min`` or ``max``, the least or greatest."""
    total: Document = {}
    for row in rows:
        for name, value in row.items():
            pick = _EXTREMES.get(name.partition("_")[0])
            if pick is not None:
                known = [v for v in (total.get(name), value) if v is not None]
                total[name] = pick(known, default=None)
            elif isinstance(value, (int, float)):
                total[name] = total.get(name, 0) + value
    return total


def _split_totals(
    samples: SampleCollection, path: str, sums: Document
) -> list[Document]:
    value = f"${path}"
    has_number = {"$isNumber": value}
    group = {
        "samples": {"$sum": 1},
        "images": _count(has_number),
        "empty_images": _count({"$eq": [value, 0]}),
        "unknown_size": _count({"$and": [has_number, {"$not": _is_number(_IMAGE_PX)}]}),
        "image_px": {"$sum": {"$cond": [has_number, _IMAGE_PX, 0]}},
        "min": {"$min": value},
        "max": {"$max": value},
        **sums,
    }
    rows = aggregate_documents(
        samples, [{"$group": {"_id": split_expression(samples), **group}}]
    )
    return sorted(
        ({"split": row.pop("_id"), **row} for row in rows),
        key=lambda row: split_rank(row["split"]),
    )


def _needed(samples: SampleCollection, paths: Sequence[str]) -> list[Document]:
    """Returns the stages that leave each sample's split and some fields.

    The first one computes nothing, as MongoDB is three times as fast with documents of
    which it only drops fields.
    """
    kept = dict.fromkeys([*split_paths(samples), *paths], 1)
    return [
        {"$project": {"_id": 0} | kept},
        {"$set": {"split": split_expression(samples)}},
    ]


def _measured_labels(label_path: str, eval_key: str, *, is_list: bool) -> Document:
    """Returns the expression of a sample's labels that have an area."""
    label: Any = f"${label_path}"
    return {
        "$filter": {
            "input": {"$ifNull": [label, []]} if is_list else [label],
            "cond": {"$isNumber": f"$$this.{eval_key}_px"},
        }
    }


def _class_rows(rows: Sequence[Document]) -> list[Document]:
    flat = [{**row.pop("_id"), **row} for row in rows]
    return sorted(
        flat, key=lambda row: (split_rank(row.get("split")), str(row["class"]))
    )


def _of_image(ratio: str) -> Document:
    """Returns the expression of a share of an image in its pixels."""
    return {"$toLong": {"$round": {"$multiply": [ratio, _IMAGE_PX]}}}


def _count(condition: Document) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _is_number(expression: Document) -> Document:
    return {"$isNumber": expression}
