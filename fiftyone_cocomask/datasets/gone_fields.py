"""Fields that runs are of, and that a dataset does not have any more.

FiftyOne's own functions rename and delete fields, and rename runs without theirs.
"""

from __future__ import annotations

from ..errors import CocoMaskError
from ..fiftyone_types import Dataset


def first_missing(dataset: Dataset, *names: str | None) -> str | None:
    """Returns the first of some fields that a dataset does not have; None for none."""
    fields = filter(None, names)
    return next((name for name in fields if not dataset.has_field(name)), None)


def missing_field_error(
    run: str, key: str, missing: str, do_again: str
) -> CocoMaskError:
    """Returns what is said of a run whose field is gone.

    Args:
        run: what the run is, as the beginning of a sentence
        key: its key
        missing: the field
        do_again: how the run is made, as an imperative
    """
    return CocoMaskError(
        f"{run} '{key}' is of the field '{missing}', which the dataset does not have "
        f"any more; rename the field back, {do_again} again under this eval_key, or "
        f"delete '{key}'"
    )
