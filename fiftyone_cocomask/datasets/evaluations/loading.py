"""From stored runs to results of their kind."""

from __future__ import annotations

from typing import Any

from fiftyone.core.runs import RunConfig

from ...arguments import checked
from ...errors import CocoMaskError
from ..documents import explain_database_errors, root_dataset
from ..targets import Samples
from .area_results import AreaResults
from .coverage_results import CoverageResults
from .results import MaskEvaluation
from .runs import evaluation_kind


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
    if evaluation_kind(dataset, eval_key) == "comparison":
        stored = dataset.load_evaluation_results(eval_key)
    else:
        stored = dataset.load_run_results(eval_key)
    if stored is None:
        raise CocoMaskError(
            f"Mask evaluation '{eval_key}' was stopped before its end; evaluate again "
            "under this eval_key, or delete it"
        )
    return evaluation_results(stored)


def evaluation_results(stored: Any) -> Any:
    """Returns the results of a run, or an evaluation, that FiftyOne has loaded."""
    if not isinstance(stored.config, RunConfig):
        # That package is of this one's figures, whichever of both is imported first.
        from ..comparison.results import MaskComparison

        return MaskComparison(stored)
    kinds: tuple[type[MaskEvaluation], ...] = (AreaResults, CoverageResults)
    by_name = {kind.kind: kind for kind in kinds}
    return by_name[stored.config.method.rpartition("/")[2]](stored)
