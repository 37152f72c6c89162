"""How small the objects would be in images of another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents
from ..label_lists import LabelList
from ..measuring.measure import CLASS_OF_THIS, NO_LABEL

SIZES = (320, 416, 512, 640, 1024)
# In pixels: what is smaller is hard to learn, and hard to see.
LIMITS = (16, 64)
How = Literal["letterbox", "stretch"]
HOWS: tuple[How, ...] = get_args(How)


def resized_objects(
    samples: SampleCollection, labels: LabelList, area: str, sizes: Sequence[int]
) -> list[Document]:
    """Returns how many objects of each class would be small after resizing.

    Args:
        samples: the dataset or view
        labels: where the labels are
        area: the attribute with each label's area
        sizes: the sides of the square images, in pixels

    Returns:
        rows of ``class``, ``size``, ``how``, ``objects`` and, for each of
        :data:`LIMITS`, ``below_<limit>_px``
    """
    factors = {
        f"{how}_{size}": _area_factor(how, size) for size in sizes for how in HOWS
    }
    sums = {
        f"{name}_{limit}": {
            "$sum": {
                "$cond": [{"$lt": [{"$multiply": ["$area", f"${name}"]}, limit]}, 1, 0]
            }
        }
        for name in factors
        for limit in LIMITS
    }
    stages: list[Document] = [
        {"$match": {"$expr": {"$gt": ["$metadata.width", 0]}}},
        {"$project": {"_id": 0, "labels": labels.expression(), **factors}},
        {"$unwind": "$labels"},
        {
            "$set": {
                "area": f"$labels.{area}",
                "class": {"$ifNull": ["$labels.label", NO_LABEL]},
            }
        },
        {"$match": {"area": {"$type": "number"}}},
        {"$group": {"_id": "$class", "objects": {"$sum": 1}, **sums}},
        {"$sort": {"_id": 1}},
    ]
    return [
        {
            "class": row["_id"],
            "size": size,
            "how": how,
            "objects": row["objects"],
            **{f"below_{n}_px": row[f"{how}_{size}_{n}"] for n in LIMITS},
        }
        for row in aggregate_documents(samples, stages)
        for size in sizes
        for how in HOWS
    ]


def is_below(area: str, how: How, size: int, limit: int, label: str | None) -> Document:
    """Returns the condition of a label that would be small after resizing.

    Args:
        area: the attribute with its area
        how: ``"letterbox"`` or ``"stretch"``
        size: the side of the square images, in pixels
        limit: it would have fewer pixels
        label: its class as tables call it, None for any
    """
    resized = {"$multiply": [f"$$this.{area}", _area_factor(how, size)]}
    conditions: list[Document] = [
        {"$isNumber": f"$$this.{area}"},
        {"$lt": [resized, limit]},
    ]
    if label is not None:
        conditions.append({"$eq": [CLASS_OF_THIS, label]})
    return {"$and": conditions}


def _area_factor(how: How, size: int) -> Document:
    """Returns the expression of what an area is multiplied by."""
    sides = [{"$divide": [float(size), f"$metadata.{n}"]} for n in ("width", "height")]
    if how == "stretch":
        return {"$multiply": sides}
    # The whole image fits, and its shape stays.
    return {"$multiply": [{"$min": sides}, {"$min": sides}]}
