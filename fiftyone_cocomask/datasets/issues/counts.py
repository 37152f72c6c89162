"""How many mask issues there are in a view, by the tags that a search has set."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from fiftyone import ViewField as F

from ..cached_sums import KeptSums
from ..documents import Document, aggregate_documents
from ..label_lists import LabelList
from .marks import IssueMarks
from .rules import MaskIssue


def issue_counts(samples: Any, key: str) -> dict[MaskIssue, int]:
    """Counts the labels, or samples, of a view that have each issue.

    Args:
        samples: the dataset, or a view into it
        key: the key of a search, see :func:`list_mask_issues`

    Returns:
        the issues that there are, and how many labels or samples have each
    """
    dataset = samples._root_dataset
    marks, labels = _marks(dataset, key)
    tags = {marks.tag(issue): issue for issue in MaskIssue}

    def count(view: Any) -> list[Document]:
        return aggregate_documents(view, _stages(labels, list(tags)))

    rows = KeptSums(dataset, key).get("issues", samples, count)
    found = {tags[row["tag"]]: int(row["count"]) for row in rows}
    return {issue: found[issue] for issue in MaskIssue if issue in found}


def issue_view(samples: Any, key: str, issue: MaskIssue) -> fo.DatasetView:
    """Returns the samples of an issue, or the labels with their samples."""
    marks, labels = _marks(samples._root_dataset, key)
    if issue.of_sample:
        return samples.match_tags(marks.tag(issue))
    return samples.filter_labels(labels.field, F("tags").contains(marks.tag(issue)))


def _marks(dataset: fo.Dataset, key: str) -> tuple[IssueMarks, LabelList]:
    config = dataset.get_run_info(key).config
    labels = LabelList(config.label_field, config.label_path)
    return IssueMarks(dataset, key, labels), labels


def _stages(labels: LabelList, tags: list[str]) -> list[Document]:
    of_labels = f"{labels.path}.tags"
    # A list of tags for each label, in one list.
    joined = {
        "$reduce": {
            "input": {
                "$map": {
                    "input": labels.expression(),
                    "in": {"$ifNull": ["$$this.tags", []]},
                }
            },
            "initialValue": {"$ifNull": ["$tags", []]},
            "in": {"$concatArrays": ["$$value", "$$this"]},
        }
    }
    return [
        {"$match": {"$or": [{name: {"$in": tags}} for name in ("tags", of_labels)]}},
        {"$project": {"_id": 0, "tag": joined}},
        {"$unwind": "$tag"},
        {"$match": {"tag": {"$in": tags}}},
        {"$group": {"_id": "$tag", "count": {"$sum": 1}}},
        {"$project": {"_id": 0, "tag": "$_id", "count": 1}},
    ]
