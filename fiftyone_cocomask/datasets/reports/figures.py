"""The tables of a report that say where classes lie, how large they are, and more."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ...fiftyone_types import SampleCollection
from ...reporting.page import Table
from ..evaluations.results import MaskEvaluation
from ..figures.resized import LIMITS
from .texts import table_of

_FEW = ("split", "reference", "class", "figure", "distance", "adjusted_p_value")


def figure_tables(
    evaluation: MaskEvaluation, samples: SampleCollection, *, is_first: bool
) -> list[Table]:
    """Returns the tables of an evaluation's figures that are not charts.

    Args:
        evaluation: the evaluation
        samples: the dataset or view
        is_first: whether no other one of its fields comes before it in the report
    """
    found = []
    if is_first:
        centres = evaluation.mask_centres(samples)
        title = "Centre and spread, as shares of the width and height"
        found.append(table_of(centres, title))
    if is_first and evaluation.label_field is not None:
        shapes = evaluation.object_shapes(samples)
        found.append(table_of(shapes, "Sizes and shapes of the objects"))
    made = evaluation.figure_tables()
    if "resized_objects" in made:
        resized = _by_size(made["resized_objects"](samples))
        found.append(table_of(resized, "Small objects, once images are resized"))
    drift = evaluation.split_drift(samples)
    if len(drift):
        tested = drift[drift["alike"].notna()].sort_values("adjusted_p_value")
        title = "Splits compared, what differs most first"
        found.append(table_of(tested[list(_FEW)], title))
    return [table for table in found if table.rows]


def _by_size(resized: pd.DataFrame) -> pd.DataFrame:
    """Returns the numbers of small objects, those of each size in a column."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in resized.to_dict("records"):
        key = tuple(each[name] for name in ("class", "how", "objects"))
        row = rows.setdefault(
            key, dict(zip(("class", "how", "objects"), key, strict=True))
        )
        for limit in LIMITS:
            row[f"below {limit} px at {each['size']}"] = each[f"below_{limit}_px"]
    return pd.DataFrame(rows.values())
