"""What is decided before the first sample of an evaluation is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
from ..labels import check_has_masks
from ..masks import mask_options
from .fields import EvaluationFields, FieldSpec
from .label_lists import LabelList
from .measure import LabelFigures, MaskFigures
from .runs import Kind


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """All figures of one sample.

    Attributes:
        mask: its mask's
        labels: its labels', where a label field is evaluated
    """

    mask: MaskFigures
    labels: LabelFigures | None


@dataclass(frozen=True, slots=True)
class EvaluationKind:
    """What one kind of evaluation writes.

    Attributes:
        name: ``"area"`` or ``"coverage"``
        sample_specs: the fields on each sample
        sample_specs_with_labels: more of them where a label field is given
        label_specs: the fields on each label
        sample_values: returns the values of a sample's fields, by suffix
        label_values: returns the values of the labels' fields, a list by suffix
    """

    name: Kind
    sample_specs: tuple[FieldSpec, ...]
    sample_specs_with_labels: tuple[FieldSpec, ...]
    label_specs: tuple[FieldSpec, ...]
    sample_values: Callable[[SampleFigures], dict[str, Any]]
    label_values: Callable[[LabelFigures], dict[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """All that the samples of an evaluation have in common.

    Attributes:
        kind: what is evaluated
        fields: the fields to write
        mask_field: the field of the masks
        labels: where the labels are, or None
        names: the class of each mask value, or None if values are no classes
    """

    kind: EvaluationKind
    fields: EvaluationFields
    mask_field: str
    labels: LabelList | None
    names: dict[int, str] | None

    @property
    def eval_key(self) -> str:
        """The key of the evaluation."""
        return self.fields.eval_key

    @property
    def label_field(self) -> str | None:
        """The field of the labels, or None."""
        return self.labels.field if self.labels is not None else None


def plan_evaluation(
    dataset: fo.Dataset,
    kind: EvaluationKind,
    eval_key: str,
    mask_field: str,
    label_field: str | None,
) -> EvaluationPlan:
    """Checks the fields of an evaluation and decides what follows from them.

    Raises:
        CocoMaskError: if a field does not fit
    """
    check_has_masks(dataset, mask_field)
    names = class_names(dataset, mask_field)
    labels = None
    if label_field is not None:
        labels = LabelList.of_field(dataset, label_field)
    fields = _fields_of(
        kind, eval_key, labels.path if labels else None, has_names=names is not None
    )
    return EvaluationPlan(kind, fields, mask_field, labels, names)


def checked_samples(samples: Any) -> Any:
    """Returns what to evaluate: of a grouped dataset its active slice, as a view.

    Raises:
        CocoMaskError: if it does not hold images
    """
    dataset = samples._root_dataset
    if samples._dataset is not dataset:
        raise CocoMaskError(
            "Patches and clips cannot be evaluated; give the dataset, or a view of "
            "its samples"
        )
    if samples.media_type == "group":
        return samples.select_group_slices(samples.group_slice)
    if samples.media_type not in ("image", None):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' holds {samples.media_type} samples; masks are "
            "evaluated on images"
        )
    return samples


def class_names(dataset: fo.Dataset, mask_field: str) -> dict[int, str] | None:
    """Returns the class of each value in a field's masks.

    None where values are no classes: those of binary and instance masks, and masks
    whose values neither the field's nor the dataset's mask targets name.
    """
    made = mask_options(dataset, mask_field)
    if made is not None and made["mode"] != "semantic":
        return None
    targets = dataset.mask_targets.get(mask_field) or dataset.default_mask_targets
    names = {k: str(v) for k, v in (targets or {}).items() if isinstance(k, int) and k}
    return names or None


def _fields_of(
    kind: EvaluationKind, eval_key: str, label_path: str | None, *, has_names: bool
) -> EvaluationFields:
    with_labels = label_path is not None
    # Each label with its area says more than a list of classes beside it.
    labels_say_it = bool(with_labels and kind.label_specs)
    return EvaluationFields(
        kind=kind.name,
        eval_key=eval_key,
        sample_specs=kind.sample_specs
        + (kind.sample_specs_with_labels if with_labels else ()),
        label_specs=kind.label_specs if with_labels else (),
        label_path=label_path,
        has_classes=(with_labels or has_names) and not labels_say_it,
    )
