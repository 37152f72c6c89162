"""What a person is to look at next, by issue or by rank, and what is checked.

A label, or a sample that has an issue itself, is done once it has the tag ``checked``:
no later search finds anything about it, and no list shows it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from ..geometry.outlines import object_rings
from .documents import (
    Document,
    aggregate_documents,
    all_images,
    read_documents,
    root_dataset,
)
from .inspection.crops import as_url, outline_crop, side_by_side, whole_image
from .issues.counts import issue_counts
from .issues.following import follow_edits
from .issues.rules import CHECKED, MaskIssue
from .issues.searches import issue_search_of, list_mask_issues
from .labels import mask_objects
from .outlines.rank import list_outline_rankings, load_outline_ranking
from .redoing import Redone, redo_samples
from .split_names import split_expression

# The most crops that a strip has side by side.
STRIP_COLUMNS = 4

_CROP_SIDE = 112


@dataclass(frozen=True, slots=True)
class Queue:
    """A list of labels to look at.

    Attributes:
        key: the key of a search for mask issues, or of a ranking of outlines
        issue: the issue, or None of a ranking
    """

    key: str
    issue: str | None = None

    @property
    def name(self) -> str:
        """What it is chosen by."""
        return f"{self.key}:{self.issue}" if self.issue else self.key


@dataclass(frozen=True, slots=True)
class LabelToReview:
    """A label to look at, or a sample.

    Attributes:
        sample_id: its sample
        filepath: its image
        label_field: its field; None for a sample
        label_id: its id; None for a sample
        label: its class, or None
        score: how well its outline lies, in a ranking; else None
        split: the split of a sample, which tells the two of a leak apart; else None
    """

    sample_id: str
    filepath: str
    label_field: str | None = None
    label_id: str | None = None
    label: str | None = None
    score: float | None = None
    split: str | None = None

    @property
    def id(self) -> str:
        """What tells it from others of its list."""
        return self.label_id or self.sample_id

    def to_dict(self) -> Document:
        """Returns it as JSON holds it."""
        return {**asdict(self), "id": self.id}


def queues(samples: SampleCollection) -> dict[str, tuple[Queue, int | None]]:
    """Returns the lists that there are, by name, with what is in each.

    Rankings come last; they are of all labels, and have no number.
    """
    found: dict[str, tuple[Queue, int | None]] = {}
    for key in list_mask_issues(samples):
        for issue, number in issue_counts(samples, key).items():
            queue = Queue(key, issue.value)
            found[queue.name] = (queue, number)
    for key in list_outline_rankings(samples):
        # Not those that were stopped, or whose fields are gone.
        with suppress(CocoMaskError):
            load_outline_ranking(samples, key)
            found[key] = (Queue(key), None)
    return found


def labels_to_review(
    samples: SampleCollection, queue: Queue, number: int = 8
) -> list[LabelToReview]:
    """Returns the first labels, or samples, of a list that nobody has checked yet."""
    if queue.issue is None:
        ranking = load_outline_ranking(root_dataset(samples), queue.key)
        field = ranking.label_field
        rows = ranking.worst(number, samples, unchecked=True).to_dict("records")
        return [
            LabelToReview(
                row["sample_id"],
                row["filepath"],
                field,
                row["label_id"],
                row["label"],
                row["score"],
            )
            for row in rows
        ]
    marks = issue_search_of(root_dataset(samples), queue.key)[0]
    issue = MaskIssue(queue.issue)
    labels, tag = marks.list_of(issue), marks.tag(issue)
    if issue.of_sample:
        stages: list[Document] = [
            {"$match": {"tags": {"$eq": tag, "$ne": CHECKED}}},
            {"$limit": number},
            {"$project": {"filepath": 1, "split": split_expression(samples)}},
        ]
        return [
            LabelToReview(str(row["_id"]), row["filepath"], split=row["split"])
            for row in aggregate_documents(samples, stages)
        ]
    found = aggregate_documents(
        samples,
        [
            {"$match": {f"{labels.path}.tags": tag}},
            {"$project": {"filepath": 1, "label": labels.expression()}},
            {"$unwind": "$label"},
            {"$match": {"label.tags": {"$eq": tag, "$ne": CHECKED}}},
            {"$limit": number},
            {"$project": {"filepath": 1, "id": "$label._id", "name": "$label.label"}},
        ],
    )
    return [
        LabelToReview(
            str(row["_id"]),
            row["filepath"],
            labels.field,
            str(row["id"]),
            row.get("name"),
        )
        for row in found
    ]


def mark_checked(
    samples: SampleCollection,
    queue: Queue,
    sample_id: str,
    label_field: str | None = None,
    label_id: str | None = None,
) -> Redone:
    """Tags a label as checked, and brings masks, figures and tags of its sample up.

    Without a label, the sample is tagged.

    A label that a person has deleted needs no tag: its sample is brought up to date.

    Args:
        samples: the dataset, or a view into it
        queue: the list in which it was
        sample_id: its sample
        label_field: its field
        label_id: its id
    """
    dataset = root_dataset(samples)
    sample = all_images(dataset).select([sample_id])
    if label_id is None:
        sample.tag_samples(CHECKED)
    else:
        label = sample.select_labels(ids=[label_id], fields=label_field)
        label.tag_labels(CHECKED, label_field)
    redone = redo_samples(dataset, [sample_id], _searched_field(dataset, queue))
    for key in redone.searches:
        follow_edits(dataset, key, [sample_id])
    return redone


def strip(dataset: fo.Dataset, labels: Sequence[LabelToReview]) -> str | None:
    """Returns one picture of labels, each with its outline, as a ``data:`` URL.

    None if none of them can be shown.
    """
    crops = []
    for label in labels:
        if label.label_id is None:
            with suppress(CocoMaskError):
                crops.append(whole_image(label.filepath, _CROP_SIDE))
    for path, rings in _outlines(dataset, labels):
        # A picture less is better than none.
        with suppress(CocoMaskError):
            crops.append(outline_crop(path, rings, rings, _CROP_SIDE))
    columns = min(STRIP_COLUMNS, len(labels))
    return as_url(side_by_side(crops, columns)) if crops else None


def _outlines(
    dataset: fo.Dataset, labels: Sequence[LabelToReview]
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Yields the image and the outline of each label that has one."""
    labels = [label for label in labels if label.label_id is not None]
    fields = sorted({label.label_field for label in labels if label.label_field})
    ids = list({ObjectId(label.sample_id) for label in labels})
    paths = ["metadata.width", "metadata.height", *fields]
    documents = {str(d["_id"]): d for d in read_documents(dataset, ids, paths)}
    for label in labels:
        document = documents.get(label.sample_id, {})
        size = document.get("metadata") or {}
        width, height = size.get("width"), size.get("height")
        if not width or not height:
            continue
        value = document.get(label.label_field or "")
        for item in mask_objects(value, width, height, boxes=True):
            if str(item.label_id) == label.label_id:
                rings = object_rings(item.geometry)
                yield label.filepath, [ring / (width, height) for ring in rings]


def _searched_field(dataset: fo.Dataset, queue: Queue) -> str:
    """Returns the field whose labels a search or a ranking is of."""
    config: Any = dataset.get_run_info(queue.key).config
    field: str = config.label_field
    return field
