"""How many mask issues there are in a view, by the tags that a search has set."""

from __future__ import annotations

import fiftyone as fo
from fiftyone import ViewField as F

from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import Document, aggregate_documents, root_dataset
from ..label_lists import LabelList
from .rules import MaskIssue
from .searches import search_marks


def issue_counts(samples: SampleCollection, key: str) -> dict[MaskIssue, int]:
    """Counts the labels, or samples, of a view that have each issue.

    Args:
        samples: the dataset, or a view into it
        key: the key of a search, see :func:`list_mask_issues`

    Returns:
        the issues that there are, and how many labels or samples have each
    """
    dataset = root_dataset(samples)
    marks = search_marks(dataset, key)
    lists = {marks.list_of(issue).path: marks.list_of(issue) for issue in MaskIssue}
    tags = {marks.tag(issue): issue for issue in MaskIssue}

    def count(view: SampleCollection) -> list[Document]:
        return aggregate_documents(view, _stages(list(lists.values()), list(tags)))

    rows = KeptSums(dataset, key).get("issues", samples, count)
    # Sums that an earlier version kept may have issues that are gone.
    found = {tags[r["tag"]]: int(r["count"]) for r in rows if r["tag"] in tags}
    return {issue: found[issue] for issue in MaskIssue if issue in found}


def issue_view(samples: SampleCollection, key: str, issue: MaskIssue) -> fo.DatasetView:
    """Returns the samples of an issue, or the labels with their samples."""
    marks = search_marks(root_dataset(samples), key)
    if issue.of_sample:
        return samples.match_tags(marks.tag(issue))
    tagged = F("tags").contains(marks.tag(issue))
    return samples.filter_labels(marks.list_of(issue).field, tagged)


def issue_field(samples: SampleCollection, key: str, issue: MaskIssue) -> str | None:
    """Returns the field of an issue's labels, as patches are made of; None if none.

    Patches are of lists of labels.
    """
    if issue.of_sample:
        return None
    labels = search_marks(root_dataset(samples), key).list_of(issue)
    return labels.field if labels.is_list else None


def _stages(lists: list[LabelList], tags: list[str]) -> list[Document]:
    paths = ["tags", *(f"{labels.path}.tags" for labels in lists)]
    # A list of tags for each label, in one list.
    joined = {
        "$reduce": {
            "input": {
                "$map": {
                    "input": {
                        "$concatArrays": [labels.expression() for labels in lists]
                    },
                    "in": {"$ifNull": ["$$this.tags", []]},
                }
            },
            "initialValue": {"$ifNull": ["$tags", []]},
            "in": {"$concatArrays": ["$$value", "$$this"]},
        }
    }
    return [
        {"$match": {"$or": [{name: {"$in": tags}} for name in paths]}},
        {"$project": {"_id": 0, "tag": joined}},
        {"$unwind": "$tag"},
        {"$match": {"tag": {"$in": tags}}},
        {"$group": {"_id": "$tag", "count": {"$sum": 1}}},
        {"$project": {"_id": 0, "tag": "$_id", "count": 1}},
    ]
