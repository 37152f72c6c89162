"""Tables of evaluations as CSV files."""

from __future__ import annotations

from collections.abc import Iterator
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
# Those that sum over the samples, and so have few rows.
_OF_SUMS = ("classes", "splits")


def write_table(
    evaluation: MaskEvaluation,
    table: str,
    path: str | Path,
    samples: SampleCollection | None = None,
) -> int:
    """Writes a table of an evaluation as a CSV file.

    Args:
        evaluation: the evaluation
        table: one of the evaluation's :meth:`tables`
        path: the file; a present one is replaced
        samples: a view to restrict it to

    Returns:
        the number of rows

    Raises:
        CocoMaskError: if there is no such table
    """
    known = evaluation.tables()
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
    make = evaluation.tables()[table]
    if table in _OF_SUMS:
        yield make(view)
        return
    ids = view.values("id")
    for first in range(0, max(len(ids), 1), _BATCH_SIZE):
        yield make(view.select(ids[first : first + _BATCH_SIZE]))


def _whole_pixels(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with whole numbers of pixels also where some are missing."""
    pixels = [name for name in rows.columns if name.endswith("_px")]
    return rows.astype(dict.fromkeys(pixels, "Int64"))
