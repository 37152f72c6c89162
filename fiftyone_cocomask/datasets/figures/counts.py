"""How many objects an image has."""

from __future__ import annotations

from ...fiftyone_types import SampleCollection
from ..documents import Document, aggregate_documents
from ..label_lists import LabelList
from ..measuring.measure import CLASS_OF_THIS

# How tables call all classes together.
ALL_CLASSES = "(all)"


def images_by_objects(
    samples: SampleCollection, labels: LabelList, value_path: str
) -> list[Document]:
    """Returns how many samples have how many objects, of each class and of all.

    Args:
        samples: the dataset or view
        labels: where the labels are
        value_path: the field that samples must have a number in, to count

    Returns:
        rows of ``class``, ``objects`` and ``images``, sorted, all classes first
    """
    evaluated: Document = {"$match": {"$expr": {"$isNumber": f"${value_path}"}}}
    classes = {
        "$map": {
            "input": labels.expression(),
            "in": CLASS_OF_THIS,
        }
    }
    of_all = {
        "_id": {"$size": labels.expression()},
        "images": {"$sum": 1},
    }
    rows = aggregate_documents(samples, [evaluated, {"$group": of_all}])
    found = [_row(ALL_CLASSES, row["_id"], row["images"]) for row in rows]
    total = sum(row["images"] for row in rows)
    by_sample = {"_id": {"sample": "$_id", "class": "$classes"}, "n": {"$sum": 1}}
    by_number = {"_id": {"class": "$_id.class", "n": "$n"}, "images": {"$sum": 1}}
    rows = aggregate_documents(
        samples,
        [
            evaluated,
            {"$project": {"classes": classes}},
            {"$unwind": "$classes"},
            {"$group": by_sample},
            {"$group": by_number},
        ],
    )
    having: dict[str, int] = {}
    for row in rows:
        name = row["_id"]["class"]
        having[name] = having.get(name, 0) + row["images"]
        found.append(_row(name, row["_id"]["n"], row["images"]))
    found += [
        _row(n, 0, total - images) for n, images in having.items() if images < total
    ]
    return sorted(
        found, key=lambda r: (r["class"] != ALL_CLASSES, r["class"], r["objects"])
    )


def _row(name: str, objects: int, images: int) -> Document:
    return {"class": name, "objects": objects, "images": images}


def has_objects(labels: LabelList, objects: int, label: str | None) -> Document:
    """Returns the condition of samples with so many objects.

    Args:
        labels: where the labels are
        objects: their number
        label: the class that counts, as tables call it; None for all
    """
    of_class = labels.expression()
    if label is not None:
        # Not as it is: MongoDB takes "$cat" for a field.
        is_class = {"$eq": [CLASS_OF_THIS, {"$literal": label}]}
        of_class = {"$filter": {"input": of_class, "cond": is_class}}
    return {"$expr": {"$eq": [{"$size": of_class}, objects]}}
