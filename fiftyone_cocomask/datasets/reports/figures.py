"""The tables of a report that say where classes lie, how large they are, and more."""

from __future__ import annotations

from ...fiftyone_types import SampleCollection
from ...reporting.page import Table
from ..evaluations.area_results import AreaResults
from ..evaluations.results import MaskEvaluation
from .texts import table_of

_FEW = ("split", "reference", "class", "figure", "distance", "adjusted_p_value")


def figure_tables(evaluation: MaskEvaluation, samples: SampleCollection) -> list[Table]:
    """Returns the tables of an evaluation's figures that are not charts.

    Args:
        evaluation: the evaluation
        samples: the dataset or view
    """
    centres = evaluation.mask_centres(samples)
    found = [
        table_of(centres, "Centre and spread, as shares of the width and height"),
    ]
    if evaluation.label_field is not None:
        shapes = evaluation.object_shapes(samples)
        found.append(table_of(shapes, "Sizes and shapes of the objects"))
    if isinstance(evaluation, AreaResults) and evaluation.label_field is not None:
        resized = evaluation.resized_objects(samples)
        found.append(table_of(resized, "Small objects, once images are resized"))
    drift = evaluation.split_drift(samples)
    if len(drift):
        tested = drift[drift["alike"].notna()].sort_values("adjusted_p_value")
        title = "Splits compared, what differs most first"
        found.append(table_of(tested[list(_FEW)], title))
    return [table for table in found if table.rows]
