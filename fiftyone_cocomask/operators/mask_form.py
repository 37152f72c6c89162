"""The form of the operator that computes masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone.operators.types as types

from ..choices import BOXES, MODES, OVERLAPS, RASTERIZERS, STORAGES
from ..choices import default as default_of
from ..fiftyone_types import ExecutionContext, SampleCollection
from ..words import count
from .choosing import (
    Choice,
    ask_for_processes,
    choose,
    choose_field,
    choose_several,
    radio,
)
from .exporting import confirm_folder
from .folding import hide_unless, section
from .forms import is_refused, note, reject, warn
from .in_time import images_in, known, known_classes
from .markdown import code
from .paths import ask_for_path, given_path
from .split_job import ask_for_num_tasks
from .target_samples import target_samples

_BY_CLASS = Choice("classes", "In an order of the classes", "Later on top")


def ask_for_masks(
    ctx: ExecutionContext, inputs: types.Object, fields: list[str]
) -> None:
    """Asks what is drawn and how, and says what will be written and replaced.

    Args:
        ctx: the operator's context
        inputs: the form
        fields: the fields of labels that can be drawn
    """
    params = ctx.params
    target = target_samples(ctx)
    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        params.get("label_field"),
        label="Objects",
        description="The polygons, or detections with masks, to draw",
        usual="segmentations",
        problem=f"Dataset '{ctx.dataset.name}' has no objects to draw in the field "
        f"{params.get('label_field')!r}; it has them in {', '.join(fields)}",
    )
    mask_field = _ask_for_mask_field(ctx, inputs, label_field)
    for name, choices, label in (
        ("mode", MODES, "Values"),
        ("rasterizer", RASTERIZERS, "Pixels"),
    ):
        choose(
            inputs,
            name,
            choices,
            params.get(name),
            label=label,
            default=default_of(choices),
            view=radio,
        )
    has_boxes = label_field is not None and _has_boxes(ctx, label_field)
    if has_boxes:
        _ask_for_boxes(ctx, inputs, BOXES)
    classes = _classes(ctx, label_field)
    _ask_for_overlap(ctx, inputs, classes)
    choose_several(
        ctx,
        inputs,
        "classes",
        classes,
        params.get("classes"),
        label="Classes",
        description="The classes to draw; all if none is chosen",
    )
    hide_unless(ctx, inputs, ["classes"], len(classes) > 1)
    with section(ctx, inputs, "more", "More options"):
        _ask_for_more(ctx, inputs)
        if not has_boxes:
            can_draw = label_field is not None and _has_boxes_beside(ctx, label_field)
            boxes = [c for c in BOXES if can_draw or c.value != "draw"]
            _ask_for_boxes(ctx, inputs, boxes)
    if mask_field is not None and label_field is not None:
        _say_what_will_happen(ctx, inputs, target, label_field, mask_field)


def _ask_for_mask_field(
    ctx: ExecutionContext, inputs: types.Object, label_field: str | None
) -> str | None:
    from ..datasets.masks.plan import check_mask_field

    default = default_mask_field(ctx)
    given = ctx.params.get("mask_field") or default
    field = inputs.str(
        "mask_field",
        label="Mask field",
        description="The field to write: a new one, or one of masks",
        default=default,
    )
    names = (ctx.dataset, given, label_field or "")
    return None if is_refused(field, check_mask_field, *names) else given


def _ask_for_boxes(
    ctx: ExecutionContext, inputs: types.Object, choices: Sequence[Choice]
) -> None:
    choose(
        inputs,
        "boxes",
        choices,
        ctx.params.get("boxes"),
        label="Boxes without a shape",
        default=default_of(BOXES),
        view=radio,
    )


def _has_boxes(ctx: ExecutionContext, label_field: str) -> bool:
    from ..datasets.label_lists import LabelList, count_boxes_only

    labels = LabelList.of_field(ctx.dataset, label_field)
    if not labels.is_detections(ctx.dataset):
        return False
    found = known(
        "looking for boxes without a shape",
        ("boxes only", label_field),
        ctx.dataset,
        lambda: count_boxes_only(ctx.dataset, labels) > 0,
    )
    return bool(found)


def _has_boxes_beside(ctx: ExecutionContext, label_field: str) -> bool:
    from ..datasets.label_lists import LabelList, boxes_beside

    labels = LabelList.of_field(ctx.dataset, label_field)
    return boxes_beside(ctx.dataset, labels) is not None


def default_mask_field(ctx: ExecutionContext) -> str:
    """Returns the field that holds if none is given: one without masks of others.

    Masks of other values are another thing, which somebody may still need.
    """
    from ..datasets.masks.field import mask_options

    mode = ctx.params.get("mode") or "binary"
    made = mask_options(ctx.dataset, "mask")
    return "mask" if made is None or made["mode"] == mode else f"mask_{mode}"


def _classes(ctx: ExecutionContext, label_field: str | None) -> list[str]:
    from ..datasets.label_fields import object_list_path

    if label_field is None:
        return []
    path = f"{object_list_path(ctx.dataset, label_field)}.label"
    return known_classes(ctx.dataset, path)


def _ask_for_overlap(
    ctx: ExecutionContext, inputs: types.Object, classes: list[str]
) -> None:
    params = ctx.params
    order = "Order of the classes"
    said = "Later on top; classes that are not listed lie below"
    if isinstance(params.get("overlap"), list):
        given = params["overlap"]
        choose_several(
            ctx, inputs, "overlap", classes, given, label=order, description=said
        )
        if not given:
            reject(inputs.properties["overlap"], "overlap names no class")
        return
    overlap = choose(
        inputs,
        "overlap",
        (*OVERLAPS, _BY_CLASS) if len(classes) > 1 else OVERLAPS,
        params.get("overlap"),
        label="Where objects overlap",
        default=default_of(OVERLAPS),
        view=radio,
    )
    choose_several(
        ctx,
        inputs,
        "class_order",
        classes,
        params.get("class_order") or None,
        label=order,
        description=said,
    )
    hide_unless(ctx, inputs, ["class_order"], overlap == _BY_CLASS.value)
    if overlap == _BY_CLASS.value and not params.get("class_order"):
        reject(inputs.properties["class_order"], "class_order names no class")
    has_values = params.get("mode") in ("semantic", "instance")
    hide_unless(ctx, inputs, ["overlap"], has_values)


def _ask_for_more(ctx: ExecutionContext, inputs: types.Object) -> None:
    params = ctx.params
    inputs.bool(
        "include_crowd",
        default=True,
        label="Draw crowd annotations",
        view=types.CheckboxView(),
    )
    ask_for_processes(inputs, "draw")
    ask_for_num_tasks(inputs)
    storage = choose(
        inputs,
        "storage",
        STORAGES,
        params.get("storage"),
        label="Keep the masks as",
        default=default_of(STORAGES),
        view=radio,
    )
    ask_for_path(
        ctx,
        inputs,
        "output_dir",
        label="Folder",
        description="The folder of the files; by default the dataset's own",
        written=True,
    )
    hide_unless(ctx, inputs, ["output_dir"], storage == "disk")
    if storage == "disk":
        confirm_folder(ctx, inputs)


def _say_what_will_happen(
    ctx: ExecutionContext,
    inputs: types.Object,
    target: Any,
    label_field: str,
    mask_field: str,
) -> None:
    from ..datasets.masks.files import default_mask_dir

    params = ctx.params
    images = images_in(target)
    if params.get("storage") == "database":
        where = "The masks are kept in the database."
    else:
        folder = given_path(params.get("output_dir")) or default_mask_dir(
            ctx.dataset, mask_field
        )
        where = f"PNG files in {code(folder)}."
    present = ctx.dataset.get_field(mask_field) is not None
    masks = 0 if not present else _count_masks(target, mask_field)
    if masks == 0:
        note(
            inputs, "outcome", f"Writes masks of {images} to {code(mask_field)}", where
        )
        return
    what, kept = _what_becomes_of_masks(ctx, label_field, mask_field, masks)
    warn(inputs, "outcome", what, f"{kept} {where}")
    inputs.bool(
        "overwrite",
        default=False,
        label="Overwrite all masks",
        view=types.CheckboxView(),
    )


def _what_becomes_of_masks(
    ctx: ExecutionContext, label_field: str, mask_field: str, masks: int | None
) -> tuple[str, str]:
    """Returns what is replaced in a field that has masks, and what is kept.

    Args:
        ctx: the context of the form
        label_field: the field of the objects that are drawn
        mask_field: the field of the masks
        masks: how many it has, None if that is not known
    """
    from ..datasets.masks.field import mask_options

    def masks_of(kind: str = "") -> str:
        return f"{kind}masks" if masks is None else count(masks, f"{kind}mask")

    field, made = code(mask_field), mask_options(ctx.dataset, mask_field)
    mode = ctx.params.get("mode") or "binary"
    is_all = bool(ctx.params.get("overwrite"))
    elsewhere = " Masks that were not computed from labels are replaced too."
    if made is not None and made["mode"] != mode:
        what = f"Replaces {masks_of(made['mode'] + ' ')} in {field}"
        kept = f"They become {mode} masks; give another field to keep them."
        return what, kept + elsewhere * is_all
    drawn_from = None if made is None else made["label_field"]
    if drawn_from != label_field and ctx.dataset.has_field(drawn_from or ""):
        what = f"Replaces {masks_of()} of {code(drawn_from)} in {field}"
        kept = f"They become masks of {code(label_field)}; give another field to keep "
        return what, f"{kept}them.{elsewhere * is_all}"
    if is_all:
        what = f"Replaces all {masks_of()} in {field}"
        return what, f"This cannot be undone.{elsewhere}"
    if made is None:
        what = f"{field} has {masks_of()} that were not computed from labels"
        return what, "They are kept unless you choose to overwrite them."
    what = f"{field} has {masks_of()}: those out of date are replaced"
    return what, "Masks whose labels and options are unchanged are kept."


def _count_masks(target: SampleCollection, mask_field: str) -> int | None:
    """Returns how many masks there are, None if nobody knows that in time."""
    number: int | None = known(
        "counting masks",
        ("masks", mask_field),
        target,
        lambda: target.exists(mask_field).count(),
    )
    return number
