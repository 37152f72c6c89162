"""How often a search has marked each class and each split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ...fiftyone_types import SampleCollection
from ..documents import aggregate_documents
from ..label_lists import LabelList, with_all_labels
from ..split_names import split_expression, split_rank

Rows = list[dict[str, Any]]


def marks_by_class(
    samples: SampleCollection, key: str, lists: Sequence[LabelList]
) -> tuple[Rows, Rows]:
    """Returns how many labels have each issue, by class and by split of the samples.

    Args:
        samples: the samples that were searched, all labels of each
        key: the key of the search
        lists: where labels are that it marks

    Returns:
        a row for each ``class``, and one for each ``split``, with the number of labels
        of each issue
    """
    prefix = f"{key}:"
    is_mark = {"tag": {"$regex": f"^{re.escape(prefix)}"}}
    group = {
        "_id": {"label": "$label.label", "split": "$split", "tag": "$tag"},
        "number": {"$sum": 1},
    }
    labels = {"$concatArrays": [labels.expression() for labels in lists]}
    found = aggregate_documents(
        with_all_labels(samples),
        [
            {"$project": {"label": labels, "split": split_expression(samples)}},
            {"$unwind": "$label"},
            {"$set": {"tag": "$label.tags"}},
            {"$unwind": "$tag"},
            {"$match": is_mark},
            {"$group": group},
        ],
    )
    by_class: dict[str, dict[str, int]] = {}
    by_split: dict[str, dict[str, int]] = {}
    for row in found:
        issue = row["_id"]["tag"].removeprefix(prefix)
        for rows, name in (
            (by_class, row["_id"].get("label") or ""),
            (by_split, row["_id"]["split"]),
        ):
            counts = rows.setdefault(name, {})
            counts[issue] = counts.get(issue, 0) + row["number"]
    return (
        [{"class": name, **by_class[name]} for name in sorted(by_class)],
        [{"split": n, **by_split[n]} for n in sorted(by_split, key=split_rank)],
    )
