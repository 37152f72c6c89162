"""The area that an annotation states, against the pixels of its mask.

COCO defines an annotation's ``area`` as that of its mask. Roboflow writes width x
height of its box instead, which makes objects too large and puts some into the wrong
size bucket. Here, that is found out and said; the stated area is never used.
"""

from __future__ import annotations

from typing import Any

from ...coco.areas import MIN_DIFFERENCE
from ...fiftyone_types import SampleCollection
from ...limits import MEDIUM_BELOW, SMALL_BELOW
from ...words import agree, count, part_of
from ..documents import Document, aggregate_documents
from ..figures.ratios import percent
from ..label_lists import LabelList

ATTRIBUTE = "annotated_area"

_FIGURES = (
    "objects",
    "in_other_bucket",
    "stated_px",
    "mask_px",
    "looked_at",
    "of_box",
    "of_mask",
    "undecided",
)

# To find the box of a polygon takes a look at each of its points: these many images
# tell which area an export states.
_IMAGES_LOOKED_AT = 2000


def annotated_areas(
    samples: SampleCollection, labels: LabelList, eval_key: str
) -> dict[str, Any]:
    """Compares the labels' stated areas with their masks' and their boxes'.

    Args:
        samples: a view of samples that an area evaluation has measured
        labels: where the labels are
        eval_key: the key of the evaluation

    Returns:
        a dict with

        - ``objects``: the labels that have both a stated and a measured area
        - ``in_other_bucket``: those that their stated area puts into another of COCO's
          size buckets
        - ``stated_px``, ``mask_px``: the sums; ``difference_percent``: by how much the
          former is larger
        - ``looked_at``: the objects of the first 2,000 images; ``of_box``,
          ``of_mask``: those of them whose stated area is closer to that of their box,
          or their mask; ``undecided``: those whose mask covers 95% of its box
        - ``text``: all this in words
    """
    sums = aggregate_documents(samples, _sum_stages(labels, eval_key))
    boxes = aggregate_documents(samples, _box_stages(labels, eval_key))
    found = (sums[0] if sums else {}) | (boxes[0] if boxes else {})
    result: dict[str, Any] = {name: found.get(name, 0) for name in _FIGURES}
    more = result["stated_px"] - result["mask_px"]
    result["difference_percent"] = percent(more, result["mask_px"])
    return {**result, "text": _text(result)}


def _sum_stages(labels: LabelList, eval_key: str) -> list[Document]:
    """Returns the stages that sum over all labels."""
    names = (ATTRIBUTE, f"{eval_key}_px", f"{eval_key}_bucket")
    stated, px, bucket = (f"${labels.path}.{name}" for name in names)
    return [
        {"$project": {"_id": 0} | {f"{labels.path}.{name}": 1 for name in names}},
        {"$unwind": f"${labels.path}"},
        {"$match": {path[1:]: {"$type": "number"} for path in (stated, px)}},
        {
            "$group": {
                "_id": None,
                "objects": {"$sum": 1},
                "in_other_bucket": _count({"$ne": [_bucket(stated), bucket]}),
                "stated_px": {"$sum": stated},
                "mask_px": {"$sum": px},
            }
        },
    ]


def _box_stages(labels: LabelList, eval_key: str) -> list[Document]:
    """Returns the stages that compare some labels' stated areas with their boxes."""
    stated, px = f"$label.{ATTRIBUTE}", f"$label.{eval_key}_px"
    undecided = {
        "$lte": [{"$abs": {"$subtract": ["$box", px]}}, _times(MIN_DIFFERENCE, "$box")]
    }
    off_box = {"$abs": {"$subtract": [stated, "$box"]}}
    off_mask = {"$abs": {"$subtract": [stated, px]}}
    decided = {"$not": undecided}
    return [
        {"$limit": _IMAGES_LOOKED_AT},
        {
            "$project": {
                "label": labels.expression(),
                "width": "$metadata.width",
                "height": "$metadata.height",
            }
        },
        {"$unwind": "$label"},
        {"$match": {path[1:]: {"$type": "number"} for path in (stated, px)}},
        {"$set": {"box": {"$multiply": [_box_size(), "$width", "$height"]}}},
        {
            "$group": {
                "_id": None,
                "looked_at": {"$sum": 1},
                "undecided": _count(undecided),
                "of_box": _count({"$and": [decided, {"$lt": [off_box, off_mask]}]}),
                "of_mask": _count({"$and": [decided, {"$gte": [off_box, off_mask]}]}),
            }
        },
    ]


def _box_size() -> Document:
    """Returns the share of the image that the box around a label covers."""
    box = "$label.bounding_box"
    from_box = {"$multiply": [{"$arrayElemAt": [box, i]} for i in (2, 3)]}
    extents = [
        {"$subtract": [_extreme("$max", axis), _extreme("$min", axis)]}
        for axis in (0, 1)
    ]
    return {"$cond": [{"$isArray": box}, from_box, {"$multiply": extents}]}


def _extreme(operator: str, axis: int) -> Document:
    """Returns the greatest or least coordinate of a label's points on an axis."""
    of_shape = {
        operator: {"$map": {"input": "$$shape", "as": "point", "in": _item(axis)}}
    }
    shapes = {"$ifNull": ["$label.points", []]}
    return {operator: {"$map": {"input": shapes, "as": "shape", "in": of_shape}}}


def _item(axis: int) -> Document:
    return {"$arrayElemAt": ["$$point", axis]}


def _bucket(area: str) -> Document:
    small, medium = {"$lt": [area, SMALL_BELOW]}, {"$lt": [area, MEDIUM_BELOW]}
    return {"$cond": [small, "small", {"$cond": [medium, "medium", "large"]}]}


def _text(found: dict[str, Any]) -> str:
    objects = found["objects"]
    if not objects:
        return "No object states an area."
    decided = found["of_box"] + found["of_mask"]
    if not decided:
        said = (
            f"Whether the {objects:,} stated areas are those of masks or of boxes "
            "cannot be told: the masks fill their boxes"
        )
    elif found["of_box"] <= 0.5 * decided:
        said = f"{part_of(found['of_mask'], decided, 'stated area')} " + agree(
            found["of_mask"], "is that of a mask", "are those of masks"
        )
    else:
        said = f"{part_of(found['of_box'], decided, 'stated area')} " + agree(
            found["of_box"],
            "is that of the object's box, not of its mask",
            "are those of the objects' boxes, not of their masks",
        )
    if decided and found["undecided"]:
        said += f"; {found['undecided']:,} more "
        said += agree(found["undecided"], "fills its box", "fill their boxes")
    if found["looked_at"] < objects:
        said += f" (of the first {_IMAGES_LOOKED_AT:,} images)"
    if not decided or found["difference_percent"] is None:
        return f"{said}."
    return (
        f"{said}. In total, stated areas are "
        f"{abs(found['difference_percent']):.1f}% "
        f"{'larger' if found['difference_percent'] >= 0 else 'smaller'} than the "
        f"masks, and put {count(found['in_other_bucket'], 'object')} into another size "
        "bucket."
    )


def _count(condition: Document) -> Document:
    return {"$sum": {"$cond": [condition, 1, 0]}}


def _times(factor: float, value: str) -> Document:
    return {"$multiply": [factor, value]}
