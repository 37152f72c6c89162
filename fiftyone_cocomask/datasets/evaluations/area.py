"""Mask area: the foreground pixels of each sample and of each label."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ...arguments import checked
from ...limits import size_bucket
from ..database_errors import explain_database_errors
from ..measuring.measure import LabelFigures
from ..owned_fields import FieldSpec
from .area_results import AreaResults
from .evaluate import run_evaluation
from .plan import EvaluationKind, SampleFigures


@explain_database_errors()
@checked
def evaluate_mask_area(
    samples: fo.Dataset | fo.DatasetView,
    mask_field: str = "mask",
    *,
    label_field: str | None = None,
    eval_key: str = "mask_area",
    overwrite: bool = True,
    progress: Any = None,
) -> AreaResults:
    """Counts the foreground pixels of masks, and those of each label.

    Writes ``<eval_key>_px`` on each sample: the number of its mask's pixels that are
    not 0. With ``label_field``, writes on each label ``<eval_key>_px``, the pixels it
    covers when drawn alone; ``<eval_key>_visible_px``, what is left of them under the
    labels on top, in the order in which the mask was drawn; and
    ``<eval_key>_bucket``, COCO's ``small`` (< 32^2), ``medium`` (< 96^2) or ``large``
    by the former. Without it, and where mask targets name the values of the masks,
    writes ``<eval_key>_classes``, the pixels of each class.

    A sample whose mask is missing or unreadable gets no number, nor do its labels;
    :meth:`AreaResults.summary` names it. Only values that change are written.

    Example::

        import fiftyone_cocomask as fcm

        area = fcm.evaluate_mask_area(
            dataset, "mask", label_field="segmentations", eval_key="area"
        )
        print(area.per_class())

    Args:
        samples: the dataset or view to evaluate; of a grouped one, its active slice.
            Every label of a sample counts, also where a view filters them
        mask_field: a ``Segmentation`` field of grayscale masks, on disk or in the
            database
        label_field: a field of Polylines, or of Detections with masks
        eval_key: the key of the evaluation, with which its fields begin
        overwrite: whether to replace an area evaluation that has this key
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        the :class:`AreaResults`

    Raises:
        CocoMaskError: if an argument does not fit, or the key or a field is taken;
            nothing has been written then
    """
    return run_evaluation(
        samples,
        AREA,
        eval_key,
        mask_field,
        label_field,
        overwrite=overwrite,
        progress=progress,
    )


def _sample_values(figures: SampleFigures) -> dict[str, Any]:
    return {"px": figures.mask.foreground_px}


def _label_values(figures: LabelFigures) -> dict[str, list[Any]]:
    buckets = [None if area is None else size_bucket(area) for area in figures.px]
    return {"px": figures.px, "visible_px": figures.visible_px, "bucket": buckets}


AREA = EvaluationKind(
    name="area",
    sample_specs=(
        FieldSpec("px", fo.IntField, "Mask area: pixels of the mask that are not 0"),
    ),
    sample_specs_with_labels=(),
    label_specs=(
        FieldSpec("px", fo.IntField, "Pixels that the label covers when drawn alone"),
        FieldSpec(
            "visible_px", fo.IntField, "Pixels of the label that no other label covers"
        ),
        FieldSpec(
            "bucket",
            fo.StringField,
            "Size by true mask area: small < 32^2 px, medium < 96^2 px, large",
        ),
    ),
    sample_values=_sample_values,
    label_values=_label_values,
)
