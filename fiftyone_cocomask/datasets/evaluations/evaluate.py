"""What area and coverage evaluations share: a run begins, measures and ends."""

from __future__ import annotations

from typing import Any

from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection
from ..cached_sums import MANY_SAMPLES
from ..documents import current_dataset, num_samples, root_dataset
from ..documents.runs import run_results
from ..locks import RUN_OF, one_at_a_time
from ..owned_fields import delete_fields, owned_paths
from ..run_changes import complete_changes
from ..targets import checked_samples
from .covered import covered_samples
from .loading import evaluation_results
from .overview import keep_overview
from .passes import EvaluationPass, PassReport
from .plan import EvaluationKind, EvaluationPlan, plan_evaluation
from .results import MaskEvaluation
from .runs import check_new_run, list_mask_evaluations, register_run


@one_at_a_time(RUN_OF)
def run_evaluation(
    samples: SampleCollection,
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
    dataset = root_dataset(samples)
    plan = plan_evaluation(dataset, kind, eval_key, mask_field, label_field)
    begin_evaluation(samples, plan, overwrite=overwrite)
    report = measure_samples(samples, plan, progress)
    return end_evaluation(samples, plan, report)


def begin_evaluation(
    samples: SampleCollection,
    plan: EvaluationPlan,
    *,
    overwrite: bool,
    in_tasks: bool = False,
) -> None:
    """Registers an evaluation that is about to be run, and makes place for it.

    It gets its results by :func:`end_evaluation`, so that one that was stopped is known
    as such.

    Args:
        samples: the dataset or view to evaluate, as :func:`checked_samples` gives it
        plan: what was decided
        overwrite: whether to replace an evaluation of this kind that has its key
        in_tasks: whether several tasks will run it, maybe much later

    Raises:
        CocoMaskError: if the key or a field is taken; nothing has been written then
    """
    dataset = root_dataset(samples)
    complete_changes(dataset, [plan.eval_key])
    check_new_run(dataset, plan.fields, overwrite=overwrite)
    covered = covered_samples(samples, plan)
    outdated = set(owned_paths(dataset, plan.fields.owner())) - set(plan.fields.paths)
    if outdated:
        delete_fields(dataset, sorted(outdated), plan.eval_key)
    register_run(
        covered.samples,
        plan.fields,
        plan.mask_field,
        plan.label_field,
        covered.earlier,
        in_tasks=in_tasks,
    )
    plan.fields.declare(dataset)


def measure_samples(
    samples: SampleCollection, plan: EvaluationPlan, progress: Any
) -> PassReport:
    """Measures samples of an evaluation that has begun, and writes their fields."""
    samples.compute_metadata(progress=False)
    return EvaluationPass(samples, plan).run(progress)


def end_evaluation(
    samples: SampleCollection, plan: EvaluationPlan, report: PassReport
) -> MaskEvaluation:
    """Saves the results of an evaluation whose samples have been measured.

    Raises:
        CocoMaskError: if the evaluation was deleted meanwhile
    """
    dataset, key = current_dataset(samples), plan.eval_key
    if key not in dataset.list_runs():
        raise CocoMaskError(f"Mask evaluation '{key}' was deleted while it was run")
    earlier = dataset.get_run_info(key).config.earlier
    if earlier is not None:
        report = PassReport.of_parts([earlier, report.to_dict()])
    if samples is not dataset:
        # It may cover more than what has been measured now.
        samples = dataset.load_run_view(key)
    stored = samples.init_run_results(key, **report.to_dict())
    samples.save_run_results(key, stored)
    if num_samples(samples) >= MANY_SAMPLES:
        _keep_sums(dataset)
    return evaluation_results(stored)


def _keep_sums(dataset: Dataset) -> None:
    """Sums up all evaluations: those before this one, too, whose samples it changed."""
    for key in list_mask_evaluations(dataset):
        stored = run_results(dataset, key)
        # None of one that was stopped before its end.
        if stored is not None:
            evaluation = evaluation_results(stored)
            if evaluation.missing_field is not None:
                continue
            evaluation.keep_sums()
            keep_overview(evaluation)
