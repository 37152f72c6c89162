"""What is decided before the first sample of an evaluation is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from ..label_fields import check_has_masks
from ..label_lists import LabelList
from ..masks.field import class_names
from ..measuring.measure import LabelFigures, MaskFigures
from ..owned_fields import EvaluationFields, FieldSpec
from .runs import Kind


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """All figures of one sample.

    Attributes:
        mask: its mask's
        labels: its labels', where a label field is evaluated
        is_as_drawn: whether its mask is known to be as its labels are now
    """

    mask: MaskFigures
    labels: LabelFigures | None
    is_as_drawn: bool = False


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
        names: the class of each mask value, or None if values are not classes
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
