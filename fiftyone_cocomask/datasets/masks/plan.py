"""What is decided before the first mask of a run is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import fiftyone as fo
import fiftyone.core.storage as fos

from ...choices import Boxes, Mode, Overlap, Rasterizer, Storage
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..documents import backing_dataset
from ..field_names import check_new_field
from ..known_classes import check_classes, known_classes
from ..label_fields import draws_lines, is_mask_field
from ..label_lists import LabelList, boxes_beside, count_boxes_only
from ..owned_fields import INFO_KEY
from .files import check_folders, default_mask_dir
from .options import MaskOptions, MaskPlan


def plan_masks(
    samples: SampleCollection,
    label_field: str,
    mask_field: str,
    asked: MaskOptions,
    *,
    output_dir: str | Path | None = None,
    storage: Storage = "disk",
    overwrite: bool = False,
    boxes: Boxes = "skip",
    is_again: bool = False,
) -> MaskPlan:
    """Checks the arguments of ``compute_masks`` and decides what follows from them.

    Args:
        samples: the dataset or view
        label_field: the field of the objects
        mask_field: the field of the masks
        asked: the options as far as they are asked for
        output_dir: as for :func:`compute_masks`, like the rest
        storage: where the masks are kept
        overwrite: whether to draw every mask again
        boxes: what to do with boxes that have no shape
        is_again: whether masks are drawn as they were before: classes that were there
            then may have other names by now

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written
    """
    dataset = backing_dataset(samples)
    _check_choices(asked, storage, boxes)
    check_mask_field(dataset, mask_field, label_field)
    labels = LabelList.of_field(samples, label_field)
    box_field = _box_field(dataset, labels) if boxes == "draw" else None
    if boxes == "error":
        _refuse_boxes(samples, labels)
    _check_overlap(asked.overlap)
    named: dict[str, Sequence[str]] = {}
    if not isinstance(asked.overlap, str):
        named["overlap"] = asked.overlap
    if asked.classes is not None:
        named["classes"] = asked.classes
    drawn: list[str] = []
    if named or asked.mode == "semantic":
        drawn = _drawn_classes(dataset, labels, box_field)
    for argument, classes in named.items():
        known = known_classes(dataset, drawn)
        # An order may be of no class any more, but a mask is of one at least.
        is_fine = argument == "overlap" or not set(classes).isdisjoint(known)
        if not (is_again and is_fine):
            check_classes(argument, classes, known, label_field)
    options = replace(
        asked,
        class_values=(
            _class_values(dataset, labels.path, drawn, mask_field, asked.classes)
            if asked.mode == "semantic"
            else {}
        ),
        lines=draws_lines(dataset, label_field),
        boxes=boxes == "draw",
        box_field=box_field,
    )
    if storage == "database":
        return MaskPlan(label_field, mask_field, options, None, overwrite)
    own = default_mask_dir(dataset, mask_field)
    folder = fos.normalize_path(str(output_dir or own))
    is_own = Path(folder) == Path(fos.normalize_path(str(own)))
    check_folders(dataset, Path(folder))
    return MaskPlan(label_field, mask_field, options, folder, overwrite, is_own)


def _box_field(dataset: fo.Dataset, labels: LabelList) -> str | None:
    """Returns the field that the boxes to draw are in, None if they are the labels.

    Raises:
        CocoMaskError: if there is none
    """
    if labels.is_detections(dataset):
        return None
    beside = boxes_beside(dataset, labels)
    if beside is None:
        raise CocoMaskError(
            f"'{labels.field}' has polygons and no import has written a field of boxes "
            "beside it; boxes='draw' needs one, or a label_field of Detections"
        )
    return beside.field


def _refuse_boxes(samples: SampleCollection, labels: LabelList) -> None:
    count = count_boxes_only(samples, labels)
    if count:
        raise CocoMaskError(
            f"Boxes without a shape: {count:,}; they would be background in the masks "
            f"of '{labels.field}'; give boxes='skip' to leave them out, or 'draw'"
        )


def _drawn_classes(
    dataset: fo.Dataset, labels: LabelList, box_field: str | None
) -> list[str]:
    """Returns the classes of all that can be drawn."""
    found = dataset.distinct(f"{labels.path}.label")
    if box_field is not None:
        boxes = LabelList.of_field(dataset, box_field)
        found = sorted({*found, *dataset.distinct(f"{boxes.path}.label")})
    return list(found)


def _check_choices(asked: MaskOptions, storage: str, boxes: str) -> None:
    for name, value, choices in (
        ("mode", asked.mode, get_args(Mode)),
        ("rasterizer", asked.rasterizer, get_args(Rasterizer)),
        ("storage", storage, get_args(Storage)),
        ("boxes", boxes, get_args(Boxes)),
    ):
        if value not in choices:
            allowed = ", ".join(repr(choice) for choice in choices)
            raise CocoMaskError(f"{name} must be one of {allowed}, not {value!r}")


def _check_overlap(overlap: str | Sequence[str]) -> None:
    if isinstance(overlap, str) and overlap not in get_args(Overlap):
        allowed = ", ".join(repr(choice) for choice in get_args(Overlap))
        raise CocoMaskError(
            f"overlap must be one of {allowed} or a list of classes, not {overlap!r}"
        )


def check_mask_field(dataset: fo.Dataset, mask_field: str, label_field: str) -> None:
    """Checks that a dataset can have masks in a field.

    Raises:
        CocoMaskError: if it cannot
    """
    if dataset.media_type not in ("image", "group", None):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' holds {dataset.media_type} samples; masks are "
            "computed for images"
        )
    if mask_field == label_field:
        raise CocoMaskError(f"mask_field and label_field are both {label_field!r}")
    if is_mask_field(dataset, mask_field):
        return
    check_new_field("mask_field", mask_field)
    if dataset.has_field(mask_field):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has a field '{mask_field}' that is not "
            "a Segmentation; give another mask_field"
        )


def _class_values(
    dataset: fo.Dataset,
    list_path: str,
    labels: list[str],
    mask_field: str,
    classes: Sequence[str] | None,
) -> dict[str, int]:
    """Returns the mask value of each class.

    The field's own mask targets come first, then the dataset's default ones, so that
    a class has one value in all masks; a class in neither gets the next free value.

    Raises:
        CocoMaskError: if there are more classes than a 16-bit mask has values
    """
    field = dataset.get_field(mask_field)
    made = ((field.info or {}) if field is not None else {}).get(INFO_KEY)
    # Those of binary masks name no class.
    own = dataset.mask_targets.get(mask_field) or {}
    if made is not None and made["mode"] != "semantic":
        own = {}
    values: dict[str, int] = {}
    for targets in (own, dataset.default_mask_targets or {}):
        for value, name in sorted(targets.items(), key=str):
            fits = isinstance(value, int) and 1 <= value <= 65535
            if fits and name not in values and value not in values.values():
                values[str(name)] = value
    free = (value for value in range(1, 65536) if value not in set(values.values()))
    for name in labels:
        if name not in values:
            value = next(free, None)
            if value is None:
                raise CocoMaskError(
                    f"'{list_path}' has more than 65,535 classes; a 16-bit mask has "
                    "no value for each: give classes="
                )
            values[name] = value
    wanted = set(labels if classes is None else classes)
    return {name: value for name, value in values.items() if name in wanted}
