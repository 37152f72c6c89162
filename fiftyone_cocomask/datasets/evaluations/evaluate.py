"""What area and coverage evaluations share: a run begins, measures and ends."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from ..cached_sums import MANY_SAMPLES
from ..documents import BATCH_SIZE, sample_ids, stream_documents, update_documents
from ..memory import frozen_heap
from ..owned_fields import delete_fields, owned_paths
from ..targets import checked_samples
from .passes import EvaluationPass, PassReport
from .plan import EvaluationKind, EvaluationPlan, plan_evaluation
from .results import MaskEvaluation, evaluation_results
from .runs import check_new_run, list_mask_evaluations, register_run


def run_evaluation(
    samples: Any,
    kind: EvaluationKind,
    eval_key: str,
    mask_field: str,
    label_field: str | None,
    *,
    overwrite: bool,
    progress: Any,
) -> Any:
    """Evaluates the samples of a dataset or view and registers the run.

    Returns:
        the :class:`MaskEvaluation` of the kind
    """
    samples = checked_samples(samples)
    dataset = samples._root_dataset
    plan = plan_evaluation(dataset, kind, eval_key, mask_field, label_field)
    begin_evaluation(samples, plan, overwrite=overwrite)
    report = measure_samples(samples, plan, progress)
    return end_evaluation(samples, plan, report)


def begin_evaluation(samples: Any, plan: EvaluationPlan, *, overwrite: bool) -> None:
    """Registers an evaluation that is about to be run, and makes place for it.

    It gets its results by :func:`end_evaluation`, so that one that was stopped is known
    as such.

    Args:
        samples: the dataset or view to evaluate, as :func:`checked_samples` gives it
        plan: what was decided
        overwrite: whether to replace an evaluation of this kind that has its key

    Raises:
        CocoMaskError: if the key or a field is taken; nothing has been written then
    """
    dataset = samples._root_dataset
    check_new_run(dataset, plan.fields, overwrite=overwrite)
    outdated = set(owned_paths(dataset, plan.fields.owner())) - set(plan.fields.paths)
    if outdated:
        delete_fields(dataset, sorted(outdated), plan.eval_key)
    register_run(samples, plan.fields, plan.mask_field, plan.label_field)
    if samples is not dataset and dataset.has_field(_first_field(plan)):
        _clear_other_samples(samples, plan)
    plan.fields.declare(dataset)


def measure_samples(samples: Any, plan: EvaluationPlan, progress: Any) -> PassReport:
    """Measures samples of an evaluation that has begun, and writes their fields."""
    samples.compute_metadata(progress=False)
    with frozen_heap():
        return EvaluationPass(samples, plan).run(progress)


def end_evaluation(
    samples: Any, plan: EvaluationPlan, report: PassReport
) -> MaskEvaluation:
    """Saves the results of an evaluation whose samples have been measured."""
    stored = samples.init_run_results(plan.eval_key, **report.to_dict())
    samples.save_run_results(plan.eval_key, stored)
    if len(samples) >= MANY_SAMPLES:
        _keep_sums(samples._root_dataset)
    return evaluation_results(stored)


def _keep_sums(dataset: Any) -> None:
    """Sums up all evaluations: those before this one, too, whose samples it changed."""
    for key in list_mask_evaluations(dataset):
        stored = dataset.load_run_results(key)
        # None of one that was stopped before its end.
        if stored is not None:
            evaluation_results(stored).keep_sums()


def _clear_other_samples(samples: Any, plan: EvaluationPlan) -> None:
    """Removes values that an earlier run under this key left on other samples."""
    dataset, fields = samples._root_dataset, plan.fields
    wanted: set[ObjectId] = set()
    for documents in stream_documents(samples, ["_id"]):
        wanted.update(document["_id"] for document in documents)
    first = _first_field(plan)
    of_samples = dict.fromkeys(fields.sample_paths)
    names = [path.rpartition(".")[2] for path in fields.label_paths]
    for ids in sample_ids(dataset, {first: {"$ne": None}}, BATCH_SIZE):
        outdated = [i for i in ids if i not in wanted]
        update_documents(dataset, [(i, of_samples) for i in outdated])
        if names and plan.labels is not None:
            of_labels, guard = plan.labels.clearing(names)
            update_documents(dataset, [(i, of_labels, guard) for i in outdated])


def _first_field(plan: EvaluationPlan) -> str:
    """Returns the field that each sample of an evaluation has."""
    return plan.fields.on_sample(plan.fields.sample_specs[0].suffix)
