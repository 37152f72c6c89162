"""Tables of evaluations as CSV files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...unfinished import whole_file

if TYPE_CHECKING:
    import pandas as pd

    from .results import MaskEvaluation

# Tables of many rows are made and written in parts of so many samples.
_BATCH_SIZE = 2000


def table_names(evaluation: MaskEvaluation) -> list[str]:
    """Returns the tables that there are: samples, classes, splits, and objects."""
    objects = ["objects"] if evaluation.label_value_path is not None else []
    return ["samples", "classes", "splits", *objects]


def write_table(
    evaluation: MaskEvaluation,
    table: str,
    path: str | Path,
    samples: SampleCollection | None = None,
) -> int:
    """Writes a table of an evaluation as a CSV file.

    Args:
        evaluation: the evaluation
        table: one of :func:`table_names`
        path: the file; a present one is replaced
        samples: a view to restrict it to

    Returns:
        the number of rows

    Raises:
        CocoMaskError: if there is no such table
    """
    known = table_names(evaluation)
    if table not in known:
        raise CocoMaskError(
            f"Evaluation '{evaluation.key}' has no table '{table}' (it has "
            f"{', '.join(known)})"
        )
    view = evaluation.samples if samples is None else samples
    number = 0
    with whole_file(path) as file:
        for part, rows in enumerate(_parts(evaluation, table, view)):
            _whole_pixels(rows).to_csv(file, index=False, header=part == 0)
            number += len(rows)
    return number


def _parts(
    evaluation: MaskEvaluation, table: str, view: SampleCollection
) -> Iterator[pd.DataFrame]:
    """Yields the rows in parts, at least one of them."""
    if table == "classes":
        yield evaluation.per_class(view, by_split=True)
        return
    if table == "splits":
        yield evaluation.per_split(view)
        return
    per: Callable[[SampleCollection], pd.DataFrame] = evaluation.per_sample
    if table == "objects":
        per = evaluation.per_object  # type: ignore[attr-defined]
    ids = view.values("id")
    for first in range(0, max(len(ids), 1), _BATCH_SIZE):
        yield per(view.select(ids[first : first + _BATCH_SIZE]))


def _whole_pixels(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with whole numbers of pixels also where some are missing."""
    pixels = [name for name in rows.columns if name.endswith("_px")]
    return rows.astype(dict.fromkeys(pixels, "Int64"))
