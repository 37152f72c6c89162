"""From stored runs to results of their kind."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import fiftyone as fo
from fiftyone.core.runs import RunConfig

from ...arguments import checked
from ...errors import CocoMaskError
from ..comparison.results import MaskComparison
from ..database_errors import explain_database_errors
from ..documents import root_dataset
from ..documents.runs import run_results
from ..journal import Journal
from ..targets import Samples
from .area_results import AreaResults
from .coverage_results import CoverageResults
from .results import MaskEvaluation
from .runs import AnyKind, evaluation_kind, list_mask_evaluations


@explain_database_errors()
@checked
def load_mask_evaluation(samples: Samples, eval_key: str) -> Any:
    """Returns the results of an evaluation.

    Args:
        samples: the dataset, or a view into it
        eval_key: the key of the evaluation

    Returns:
        an :class:`AreaResults`, :class:`CoverageResults` or :class:`MaskComparison`

    Raises:
        CocoMaskError: if there is no such evaluation, or it was stopped before its end
    """
    dataset = root_dataset(samples)
    for _, renaming in Journal(dataset).pending("rename"):
        if eval_key in (renaming["key"], renaming["new_key"]):
            raise CocoMaskError(
                f"Mask evaluation '{renaming['key']}' is being renamed to "
                f"'{renaming['new_key']}': if nobody is at it, that was stopped before "
                "its end; rename it again"
            )
    if evaluation_kind(dataset, eval_key) == "comparison":
        stored = run_results(dataset, eval_key, field="evaluations")
    else:
        stored = run_results(dataset, eval_key)
    if stored is None:
        if is_of_tasks(dataset, eval_key):
            raise CocoMaskError(
                f"Mask evaluation '{eval_key}' is complete once all of its queued "
                "tasks are done; if they failed, evaluate again or delete it"
            )
        raise CocoMaskError(
            f"Mask evaluation '{eval_key}' has no results yet: if nobody is making "
            "them, it was stopped before its end; evaluate again under this eval_key, "
            "or delete it"
        )
    return evaluation_results(stored)


def complete_evaluations(samples: Samples, kind: AnyKind | None = None) -> list[Any]:
    """Returns the evaluations that have results: none of those that were stopped.

    Args:
        samples: the dataset, or a view into it
        kind: as for :func:`list_mask_evaluations`
    """
    found = []
    for key in list_mask_evaluations(samples, kind):
        with suppress(CocoMaskError):
            found.append(load_mask_evaluation(samples, key))
    return found


def evaluation_results(stored: Any) -> Any:
    """Returns the results of a run, or an evaluation, that FiftyOne has loaded."""
    if not isinstance(stored.config, RunConfig):
        return MaskComparison(stored)
    kinds: tuple[type[MaskEvaluation], ...] = (AreaResults, CoverageResults)
    by_name = {kind.kind: kind for kind in kinds}
    return by_name[stored.config.method.rpartition("/")[2]](stored)


def is_of_tasks(dataset: fo.Dataset, eval_key: str) -> bool:
    """Whether an evaluation without results was begun for several tasks to run."""
    if eval_key not in dataset.list_runs():
        return False
    return bool(getattr(dataset.get_run_info(eval_key).config, "in_tasks", False))
