"""The area that an annotation states, against the pixels of its mask.

COCO defines an annotation's ``area`` as that of its mask. Roboflow writes width x
height of its box instead, which makes objects too large and puts some into the wrong
size bucket. Here, that is found out and said; the stated area is never used.
"""

from __future__ import annotations

from typing import Any

from ..documents import Document, aggregate_documents
from .label_lists import LabelList
from .ratios import ratio

ATTRIBUTE = "annotated_area"

# A mask that covers nearly all of its box has the box's area: it tells nothing.
_MIN_DIFFERENCE = 0.05


def annotated_areas(samples: Any, labels: LabelList, eval_key: str) -> dict[str, Any]:
    """Compares the labels' stated areas with their masks' and their boxes'.

    Args:
        samples: a view of samples that an area evaluation has measured
        labels: where the labels are
        eval_key: the key of the evaluation

    Returns:
        a dict with

        - ``objects``: the labels that have both a stated and a measured area
        - ``of_box``, ``of_mask``: those whose stated area is closer to that of their
          box, or their mask; ``undecided``: those whose mask covers 95 % of its box
        - ``in_other_bucket``: those that their stated area puts into another of COCO's
          size buckets
        - ``stated_px``, ``mask_px``: the sums; ``difference_percent``: by how much the
          former is larger
        - ``text``: all this in words
    """
    rows = aggregate_documents(samples, _stages(labels, eval_key))
    names = ("objects", "of_box", "of_mask", "undecided", "in_other_bucket")
    found = rows[0] if rows else {}
    result: dict[str, Any] = {name: found.get(name, 0) for name in names}
    result["stated_px"] = found.get("stated_px", 0)
    result["mask_px"] = found.get("mask_px", 0)
    share = ratio(result["stated_px"] - result["mask_px"], result["mask_px"])
    result["difference_percent"] = None if share is None else 100 * share
    return {**result, "text": _text(result)}


def _stages(labels: LabelList, eval_key: str) -> list[Document]:
    stated, px = f"$label.{ATTRIBUTE}", f"$label.{eval_key}_px"
    undecided = {
        "$lte": [{"$abs": {"$subtract": ["$box", px]}}, _times(_MIN_DIFFERENCE, "$box")]
    }
    off_box = {"$abs": {"$subtract": [stated, "$box"]}}
    off_mask = {"$abs": {"$subtract": [stated, px]}}
    decided = {"$not": undecided}
    return [
        {
            "$project": {
                "label": labels.expression(),
                "width": "$metadata.width",
                "height": "$metadata.height",
            }
        },
        {"$unwind": "$label"},
        {
            "$match": {
                f"label.{ATTRIBUTE}": {"$type": "number"},
                f"label.{eval_key}_px": {"$type": "number"},
            }
        },
        {
            "$set": {
                "box": {"$multiply": [_box_size(), "$width", "$height"]},
                "stated_bucket": _bucket(stated),
            }
        },
        {
            "$group": {
                "_id": None,
                "objects": {"$sum": 1},
                "undecided": _count(undecided),
                "of_box": _count({"$and": [decided, {"$lt": [off_box, off_mask]}]}),
                "of_mask": _count({"$and": [decided, {"$gte": [off_box, off_mask]}]}),
                "in_other_bucket": _count(
                    {"$ne": ["$stated_bucket", f"$label.{eval_key}_bucket"]}
                ),
                "stated_px": {"$sum": stated},
                "mask_px": {"$sum": px},
            }
        },
    ]


def _box_size() -> Document:
    """Returns the share of the image that the box around a label covers."""
    box = "$label.bounding_box"
    from_box = {"$multiply": [{"$arrayElemAt": [box, i]} for i in (2, 3)]}
    extents = [
        {"$subtract": [{"$max": _coordinates(axis)}, {"$min": _coordinates(axis)}]}
        for axis in (0, 1)
    ]
    return {"$cond": [{"$isArray": box}, from_box, {"$multiply": extents}]}


def _coordinates(axis: int) -> Document:
    of_shape = {"$map": {"input": "$$this", "in": {"$arrayElemAt": ["$$this", axis]}}}
    return {
        "$reduce": {
            "input": {"$ifNull": ["$label.points", []]},
            "initialValue": [],
            "in": {"$concatArrays": ["$$value", of_shape]},
        }
    }


def _bucket(area: str) -> Document:
    small, medium = {"$lt": [area, 32**2]}, {"$lt": [area, 96**2]}
    return {"$cond": [small, "small", {"$cond": [medium, "medium", "large"]}]}


def _text(found: dict[str, Any]) -> str:
    objects = found["objects"]
    if not objects:
        return "No object states an area."
    decided = found["of_box"] + found["of_mask"]
    if not decided:
        return (
            f"Whether the {objects:,} stated areas are those of masks or of boxes "
            "cannot be told: the masks fill their boxes."
        )
    of_box = found["of_box"]
    if of_box <= 0.5 * decided:
        said = f"{found['of_mask']:,} of {decided:,} stated areas are those of masks"
    else:
        said = (
            f"{of_box:,} of {decided:,} stated areas are those of the objects' boxes, "
            "not of their masks"
        )
    return (
        f"{said}. Together they are {abs(found['difference_percent']):.1f} % "
        f"{'larger' if found['difference_percent'] >= 0 else 'smaller'} than the "
        f"masks, and put {found['in_other_bucket']:,} of {objects:,} objects into "
        "another size bucket."
    )


def _count(condition: Document) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _times(factor: float, value: str) -> Document:
    return {"$multiply": [factor, value]}
