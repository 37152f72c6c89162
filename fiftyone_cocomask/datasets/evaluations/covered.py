"""Which samples an evaluation covers that is run again under its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from ...errors import CocoMaskError
from ...fiftyone_types import Dataset, SampleCollection
from ...words import count
from ..documents import Document, all_images, ids_of, root_dataset, sample_ids
from ..documents.runs import run_results
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

    samples: SampleCollection
    earlier: Document | None = None


def covered_samples(samples: SampleCollection, plan: EvaluationPlan) -> Covered:
    """Returns what an evaluation covers once a view of it has been evaluated.

    An evaluation that is run again on some of its samples still covers the others,
    whose values stay: nobody has asked to drop them.

    Args:
        samples: the dataset or view to evaluate
        plan: what was decided

    Raises:
        CocoMaskError: if the values of the others are of other masks or labels
    """
    dataset, key = root_dataset(samples), plan.eval_key
    num_others = count_others(samples, key)
    if not num_others:
        return Covered(samples)
    before = dataset.load_run_view(key)
    wanted, covered = ids_of(samples), ids_of(before)
    config = dataset.get_run_info(key).config
    fields = (config.mask_field, config.label_field)
    if fields != (plan.mask_field, plan.label_field):
        labels = f" and '{fields[1]}'" if fields[1] else ""
        raise CocoMaskError(
            f"Mask evaluation '{key}' is of '{fields[0]}'{labels}, also on "
            f"{count(num_others, 'sample')} outside this view; give another eval_key, "
            "or delete it first"
        )
    report = _earlier_report(_last_report(dataset, key), wanted)
    if wanted <= covered:
        return Covered(before, report)
    base = all_images(dataset)
    everything = wanted | covered
    if sum(map(len, sample_ids(dataset, {}))) == len(everything):
        return Covered(base, report)
    if len(everything) > _MAX_NAMED_SAMPLES:
        raise CocoMaskError(
            f"Mask evaluation '{key}' would cover {count(len(everything), 'sample')} "
            "of two views; evaluate the dataset, or give another eval_key"
        )
    return Covered(base.select(sorted(map(str, everything))), report)


def count_others(samples: SampleCollection, key: str) -> int:
    """Returns how many samples an evaluation covers that are not among some samples."""
    dataset = root_dataset(samples)
    if samples is dataset or key not in dataset.list_runs():
        return 0
    return len(ids_of(dataset.load_run_view(key)) - ids_of(samples))


def _last_report(dataset: Dataset, key: str) -> Document | None:
    """Returns what is known of the samples of an evaluation that has been run."""
    results = run_results(dataset, key)
    if results is None:
        # It was stopped, and what it was about to leave alone is all that is known.
        earlier: Any = getattr(dataset.get_run_info(key).config, "earlier", None)
        return earlier
    return {name: getattr(results, name) for name in PassReport().to_dict()}


def _earlier_report(
    reported: Document | None, wanted: set[ObjectId]
) -> Document | None:
    """Returns the report of an earlier run without what is measured again."""
    if reported is None:
        return None
    report = PassReport.of_parts([reported])
    report.num_changed = 0
    report.forget({str(sample_id) for sample_id in wanted})
    return report.to_dict()
