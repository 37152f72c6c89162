"""Whether masks or labels have changed since they were evaluated.

An evaluation marks each mask with a digest of the labels and the time of its write.
A mask that is drawn again has no mark any more. A sample that nobody has written to
since is as it was; so is one that only another evaluation of the same labels has
written to. Of the others, the labels are read and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from ..documents import MODIFIED, Document, aggregate_documents, root_dataset
from ..label_lists import LabelList
from ..masks.stored import MEASURED
from ..measuring.reading import SampleReader, labels_digest


@dataclass(frozen=True, slots=True)
class OutOfDate:
    """What has changed since an evaluation.

    Attributes:
        masks: the samples whose mask was drawn, replaced or removed since
        labels: the samples whose labels were changed, added or deleted since
    """

    masks: int
    labels: int

    @property
    def samples(self) -> int:
        """The samples whose figures are out of date."""
        return self.masks + self.labels

    def __str__(self) -> str:
        """Says it in a sentence."""
        parts = [
            f"{what} of {number:,} {'sample' if number == 1 else 'samples'}"
            for what, number in (("masks", self.masks), ("labels", self.labels))
            if number
        ]
        return f"Out of date: the {' and the '.join(parts)} have changed since"


def count_changed(
    samples: Any,
    mask_field: str,
    labels: LabelList | None,
    eval_key: str,
    value_path: str,
) -> Document:
    """Returns how many samples' masks and labels have changed since an evaluation.

    Args:
        samples: the samples it covers
        mask_field: the field of its masks
        labels: where its labels are, or None
        eval_key: its key
        value_path: the field of its numbers
    """
    states = _states(samples, mask_field, eval_key, value_path)
    unsure: dict[ObjectId, str] = {}
    masks = 0
    for row in states:
        if row["state"] == "masks":
            masks += 1
        elif labels is not None:
            unsure[row["_id"]] = row["digest"]
    changed = 0
    if labels is not None and unsure:
        reader = SampleReader(root_dataset(samples), None, labels)
        changed = sum(
            labels_digest(record) != unsure[record.sample_id]
            for records in reader.read(list(unsure))
            for record in records
        )
    return {"masks": masks, "labels": changed}


def _states(
    samples: Any, mask_field: str, eval_key: str, value_path: str
) -> list[Document]:
    """Returns the samples that may be out of date."""
    mask, mark = f"${mask_field}", f"${mask_field}.{MEASURED}.{eval_key}"
    marks = {"$objectToArray": {"$ifNull": [f"{mask}.{MEASURED}", {}]}}
    is_last = {
        "$and": [
            {"$eq": ["$$this.v.digest", f"{mark}.digest"]},
            {"$eq": ["$$this.v.at", f"${MODIFIED}"]},
        ]
    }
    is_as_it_was = {
        "$anyElementTrue": {"$map": {"input": marks, "in": is_last}},
    }
    has_mask = {"$eq": [{"$type": mask}, "object"]}
    lost_mask = {"$cond": [{"$isNumber": f"${value_path}"}, "masks", "fine"]}
    is_marked = {"$eq": [{"$type": mark}, "object"]}
    state = {
        "$switch": {
            "branches": [
                {"case": {"$not": has_mask}, "then": lost_mask},
                {"case": {"$not": is_marked}, "then": "masks"},
                {"case": is_as_it_was, "then": "fine"},
            ],
            "default": "unsure",
        }
    }
    return aggregate_documents(
        samples,
        [
            {"$project": {"state": state, "digest": f"{mark}.digest"}},
            {"$match": {"state": {"$ne": "fine"}}},
        ],
    )
