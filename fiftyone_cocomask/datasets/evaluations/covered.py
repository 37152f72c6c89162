"""Which samples an evaluation covers that is run again under its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from ...errors import CocoMaskError
from ..documents import Document, ids_of, sample_ids
from .passes import PassReport
from .plan import EvaluationPlan

# A run of single samples names each, in one document of at most 16 MB.
_MAX_NAMED_SAMPLES = 200_000


@dataclass(frozen=True, slots=True)
class Covered:
    """The samples of an evaluation.

    Attributes:
        samples: all that it covers
        earlier: what an earlier run reported of those that this one leaves alone, as
            :meth:`PassReport.to_dict` has it, or None
    """

    samples: Any
    earlier: Document | None = None


def covered_samples(samples: Any, plan: EvaluationPlan) -> Covered:
    """Returns what an evaluation covers once a view of it has been evaluated.

    An evaluation that is run again on some of its samples still covers the others,
    whose values stay: nobody has asked to drop them.

    Args:
        samples: the dataset or view to evaluate
        plan: what was decided

    Raises:
        CocoMaskError: if the values of the others are of other masks or labels
    """
    dataset, key = samples._root_dataset, plan.eval_key
    if samples is dataset or key not in dataset.list_runs():
        return Covered(samples)
    before = dataset.load_run_view(key)
    wanted, covered = ids_of(samples), ids_of(before)
    others = covered - wanted
    if not others:
        return Covered(samples)
    config = dataset.get_run_info(key).config
    fields = (config.mask_field, config.label_field)
    if fields != (plan.mask_field, plan.label_field):
        labels = f" and '{fields[1]}'" if fields[1] else ""
        raise CocoMaskError(
            f"Mask evaluation '{key}' is of '{fields[0]}'{labels}, also on "
            f"{len(others):,} samples that are not in this view; give another "
            "eval_key, or delete it first"
        )
    report = _earlier_report(dataset.load_run_results(key), wanted)
    if wanted <= covered:
        return Covered(before, report)
    base = dataset
    if dataset.media_type == "group":
        base = dataset.select_group_slices(media_type="image")
    everything = wanted | covered
    if sum(map(len, sample_ids(dataset, {}))) == len(everything):
        return Covered(base, report)
    if len(everything) > _MAX_NAMED_SAMPLES:
        raise CocoMaskError(
            f"Mask evaluation '{key}' would cover {len(everything):,} samples of "
            "two views; evaluate the dataset, or give another eval_key"
        )
    return Covered(base.select(sorted(map(str, everything))), report)


def _earlier_report(results: Any, wanted: set[ObjectId]) -> Document | None:
    """Returns the report of an earlier run without what is measured again."""
    if results is None:
        return None
    again = {str(sample_id) for sample_id in wanted}
    report = PassReport(
        without_number=list(results.without_number),
        num_without_number=results.num_without_number,
        other_size=list(results.other_size),
        num_other_size=results.num_other_size,
    )
    report.forget(again)
    return report.to_dict()
