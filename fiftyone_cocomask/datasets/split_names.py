"""Which split a sample is in."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ..fiftyone_types import SampleCollection
from .documents import Document, aggregate_documents

NO_SPLIT = "(no split)"
# Where there is no field `split`, the first of these among a sample's tags is it.
SPLIT_TAGS = ("train", "valid", "val", "validation", "test")


def split_paths(samples: SampleCollection) -> list[str]:
    """Returns the field that names a sample's split: ``split``, else ``tags``."""
    is_field = isinstance(samples.get_field("split"), fo.StringField)
    return ["split"] if is_field else ["tags"]


def split_expression(samples: SampleCollection) -> Document:
    """Returns the expression of a sample's split, :data:`NO_SPLIT` if it has none."""
    if split_paths(samples) == ["split"]:
        split: Any = "$split"
    else:
        tags = {
            "$filter": {
                "input": {"$ifNull": ["$tags", []]},
                "cond": {"$in": ["$$this", list(SPLIT_TAGS)]},
            }
        }
        split = {"$first": tags}
    return {"$ifNull": [split, NO_SPLIT]}


def split_of(document: Document) -> str:
    """Returns the split of a document that was read with :func:`split_paths`."""
    if "split" in document or "tags" not in document:
        split = document.get("split")
    else:
        split = next((tag for tag in document["tags"] if tag in SPLIT_TAGS), None)
    return NO_SPLIT if split is None else split


def split_rank(split: str | None) -> tuple[int, str]:
    """Returns what sorts splits: train, valid, test, then others by name."""
    known = SPLIT_TAGS.index(split) if split in SPLIT_TAGS else len(SPLIT_TAGS)
    return known, split or ""


def count_splits(samples: SampleCollection) -> dict[str, int]:
    """Returns the number of samples of each split that there is, in their order."""
    stages = [{"$group": {"_id": split_expression(samples), "samples": {"$sum": 1}}}]
    found = {row["_id"]: row["samples"] for row in aggregate_documents(samples, stages)}
    return {name: found[name] for name in sorted(found, key=split_rank)}
