"""The results of a ranking of outlines."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np
from fiftyone import ViewField as F

from ...fiftyone_types import SampleCollection
from ..documents import (
    Document,
    aggregate_documents,
    all_images,
    stream_documents,
    whole_samples,
)
from ..issues.rules import CHECKED
from ..label_lists import LabelList

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("edge", "offset", "contrast", "score")


class OutlineRanking:
    """Labels by how well their outlines lie on edges: a ranking, and no verdict.

    Args:
        dataset: the dataset
        eval_key: the key of the ranking
        labels: where the labels are
        skipped: the samples that could not be looked at, as ``{"sample_id",
            "filepath", "reason"}``; at most 1,000
        num_skipped: how many there are
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        eval_key: str,
        labels: LabelList,
        skipped: list[dict[str, str]],
        num_skipped: int,
    ) -> None:
        self.dataset = dataset
        self.eval_key = eval_key
        self.skipped = skipped
        self.num_skipped = num_skipped
        self._labels = labels

    @property
    def label_field(self) -> str:
        """The field of the labels."""
        return self._labels.field

    def worst(
        self,
        number: int = 100,
        samples: SampleCollection | None = None,
        *,
        unchecked: bool = False,
    ) -> pd.DataFrame:
        """Returns the labels with the lowest scores, the worst first.

        Args:
            number: how many
            samples: a view to be restricted to; the whole dataset by default
            unchecked: whether to leave out labels with the tag ``checked``

        Returns:
            a table with ``sample_id``, ``filepath``, ``label_id``, ``label``, ``edge``,
            ``offset``, ``contrast`` and ``score``
        """
        import pandas as pd

        number = max(number, 1)
        some = number
        while True:
            rows, last = self._worst_of(some, number, samples, unchecked)
            # All labels that are worse are of the samples that were looked at.
            if last is None or (len(rows) == number and rows[-1]["score"] <= last):
                break
            some *= 4
        columns = ["sample_id", "filepath", "label_id", "label", *_COLUMNS]
        table = pd.DataFrame(rows).rename(columns={"name": "label"})
        return table.reindex(columns=columns)

    def _worst_of(
        self, some: int, number: int, samples: SampleCollection, unchecked: bool
    ) -> tuple[list[Document], float | None]:
        """Returns the worst labels of the samples with the lowest scores.

        Returns:
            the labels, and the score that those of all other samples have at least;
            None if there are no others
        """
        samples = self._samples if samples is None else whole_samples(samples)
        names = {name: f"$label.{self.eval_key}_{name}" for name in _COLUMNS}
        worst = f"{self.eval_key}_worst"
        first: list[Document] = [
            {"$match": {worst: {"$ne": None}}},
            {"$sort": {worst: 1, "_id": 1}},
        ]
        wanted: Document = {f"label.{self.eval_key}_score": {"$ne": None}}
        if unchecked:
            wanted["label.tags"] = {"$ne": CHECKED}
        rows = aggregate_documents(
            samples,
            [
                *first,
                {"$limit": some},
                {"$project": {"filepath": 1, "label": self._labels.expression()}},
                {"$unwind": "$label"},
                {"$match": wanted},
                {
                    "$project": {
                        "sample_id": {"$toString": "$_id"},
                        "filepath": 1,
                        "label_id": {"$toString": "$label._id"},
                        "name": "$label.label",
                        **names,
                    }
                },
                {"$sort": {"score": 1, "label_id": 1}},
                {"$limit": number},
            ],
        )
        project = {"$project": {"_id": 0, "worst": f"${worst}"}}
        others = aggregate_documents(
            samples, [*first, {"$skip": some}, {"$limit": 1}, project]
        )
        return rows, others[0]["worst"] if others else None

    def view(self, score: float = -3.5) -> fo.DatasetView:
        """Returns the labels below a score, the sample with the worst one first."""
        own = F(f"{self.eval_key}_score")
        # MongoDB has no value below all numbers.
        below = own.is_number() & (own < score)
        view = self._samples.filter_labels(self._labels.field, below)
        return view.sort_by(f"{self.eval_key}_worst")

    def per_class(self) -> pd.DataFrame:
        """Returns the number of ranked labels of each class, and their scores."""
        import pandas as pd

        score = f"label.{self.eval_key}_score"
        group = {
            "_id": "$label.label",
            "labels": {"$sum": 1},
            "mean_score": {"$avg": f"${score}"},
            "lowest_score": {"$min": f"${score}"},
        }
        found = aggregate_documents(
            self._samples,
            [
                {"$project": {"label": self._labels.expression()}},
                {"$unwind": "$label"},
                {"$match": {score: {"$ne": None}}},
                {"$group": group},
                {"$sort": {"_id": 1}},
            ],
        )
        rows = [{"class": row.pop("_id"), **row} for row in found]
        return pd.DataFrame(rows, columns=["class", *list(group)[1:]])

    def summary(self) -> dict[str, Any]:
        """Returns the number of labels, and medians over all of them."""
        numbers = self._numbers()
        medians = {
            f"median_{name}": float(np.median(numbers[name])) if numbers[name] else None
            for name in ("edge", "offset", "contrast")
        }
        offsets = numbers["offset"]
        return {
            "labels": len(numbers["score"]),
            "below_-3.5": self.view().count(self._labels.path),
            "mean_offset": float(np.mean(offsets)) if offsets else None,
            **medians,
            "images_skipped": self.num_skipped,
        }

    @property
    def _samples(self) -> SampleCollection:
        """The dataset, of groups all slices: any may have been ranked."""
        return all_images(self.dataset)

    def _numbers(self) -> dict[str, array[float]]:
        """Returns what was measured, not the labels of which nothing was."""
        names = {name: f"{self.eval_key}_{name}" for name in _COLUMNS}
        paths = [f"{self._labels.path}.{name}" for name in names.values()]
        found = {name: array("d") for name in names}
        for documents in stream_documents(self._samples, paths, batch_size=2000):
            for document in documents:
                for label in self._labels.documents(document):
                    for name, attribute in names.items():
                        if label.get(attribute) is not None:
                            found[name].append(label[attribute])
        return found
