"""Whether masks or labels have changed since they were evaluated.

An evaluation marks each mask with a digest of the labels and the time of its write.
A mask that is drawn again has no mark any more. A sample that nobody has written to
since is as it was; so is one that only another evaluation of the same labels has
written to. Of the others, the labels are read and compared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...fiftyone_types import SampleCollection
from ...words import count
from ..documents import MODIFIED, Document, aggregate_documents, root_dataset
from ..label_lists import LabelList
from ..masks.stored import MEASURED
from ..measuring.reading import SampleReader, labels_digest

# In the mark of a mask that was older than the labels it was measured with.
IS_OLDER = "is_older"
# What has to be told by the labels themselves.
_UNSURE = ("unsure", "older_masks")
_MAX_NAMED = 100_000


@dataclass(frozen=True, slots=True)
class OutOfDate:
    """What has changed since an evaluation.

    Attributes:
        masks: the samples whose mask was drawn, replaced or removed since
        labels: the samples whose labels were changed, added or deleted since, or whose
            images have got another size, which is that of their labels
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
            f"{what} of {count(number, 'sample')}"
            for what, number in (("masks", self.masks), ("labels", self.labels))
            if number
        ]
        return f"Out of date: the {' and the '.join(parts)} have changed since"


def changed_samples(
    samples: SampleCollection,
    mask_field: str,
    labels: LabelList | None,
    eval_key: str,
    value_path: str,
) -> Document:
    """Returns which samples' figures are out of date, or mix what is old and new.

    Args:
        samples: the samples it covers
        mask_field: the field of its masks
        labels: where its labels are, or None
        eval_key: its key
        value_path: the field of its numbers

    Returns:
        the numbers of samples whose ``masks`` and whose ``labels`` have changed since,
        and of those that were measured with ``older_masks`` than their labels; and
        the ``ids`` of all of them, None if they are more than 100,000
    """
    found = _states(samples, mask_field, eval_key, value_path)
    states = {row["_id"]: row["state"] for row in found}
    digests = {row["_id"]: row["digest"] for row in found if row["state"] in _UNSURE}
    if labels is not None and digests:
        reader = SampleReader(root_dataset(samples), mask_field, labels)
        for record in reader.read_labels(list(digests)):
            was = digests[record.sample_id]
            # Of a mark that an earlier version has set, too.
            if was not in (
                labels_digest(record),
                labels_digest(record, with_size=False),
            ):
                states[record.sample_id] = "labels"
    counts = Counter(states.values())
    named = ("masks", "labels", "older_masks")
    ids = [str(i) for i, state in states.items() if state in named]
    return {
        **{name: counts[name] for name in named},
        "ids": ids if len(ids) <= _MAX_NAMED else None,
    }


def _states(
    samples: SampleCollection, mask_field: str, eval_key: str, value_path: str
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
    is_older = {"$eq": [f"{mark}.{IS_OLDER}", True]}
    state = {
        "$switch": {
            "branches": [
                {"case": {"$not": has_mask}, "then": lost_mask},
                {"case": {"$not": is_marked}, "then": "masks"},
                {"case": is_older, "then": "older_masks"},
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
