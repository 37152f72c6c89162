"""The results of a ranking of outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone import ViewField as F

from ..documents import aggregate_documents
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
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        eval_key: str,
        labels: LabelList,
        skipped: list[dict[str, str]],
    ) -> None:
        self.dataset = dataset
        self.eval_key = eval_key
        self.skipped = skipped
        self._labels = labels

    def worst(self, number: int = 100, samples: Any = None) -> pd.DataFrame:
        """Returns the labels with the lowest scores, the worst first.

        Args:
            number: how many
            samples: a view to be restricted to; the whole dataset by default

        Returns:
            a table with ``sample_id``, ``filepath``, ``label_id``, ``label``, ``edge``,
            ``offset``, ``contrast`` and ``score``
        """
        import pandas as pd

        names = {name: f"$label.{self.eval_key}_{name}" for name in _COLUMNS}
        rows = aggregate_documents(
            self.dataset if samples is None else samples,
            [
                {"$project": {"filepath": 1, "label": self._labels.expression()}},
                {"$unwind": "$label"},
                {"$match": {f"label.{self.eval_key}_score": {"$ne": None}}},
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
                {"$limit": max(number, 1)},
            ],
        )
        columns = ["sample_id", "filepath", "label_id", "label", *_COLUMNS]
        table = pd.DataFrame(rows).rename(columns={"name": "label"})
        return table.reindex(columns=columns)

    def view(self, score: float = -3.5) -> fo.DatasetView:
        """Returns the labels below a score, the sample with the worst one first."""
        below = F(f"{self.eval_key}_score") < score
        view = self.dataset.filter_labels(self._labels.field, below)
        return view.sort_by(f"{self.eval_key}_worst")

    def summary(self) -> dict[str, Any]:
        """Returns the number of labels, and medians over all of them."""
        paths = {n: f"{self._labels.path}.{self.eval_key}_{n}" for n in _COLUMNS}
        medians = {
            f"median_{name}": self.dataset.quantiles(paths[name], 0.5)
            for name in ("edge", "offset", "contrast")
        }
        return {
            "labels": self.dataset.count(paths["score"]),
            "below_-3.5": self.view().count(self._labels.path),
            "mean_offset": self.dataset.mean(paths["offset"]),
            **medians,
            "images_skipped": len(self.skipped),
        }
