"""Mask coverage: the share of each image that its mask covers."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ...arguments import checked
from ..database_errors import explain_database_errors
from ..measuring.measure import LabelFigures
from ..owned_fields import FieldSpec
from .coverage_results import CoverageResults
from .evaluate import run_evaluation
from .plan import EvaluationKind, SampleFigures


@explain_database_errors()
@checked
def evaluate_mask_coverage(
    samples: fo.Dataset | fo.DatasetView,
    mask_field: str = "mask",
    *,
    label_field: str | None = None,
    eval_key: str = "mask_coverage",
    overwrite: bool = True,
    progress: Any = None,
) -> CoverageResults:
    """Computes which share of each image its mask covers.

    Writes ``<eval_key>_ratio`` on each sample: the mask's pixels that are not 0 /
    all its pixels, 0..1. With ``label_field`` also ``<eval_key>_overlap``, the pixels
    under two or more labels / the pixels under any, absent where there is none. With
    ``label_field``, or where mask targets name the values of the masks, also
    ``<eval_key>_classes``: each class with its visible pixels and their share of the
    image.

    A sample whose mask is missing or unreadable gets no number;
    :meth:`CoverageResults.summary` names it. Only values that change are written.

    Example::

        import fiftyone_cocomask as fcm

        coverage = fcm.evaluate_mask_coverage(
            dataset, "mask", label_field="segmentations", eval_key="coverage"
        )
        print(coverage.summary()["mean_coverage_over_images"])

    Args:
        samples: the dataset or view to evaluate; of a grouped one, its active slice.
            Every label of a sample counts, also where a view filters them
        mask_field: a ``Segmentation`` field of grayscale masks, on disk or in the
            database
        label_field: a field of Polylines, or of Detections with masks
        eval_key: the key of the evaluation, with which its fields begin
        overwrite: whether to replace a coverage evaluation that has this key
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        the :class:`CoverageResults`

    Raises:
        CocoMaskError: if an argument does not fit, or the key or a field is taken;
            nothing has been written then
    """
    return run_evaluation(
        samples,
        COVERAGE,
        eval_key,
        mask_field,
        label_field,
        overwrite=overwrite,
        progress=progress,
    )


def _sample_values(figures: SampleFigures) -> dict[str, Any]:
    values: dict[str, Any] = {
        "ratio": figures.mask.foreground_px / figures.mask.mask_px
    }
    if figures.labels is not None and figures.labels.drawn_px:
        values["overlap"] = figures.labels.overlap_px / figures.labels.drawn_px
    return values


def _no_label_values(_: LabelFigures) -> dict[str, list[Any]]:
    return {}


COVERAGE = EvaluationKind(
    name="coverage",
    sample_specs=(
        FieldSpec(
            "ratio",
            fo.FloatField,
            "Coverage: pixels of the mask that are not 0 / all its pixels, 0..1",
        ),
    ),
    sample_specs_with_labels=(
        FieldSpec(
            "overlap",
            fo.FloatField,
            "Pixels under two or more labels / pixels under any, 0..1",
        ),
    ),
    label_specs=(),
    sample_values=_sample_values,
    label_values=_no_label_values,
)
