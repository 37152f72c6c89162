"""An evaluation in several tasks: each measures a part of the samples of one run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import Document, root_dataset
from ..locks import RUN_OF, WAITS_TO_JOIN_S, locked, one_at_a_time
from ..run_keys import run_time
from ..targets import checked_samples
from .evaluate import begin_evaluation, end_evaluation, measure_samples
from .kinds import KINDS
from .passes import PassReport
from .plan import EvaluationPlan, plan_evaluation


@one_at_a_time(RUN_OF)
def begin_tasks(
    samples: SampleCollection,
    kind: str,
    eval_key: str,
    mask_field: str,
    label_field: str | None,
) -> Document:
    """Begins an evaluation that several tasks will run.

    Args:
        samples: the dataset or view to evaluate
        kind: ``"area"`` or ``"coverage"``
        eval_key: the key of the evaluation; one of the kind is replaced
        mask_field: the field of the masks
        label_field: the field of the labels, or None

    Returns:
        what the tasks have to know

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    plan = plan_evaluation(dataset, KINDS[kind], eval_key, mask_field, label_field)
    begin_evaluation(samples, plan, overwrite=True, in_tasks=True)
    return {
        "kind": kind,
        "eval_key": eval_key,
        "mask_field": mask_field,
        "label_field": label_field,
        "begun_at": run_time(dataset, eval_key),
    }


def measure_part(samples: SampleCollection, begun: Document, progress: Any) -> Document:
    """Measures a part of the samples of an evaluation.

    Args:
        samples: a view of the part
        begun: what :func:`begin_tasks` returned
        progress: as for :func:`evaluate_mask_area`

    Returns:
        what was found

    Raises:
        CocoMaskError: if the evaluation was deleted, or begun anew
    """
    dataset = root_dataset(samples)
    with locked(dataset, RUN_OF.format_map(begun), shared=True):
        plan = _plan(dataset, begun)
        return measure_samples(samples, plan, progress).to_dict()


def join_parts(dataset: fo.Dataset, begun: Document, parts: Iterable[Document]) -> Any:
    """Saves the results of an evaluation whose parts have all been measured.

    Args:
        dataset: the dataset
        begun: what :func:`begin_tasks` returned
        parts: what :func:`measure_part` returned for each part

    Returns:
        the :class:`AreaResults` or :class:`CoverageResults`

    Raises:
        CocoMaskError: if the evaluation was deleted, or begun anew
    """
    work = RUN_OF.format_map(begun)
    with locked(dataset, work, waits_s=WAITS_TO_JOIN_S):
        plan = _plan(dataset, begun)
        samples = dataset.load_run_view(plan.eval_key)
        return end_evaluation(samples, plan, PassReport.of_parts(parts))


def _plan(dataset: fo.Dataset, begun: Document) -> EvaluationPlan:
    key = begun["eval_key"]
    if key not in dataset.list_runs() or run_time(dataset, key) != begun["begun_at"]:
        raise CocoMaskError(
            f"Mask evaluation '{key}' was deleted or started again since this task was "
            "queued; queue the whole evaluation again"
        )
    kind = KINDS[begun["kind"]]
    return plan_evaluation(
        dataset, kind, key, begun["mask_field"], begun["label_field"]
    )
