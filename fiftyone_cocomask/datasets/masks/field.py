"""The field of masks: what the dataset declares and notes of how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo

from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import (
    aggregate_documents,
    field_info,
)
from ..field_display import are_shown, colour_values, show_fields
from ..label_lists import LabelList
from ..locks import changing_outline
from ..owned_fields import INFO_KEY
from .options import FOREGROUND, MaskPlan
from .stored import tidy_masks


def mask_options(samples: SampleCollection, mask_field: str) -> dict[str, Any] | None:
    """Returns how :func:`compute_masks` made a field's masks, or None if it did not.

    Returns:
        a dict with ``label_field``, the fields of :class:`MaskOptions`, ``storage``
        and ``output_dir``; masks of earlier versions have not the last two
    """
    field_ = samples.get_field(mask_field)
    return (field_.info or {}).get(INFO_KEY) if field_ is not None else None


def class_names(dataset: fo.Dataset, mask_field: str) -> dict[int, str] | None:
    """Returns the class of each value in a field's masks.

    None where values are not classes: those of binary and instance masks, and masks
    whose values neither the field's nor the dataset's mask targets name.
    """
    made = mask_options(dataset, mask_field)
    if made is not None and made["mode"] != "semantic":
        return None
    targets = dataset.mask_targets.get(mask_field)
    # Masks of ours without a class do not take on the classes of the dataset.
    if not targets and (made is None or targets is None):
        targets = dataset.default_mask_targets
    names = {k: str(v) for k, v in (targets or {}).items() if isinstance(k, int) and k}
    return names or None


def declare_mask_field(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Adds the field of planned masks to a dataset, or says there how they are made."""
    mask_field, label_field, options = plan.mask_field, plan.label_field, plan.options
    description = _field_description(dataset, plan)
    made = {INFO_KEY: _made(plan)}
    targets = _mask_targets(dataset, plan)
    if _is_declared(dataset, plan, description, targets):
        tidy_masks(dataset, mask_field)
        return
    with changing_outline(dataset):
        field_ = dataset.get_field(mask_field)
        if field_ is not None and field_.path != mask_field:
            # This process has renamed it, and FiftyOne saves it by its former name.
            dataset.reload()
            field_ = dataset.get_field(mask_field)
        if field_ is None:
            dataset.add_sample_field(
                mask_field,
                fo.EmbeddedDocumentField,
                embedded_doc_type=fo.Segmentation,
                description=description,
                info=made,
            )
        else:
            field_.description = description
            field_.info = {**(field_.info or {}), **made}
            field_.save()
        dataset.mask_targets[mask_field] = targets
        show_fields(dataset, [mask_field])
        if options.mode != "binary":
            colour_values(dataset, mask_field, label_field, options.class_values)
        dataset.save()
    if field_ is not None:
        tidy_masks(dataset, mask_field)


def _is_declared(
    dataset: fo.Dataset, plan: MaskPlan, description: str, targets: dict[int, str]
) -> bool:
    """Whether a field says already how its masks are made."""
    field_ = dataset.get_field(plan.mask_field)
    return (
        field_ is not None
        and field_.description == description
        and mask_options(dataset, plan.mask_field) == _made(plan)
        and dataset.mask_targets.get(plan.mask_field) == targets
        and are_shown(dataset, [plan.mask_field])
        # Which colours the classes have by now is looked up in any case.
        and plan.options.mode == "binary"
    )


def check_declared(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Checks that a field's masks are still to be made as planned.

    Raises:
        CocoMaskError: if others have been planned since
    """
    if mask_options(dataset, plan.mask_field) != _made(plan):
        raise CocoMaskError(
            f"The masks of field '{plan.mask_field}' have been computed with other "
            "options since this task was queued, or deleted; queue the whole job again"
        )


def check_still_planned(dataset: fo.Dataset, plan: MaskPlan) -> None:
    """Checks that nobody makes other masks in the field at the same time.

    Raises:
        CocoMaskError: if somebody does
    """
    info = field_info(dataset, plan.mask_field)
    if info is not None and info.get(INFO_KEY) != _made(plan):
        raise CocoMaskError(
            f"The masks of field '{plan.mask_field}' are being computed with other "
            "options by somebody else; compute them again once that is done"
        )


def _field_description(dataset: fo.Dataset, plan: MaskPlan) -> str:
    """Returns what a field is said to hold: a person's own words stay."""
    field_ = dataset.get_field(plan.mask_field)
    made = mask_options(dataset, plan.mask_field)
    if field_ is not None and field_.description:
        usual = made and _description_of(made["mode"], made["label_field"])
        if field_.description != usual:
            return str(field_.description)
    return _description_of(plan.options.mode, plan.label_field)


def _description_of(mode: str, label_field: str) -> str:
    return f"{mode.capitalize()} masks of '{label_field}'"


def _made(plan: MaskPlan) -> dict[str, Any]:
    return {
        "label_field": plan.label_field,
        **plan.options.to_dict(),
        "storage": "database" if plan.output_dir is None else "disk",
        # The dataset's own folder has another name in another dataset.
        "output_dir": None if plan.is_own_folder else plan.output_dir,
    }


def _mask_targets(dataset: fo.Dataset, plan: MaskPlan) -> dict[int, str]:
    """Returns the names of a field's values.

    The App does not draw values without one, and takes the dataset's default ones where
    a field has none: instances would have the names of classes. What a person calls the
    background, and the foreground of binary masks, stays.
    """
    own = dataset.mask_targets.get(plan.mask_field) or {}
    background = {0: str(own[0])} if 0 in own else {}
    return background | _value_names(dataset, plan, own)


def _value_names(
    dataset: fo.Dataset, plan: MaskPlan, own: Mapping[Any, str]
) -> dict[int, str]:
    options = plan.options
    if options.mode == "semantic":
        return {value: name for name, value in options.class_values.items()}
    if options.mode == "binary":
        name = _foreground_name(options.classes)
        made = mask_options(dataset, plan.mask_field)
        if made is not None and made["mode"] == "binary":
            usual = _foreground_name(made["classes"])
            given = str(own.get(FOREGROUND, usual))
            name = name if given == usual else given
        return {FOREGROUND: name}
    labels = LabelList.of_field(dataset, plan.label_field)
    most = {"_id": None, "number": {"$max": {"$size": labels.expression()}}}
    found = aggregate_documents(dataset, [{"$group": most}])
    number = found[0]["number"] if found else 0
    return {value: f"object {value}" for value in range(1, max(number, 1) + 1)}


def _foreground_name(classes: Sequence[str] | None) -> str:
    """Returns what the foreground of binary masks is called if nobody says more."""
    return classes[0] if classes and len(classes) == 1 else "foreground"
