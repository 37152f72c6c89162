"""Evaluations brought up to date: their masks are drawn and measured once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...arguments import checked
from ...errors import CocoMaskError
from ..database_errors import explain_database_errors
from ..documents import root_dataset
from ..masks.redraw import redraw_masks
from ..targets import Samples
from .area import evaluate_mask_area
from .coverage import evaluate_mask_coverage
from .loading import load_mask_evaluation
from .results import MaskEvaluation
from .runs import list_mask_evaluations

_EVALUATE = {"area": evaluate_mask_area, "coverage": evaluate_mask_coverage}


@explain_database_errors()
@checked
def refresh_mask_evaluations(
    samples: Samples, eval_keys: Sequence[str] | None = None, *, progress: Any = None
) -> dict[str, Any]:
    """Draws masks that are out of date once more, and evaluates them again.

    Each evaluation is run on all samples that it covers, with its mask and label
    fields. Masks that this plugin has not drawn are only measured again.

    Example::

        import fiftyone_cocomask as fcm

        fcm.refresh_mask_evaluations(dataset)

    Args:
        samples: the dataset, or a view into it
        eval_keys: the keys of the evaluations of area and coverage; by default those
            that are out of date
        progress: whether to render progress bars (True/False), FiftyOne's default
            (None), or a function to call with each bar

    Returns:
        the evaluations that were run again, by their keys

    Raises:
        CocoMaskError: if there is no such evaluation, or it was stopped before its
            end; nothing has been written then
    """
    dataset = root_dataset(samples)
    keys = keys_to_refresh(dataset) if eval_keys is None else list(eval_keys)
    evaluations = [_evaluation(dataset, key) for key in keys]
    for evaluation in evaluations:
        redraw_masks(evaluation.samples, evaluation.mask_field, progress=progress)
    if eval_keys is None:
        # Drawing has put others out of date that were not.
        keys = keys_to_refresh(dataset)
        evaluations = [_evaluation(dataset, key) for key in keys]
    return {
        evaluation.key: _EVALUATE[evaluation.kind](
            evaluation.samples,
            evaluation.mask_field,
            label_field=evaluation.label_field,
            eval_key=evaluation.key,
            progress=progress,
        )
        for evaluation in evaluations
    }


def keys_to_refresh(dataset: Any) -> list[str]:
    """Returns the keys of the evaluations of area and coverage that are out of date."""
    found = []
    for key in list_mask_evaluations(dataset):
        config = dataset.get_run_info(key).config
        fields = filter(None, (config.mask_field, config.label_field))
        # None of those that were stopped before their end, or whose fields are gone.
        if dataset.load_run_results(key) is None or not all(
            map(dataset.has_field, fields)
        ):
            continue
        if _evaluation(dataset, key).ids_to_refresh() != []:
            found.append(key)
    return found


def _evaluation(dataset: Any, key: str) -> MaskEvaluation:
    found = load_mask_evaluation(dataset, key)
    if not isinstance(found, MaskEvaluation):
        raise CocoMaskError(
            f"'{key}' is the key of a comparison; compare its masks again"
        )
    return found
