"""Masks against other masks: predictions, or one rasterizer against another."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from fiftyone.utils.eval.segmentation import SimpleEvaluationConfig

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ...limits import MAX_NAMED
from ...words import count
from ..database_errors import explain_database_errors
from ..documents import ids_of, root_dataset, settle
from ..label_fields import check_has_masks
from ..locks import RUN_OF, one_at_a_time
from ..measuring.measure import pixels_by_value
from ..owned_fields import add_to_sidebar_group
from ..run_changes import complete_changes, remove_run
from ..targets import checked_samples
from .confusion import evaluate_segmentations
from .metrics import (
    METRICS,
    MaskPair,
    SizeErrors,
    mask_pairs,
    metric_value,
    size_errors,
    write_errors,
)
from .results import MaskComparison
from .runs import (
    check_comparison_key,
    comparison_fields,
)

# The confusion matrix has the square of this.
_MAX_CLASSES = 2000


@explain_database_errors()
@checked
@one_at_a_time(RUN_OF)
def compare_masks(
    samples: fo.Dataset | fo.DatasetView,
    pred_field: str,
    gt_field: str = "mask",
    *,
    eval_key: str,
    overwrite: bool = True,
    progress: Any = None,
) -> MaskComparison:
    """Compares the masks of two fields, as FiftyOne's ``evaluate_segmentations`` does.

    To what that writes, adds on each sample ``<eval_key>_area_error_px`` and
    ``<eval_key>_area_error_percent``, the predicted mask's area - the ground truth
    mask's, and ``<eval_key>_coverage_error_points``, the same as a share of all
    pixels, in percentage points; and to its results the metrics ``mask_area_error``
    and ``mask_coverage_error``, which the Model Evaluation panel shows.

    Classes are the values that the mask targets of the ground truth field, or else of
    the dataset, name; values that they do not name are classes of their own, and 0 is
    the background. A predicted mask of another size is resized to the ground truth's.
    Samples without two readable masks are left out and reported.

    Example::

        import fiftyone_cocomask as fcm

        fcm.compute_masks(dataset, mask_field="mask_opencv", rasterizer="opencv")
        comparison = fcm.compare_masks(
            dataset, "mask_opencv", gt_field="mask", eval_key="opencv_vs_coco"
        )
        print(comparison.summary()["area_error_percent"])

    Args:
        samples: the dataset or view; of a grouped one, its active slice
        pred_field: a ``Segmentation`` field of grayscale masks
        gt_field: the one to compare them with
        eval_key: the key of the evaluation, with which its fields begin
        overwrite: whether to replace an evaluation of these two fields that has this
            key
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`MaskComparison`

    Raises:
        CocoMaskError: if an argument does not fit, the key is taken, or no sample has
            two masks; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    check_has_masks(dataset, pred_field)
    check_has_masks(dataset, gt_field)
    complete_changes(dataset, [eval_key])
    check_comparison_key(dataset, eval_key, pred_field, gt_field, overwrite=overwrite)
    _check_nothing_dropped(samples, eval_key)
    survey = _Survey(samples, pred_field, gt_field)
    if not survey.errors:
        raise CocoMaskError(
            f"No sample has readable masks in both '{pred_field}' and '{gt_field}'"
        )
    if survey.excluded:
        samples = samples.exclude(survey.excluded)
    targets = _targets(dataset, gt_field, survey.values)
    if eval_key in dataset.list_evaluations():
        remove_run(dataset, "evaluations", eval_key, comparison_fields(eval_key))
    config = SimpleEvaluationConfig(
        pred_field,
        gt_field,
        custom_metrics=[metric.uri for metric in METRICS],
        cocomask=survey.to_dict(),
    )
    results = evaluate_segmentations(samples, config, eval_key, targets, progress)
    results.custom_metrics = _write_metrics(dataset, eval_key, survey.errors)
    add_to_sidebar_group(dataset, comparison_fields(eval_key), eval_key)
    config.build().save_run_results(samples, eval_key, results)
    return MaskComparison(results)


def _check_nothing_dropped(samples: SampleCollection, eval_key: str) -> None:
    """Checks that a comparison that is made again leaves out no sample it had.

    Raises:
        CocoMaskError: if it does
    """
    dataset = root_dataset(samples)
    if samples is dataset or eval_key not in dataset.list_evaluations():
        return
    others = ids_of(dataset.load_evaluation_view(eval_key)) - ids_of(samples)
    if others:
        raise CocoMaskError(
            f"The comparison '{eval_key}' is also of "
            f"{count(len(others), 'sample')} outside this view; give another eval_key, "
            "or delete it first"
        )


class _Survey:
    """What two fields of masks hold, so that nothing of them is left out unsaid."""

    def __init__(
        self, samples: SampleCollection, pred_field: str, gt_field: str
    ) -> None:
        self.values: set[int] = set()
        self.errors: list[SizeErrors] = []
        self.excluded: list[str] = []
        self.without_masks: list[dict[str, str]] = []
        self.resized = 0
        for document, pair in mask_pairs(samples, pred_field, gt_field):
            if not isinstance(pair, MaskPair):
                self.excluded.append(str(document["_id"]))
                if len(self.without_masks) < MAX_NAMED:
                    self.without_masks.append(
                        {
                            "sample_id": str(document["_id"]),
                            "filepath": document["filepath"],
                            "reason": str(pair),
                        }
                    )
                continue
            for mask in (pair.pred, pair.gt):
                self.values.update(pixels_by_value(mask))
            self.errors.append(size_errors(pair))
            self.resized += pair.resized

    def to_dict(self) -> dict[str, Any]:
        return {
            "num_images": len(self.errors),
            "without_masks": self.without_masks,
            "num_without_masks": len(self.excluded),
            "num_resized": self.resized,
        }


def _targets(dataset: fo.Dataset, gt_field: str, values: set[int]) -> dict[int, str]:
    """Returns the class of each value that masks hold or mask targets name.

    Raises:
        CocoMaskError: if there are more values than classes can be compared, or
            negative ones
    """
    named = dataset.mask_targets.get(gt_field) or dataset.default_mask_targets or {}
    names = {k: str(v) for k, v in named.items() if isinstance(k, int)}
    if len(values | set(names)) > _MAX_CLASSES or min(values) < 0:
        raise CocoMaskError(
            f"The masks have {len(values)} values from {min(values)} to {max(values)}; "
            f"values of at most {_MAX_CLASSES} classes, none below 0, can be compared"
        )
    targets = {0: names.get(0, "background")}
    for value in sorted(values | set(names)):
        name = names.get(value, str(value))
        # Results tell classes apart by their names.
        is_taken = value != 0 and name in targets.values()
        targets.setdefault(value, f"{name} ({value})" if is_taken else name)
    return targets


def _write_metrics(
    dataset: fo.Dataset, eval_key: str, errors: list[SizeErrors]
) -> dict[str, Any]:
    """Writes the fields of the two metrics; returns their values as FiftyOne does.

    FiftyOne would call the metrics' operators, which exist only where the plugin is
    installed.
    """
    entries = {}
    for metric in METRICS:
        write_errors(dataset, eval_key, metric, errors)
        value = metric_value(metric, errors)
        if value is not None:
            entries[metric.uri] = metric.entry(value)
    settle(dataset)
    return entries
