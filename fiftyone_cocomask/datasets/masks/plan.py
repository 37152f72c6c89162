"""What is decided before the first mask of a run is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import fiftyone as fo
import fiftyone.core.storage as fos

from ...errors import CocoMaskError
from ..field_names import check_new_field
from ..labels import draws_lines, is_mask_field, object_list_path
from .drawing import MaskOptions, Mode, Rasterizer
from .files import default_mask_dir

Overlap = Literal["largest_first", "smallest_first", "annotation_order"]
Storage = Literal["disk", "database"]


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """All that the masks of a run have in common, also where several processes draw.

    Attributes:
        label_field: the field of the objects
        mask_field: the field of the masks
        options: what decides the pixels
        output_dir: the folder of the files, None for masks in the database
        overwrite: whether to draw every mask again, and to replace foreign ones
    """

    label_field: str
    mask_field: str
    options: MaskOptions
    output_dir: str | None
    overwrite: bool

    def to_dict(self) -> dict[str, Any]:
        """Returns the plan as MongoDB and JSON hold it."""
        # Classes have any name: keys of MongoDB have not.
        values = [list(item) for item in self.options.class_values.items()]
        return {**asdict(self), "options": self.options.to_dict(), "values": values}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> MaskPlan:
        """Returns the plan that :meth:`to_dict` gave."""
        fields = dict(content)
        values = dict(fields.pop("values"))
        options = dict(fields.pop("options"))
        for name in ("overlap", "classes"):
            if isinstance(options[name], list):
                options[name] = tuple(options[name])
        return cls(**fields, options=MaskOptions(**options, class_values=values))


def plan_masks(
    samples: Any,
    label_field: str,
    mask_field: str,
    *,
    mode: Mode,
    rasterizer: Rasterizer,
    overlap: Overlap | Sequence[str],
    classes: Sequence[str] | None,
    include_crowd: bool,
    output_dir: str | Path | None,
    storage: Storage,
    overwrite: bool,
) -> MaskPlan:
    """Checks the arguments of ``compute_masks`` and decides what follows from them.

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written
    """
    dataset = samples._dataset
    _check_choices(mode=mode, rasterizer=rasterizer, storage=storage)
    check_mask_field(dataset, mask_field, label_field)
    list_path = object_list_path(samples, label_field)
    options = MaskOptions(
        mode=mode,
        rasterizer=rasterizer,
        overlap=_checked_overlap(overlap),
        classes=None if classes is None else tuple(classes),
        include_crowd=include_crowd,
        class_values=(
            _class_values(dataset, list_path, mask_field, classes)
            if mode == "semantic"
            else {}
        ),
        lines=draws_lines(dataset, label_field),
    )
    folder = None
    if storage == "disk":
        folder = fos.normalize_path(
            str(output_dir or default_mask_dir(dataset, mask_field))
        )
    return MaskPlan(label_field, mask_field, options, folder, overwrite)


def _check_choices(mode: str, rasterizer: str, storage: str) -> None:
    for name, value, choices in (
        ("mode", mode, get_args(Mode)),
        ("rasterizer", rasterizer, get_args(Rasterizer)),
        ("storage", storage, get_args(Storage)),
    ):
        if value not in choices:
            allowed = ", ".join(repr(choice) for choice in choices)
            raise CocoMaskError(f"{name} must be one of {allowed}, not {value!r}")


def _checked_overlap(overlap: str | Sequence[str]) -> str | tuple[str, ...]:
    if not isinstance(overlap, str):
        return tuple(overlap)
    if overlap not in get_args(Overlap):
        allowed = ", ".join(repr(choice) for choice in get_args(Overlap))
        raise CocoMaskError(
            f"overlap must be one of {allowed} or a list of classes, not {overlap!r}"
        )
    return overlap


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
            f"Dataset '{dataset.name}' has a field '{mask_field}' that is no "
            "Segmentation; give another mask_field"
        )


def _class_values(
    dataset: fo.Dataset,
    list_path: str,
    mask_field: str,
    classes: Sequence[str] | None,
) -> dict[str, int]:
    """Returns the mask value of each class.

    The field's own mask targets come first, then the dataset's default ones, so that
    a class has one value in all masks; a class in neither gets the next free value.

    Raises:
        CocoMaskError: if there are more classes than a 16-bit mask has values
    """
    targets = dataset.mask_targets.get(mask_field) or dataset.default_mask_targets
    values = {
        name: int(value)
        for value, name in sorted((targets or {}).items())
        if isinstance(value, int) and 1 <= value <= 65535
    }
    labels = dataset.distinct(f"{list_path}.label")
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
