"""The samples at one end of a ranking, ranked by MongoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import Document, aggregate_documents, root_dataset
from ..split_names import split_expression
from .stated_areas import ATTRIBUTE

if TYPE_CHECKING:
    from .results import MaskEvaluation


# Of a source with more samples, as of a film, so many are named.
_MAX_COPIES = 100


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of samples.

    Attributes:
        name: how the ranking is called in code
        label: how it is called for a person
        column: what each sample's number is
        expression: MongoDB's expression of that number
        ascending: whether the least number comes first; else samples of 0 are left out
        is_share: whether the numbers are shares, 0..1, and not pixels
        other: the key of another evaluation that the number rests on as well
    """

    name: str
    label: str
    column: str
    expression: Any
    ascending: bool = False
    is_share: bool = False
    other: str | None = None


@dataclass(frozen=True, slots=True)
class RankedSample:
    """A sample of a ranking, the first of its source.

    Attributes:
        sample_id: its id
        filepath: its image
        split: its split
        number: its number
        copies: the ids of the source's other samples in the ranking, in its order
    """

    sample_id: str
    filepath: str
    split: str
    number: float
    copies: tuple[str, ...] = ()


def rankings(
    evaluation: MaskEvaluation,
    other: MaskEvaluation | None = None,
    *,
    has_stated: bool = True,
) -> list[Ranking]:
    """Returns the rankings that there are of an evaluation's samples.

    Args:
        evaluation: the evaluation
        other: one that it is compared with
        has_stated: whether there are labels that state an area
    """
    found = []
    is_share = evaluation.is_share
    value = f"${evaluation.value_path}"
    if type(other) is type(evaluation):
        difference = {"$abs": {"$subtract": [value, f"${other.value_path}"]}}
        found.append(
            Ranking(
                "change",
                f"Differs most from {other.key}",
                "Difference" if is_share else "Difference px",
                difference,
                is_share=is_share,
                other=other.key,
            )
        )
    found += _label_rankings(evaluation, has_stated=has_stated)
    if evaluation.overlap_path is not None:
        overlap = f"${evaluation.overlap_path}"
        found.append(
            Ranking("overlap", "Most overlap", "Overlap", overlap, is_share=True)
        )
    noun = evaluation.kind
    column = "Coverage" if is_share else "Area px"
    for name, label, ascending in (
        ("least", f"Smallest {noun}", True),
        ("most", f"Largest {noun}", False),
    ):
        found.append(Ranking(name, label, column, value, ascending, is_share))
    return found


def ranked_samples(
    evaluation: MaskEvaluation,
    ranking: Ranking,
    samples: SampleCollection,
    *,
    number: int = 10,
) -> list[RankedSample]:
    """Returns the first samples of a ranking, one of each source.

    Args:
        evaluation: the evaluation
        ranking: one of its :func:`rankings`
        samples: the dataset, or a view into it
        number: how many samples there may be
    """

    def rank(view: SampleCollection) -> list[Document]:
        return aggregate_documents(view, _stages(ranking, view, number))

    dataset = root_dataset(evaluation.samples)
    name = f"first {number} sources of {ranking.label}"
    if ranking.other is not None:
        # It may have been evaluated again.
        name += f", {dataset.get_run_info(ranking.other).timestamp.isoformat()}"
    rows = KeptSums(dataset, evaluation.key).get(name, samples, rank)
    return [
        RankedSample(
            row["ids"][0],
            row["filepath"],
            str(row["split"]),
            row["number"],
            tuple(row["ids"][1:]),
        )
        for row in rows
    ]


def first_ranking(
    evaluation: MaskEvaluation, found: list[Ranking], samples: SampleCollection
) -> Ranking:
    """Returns the first ranking that has samples; the last one if none has.

    Args:
        evaluation: the evaluation
        found: its :func:`rankings`
        samples: the dataset, or a view into it
    """
    for ranking in found[:-1]:
        if ranked_samples(evaluation, ranking, samples):
            return ranking
    return found[-1]


def _stages(ranking: Ranking, view: SampleCollection, number: int) -> list[Document]:
    least = {"$gte": 0} if ranking.ascending else {"$gt": 0}
    order = {"number": 1 if ranking.ascending else -1, "_id": 1}
    # An image whose name says nothing of a source has its own name as one.
    is_copy = {"$ne": ["$source_name", "$file_name"]}
    source = {"$ifNull": [{"$cond": [is_copy, "$source_name", None]}, "$_id"]}
    return [
        {
            "$project": {
                "filepath": 1,
                "split": split_expression(view),
                "number": ranking.expression,
                "source": source,
            }
        },
        {"$match": {"number": least}},
        {"$sort": order},
        {
            "$group": {
                "_id": "$source",
                "first": {"$first": "$$ROOT"},
                "ids": {"$push": {"$toString": "$_id"}},
            }
        },
        {"$replaceWith": {"$mergeObjects": ["$first", {"ids": "$ids"}]}},
        {"$sort": order},
        {"$limit": number},
        {"$set": {"ids": {"$slice": ["$ids", _MAX_COPIES]}}},
        {"$unset": ["_id", "source"]},
    ]


def _label_rankings(evaluation: MaskEvaluation, *, has_stated: bool) -> list[Ranking]:
    """Returns the rankings by what all labels of a sample add up to."""
    path = evaluation.label_value_path
    if path is None:
        return []
    root, key = path.rpartition(".")[0], evaluation.key
    found = []
    if has_stated:
        off = {
            "$abs": {"$subtract": [f"$$this.{ATTRIBUTE}", f"$$this.{key}_px"]},
        }
        found.append(
            Ranking(
                "stated", "Stated areas differ most", "Difference px", _sum(root, off)
            )
        )
    hidden = {"$subtract": [f"$$this.{key}_px", f"$$this.{key}_visible_px"]}
    found.append(
        Ranking(
            "hidden", "Most hidden by other objects", "Hidden px", _sum(root, hidden)
        )
    )
    return found


def _sum(path: str, of_label: Document) -> Document:
    """Returns the expression of a sum over a sample's labels."""
    labels = f"${path}"
    as_list = {"$cond": [{"$isArray": labels}, labels, [labels]]}
    return {"$sum": {"$map": {"input": as_list, "in": of_label}}}
