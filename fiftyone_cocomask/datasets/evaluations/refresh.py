"""Evaluations brought up to date: their masks are drawn and measured once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection
from ..database_errors import explain_database_errors
from ..documents import current_dataset
from ..documents.runs import run_results
from ..gone_fields import first_missing
from ..masks.redraw import redraw_masks
from ..targets import Samples
from .evaluate import run_evaluation
from .kinds import KINDS
from .loading import is_of_tasks, load_mask_evaluation
from .runs import MaskEvaluationInfo, list_mask_evaluations, mask_evaluation_info
from .stored import field_gone_error


@explain_database_errors()
@checked
def refresh_mask_evaluations(
    samples: Samples, eval_keys: Sequence[str] | None = None, *, progress: Any = None
) -> dict[str, Any]:
    """Draws masks that are out of date once more, and evaluates them again.

    Each evaluation is run on all samples that it covers, with its mask and label
    fields; so is one that was stopped before its end. Masks that this plugin has not
    drawn are only measured again.

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
        CocoMaskError: if there is no such evaluation, its queued tasks are not done, or
            it is of a field that is not there any more; nothing has been written then
    """
    dataset = current_dataset(samples)
    for error in missing_fields(dataset, eval_keys):
        raise error
    return refresh_present(dataset, eval_keys, progress)


@explain_database_errors()
def refresh_present(
    dataset: Dataset, eval_keys: Sequence[str] | None, progress: Any
) -> dict[str, Any]:
    """Refreshes evaluations; by default leaves out those whose fields are gone.

    The arguments and what is returned are as for :func:`refresh_mask_evaluations`.
    """
    keys = keys_to_refresh(dataset) if eval_keys is None else list(eval_keys)
    for info in [_refreshable(dataset, key) for key in keys]:
        covered = dataset.load_run_view(info.eval_key)
        redraw_masks(covered, info.mask_field, progress=progress)
    if eval_keys is None:
        # Drawing has put others out of date that were not.
        keys = keys_to_refresh(dataset)
    return {
        info.eval_key: evaluate_again(
            dataset.load_run_view(info.eval_key), info, progress
        )
        for info in [_refreshable(dataset, key) for key in keys]
    }


@explain_database_errors()
def evaluate_again(
    samples: SampleCollection, info: MaskEvaluationInfo, progress: Any
) -> Any:
    """Evaluates samples as an evaluation of area or coverage has.

    Args:
        samples: all that it covers, or some of them
        info: what is known of it
        progress: as for :func:`refresh_mask_evaluations`

    Returns:
        its results
    """
    return run_evaluation(
        samples,
        KINDS[info.kind],
        info.eval_key,
        info.mask_field,
        info.label_field,
        overwrite=True,
        progress=progress,
    )


def keys_to_refresh(dataset: Dataset) -> list[str]:
    """Returns the keys of the evaluations of area and coverage that are out of date.

    Those that were stopped before their end are among them, unless they are of tasks;
    those whose fields are gone are not.
    """
    found = []
    for key in list_mask_evaluations(dataset):
        if _missing_field(dataset, key) is not None:
            continue
        if run_results(dataset, key) is None:
            is_outdated = not is_of_tasks(dataset, key)
        else:
            found_before = load_mask_evaluation(dataset, key)
            # Figures that others have deleted are written anew.
            is_outdated = (
                found_before.missing_field is not None
                or found_before.ids_to_refresh() != []
            )
        if is_outdated:
            found.append(key)
    return found


def missing_fields(
    dataset: Dataset, eval_keys: Sequence[str] | None = None
) -> list[CocoMaskError]:
    """Returns what is said of evaluations whose masks or labels are gone.

    Args:
        dataset: the dataset
        eval_keys: the keys of the evaluations; all by default
    """
    keys = set(list_mask_evaluations(dataset))
    wanted = sorted(keys if eval_keys is None else keys.intersection(eval_keys))
    found = {key: _missing_field(dataset, key) for key in wanted}
    return [
        field_gone_error(key, missing)
        for key, missing in found.items()
        if missing is not None
    ]


def _missing_field(dataset: Dataset, key: str) -> str | None:
    info = mask_evaluation_info(dataset, key)
    return first_missing(dataset, info.mask_field, info.label_field)


def _refreshable(dataset: Dataset, key: str) -> MaskEvaluationInfo:
    """Returns what is known of an evaluation, also of one that was stopped."""
    info = mask_evaluation_info(dataset, key)
    if info.is_comparison:
        raise CocoMaskError(
            f"'{key}' is the key of a comparison; compare its masks again"
        )
    if is_of_tasks(dataset, key):
        # Says so, where they are not done.
        load_mask_evaluation(dataset, key)
    return info
