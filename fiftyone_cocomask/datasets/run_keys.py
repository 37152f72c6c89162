"""Which keys runs can have, and when a run was begun."""

from __future__ import annotations

import fiftyone as fo

from ..errors import CocoMaskError


def check_key(dataset: fo.Dataset, eval_key: str, option: str = "eval_key") -> None:
    """Checks that a key can name an evaluation beside the dataset's other runs.

    Args:
        dataset: the dataset
        eval_key: the key
        option: what the caller's argument is called

    Raises:
        CocoMaskError: if it cannot
    """
    if not isinstance(eval_key, str) or not eval_key.isidentifier():
        raise CocoMaskError(
            f"{option} must be a name of letters, digits and _, not {eval_key!r}"
        )
    if eval_key.startswith("_"):
        raise CocoMaskError(f"{option} must not begin with _, as {eval_key!r} does")
    if eval_key in dataset.list_evaluations() or eval_key in dataset.list_brain_runs():
        raise CocoMaskError(
            f"'{eval_key}' is the key of another run of dataset '{dataset.name}'; "
            f"give another {option}"
        )


def run_time(dataset: fo.Dataset, key: str) -> str:
    """Returns when a run was begun, the same in each process.

    MongoDB keeps milliseconds, of which only the process that began it knows more.
    """
    return dataset.get_run_info(key).timestamp.isoformat(timespec="milliseconds")
