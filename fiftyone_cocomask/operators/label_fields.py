"""Which fields of a dataset hold objects that can be drawn, or masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .choosing import default_field
from .in_time import known
from .markdown import plain
from .prerequisites import choosable

# A field is taken to hold masks if one of so many samples with labels has one.
_LOOKED_AT = 1000


def labelled_fields(dataset: fo.Dataset) -> list[str]:
    """Returns the fields of polylines and of detections, with masks or without."""
    from ..datasets.label_fields import object_fields

    return object_fields(dataset)


def usual_objects(fields: Sequence[str]) -> str:
    """Returns the field that an import writes, the polygons' first, else the first."""
    usual = [name for name in ("segmentations", "detections") if name in fields]
    return (usual or fields or ["segmentations"])[0]


def chosen_labels(ctx: ExecutionContext) -> str:
    """Returns the field of the labels: that which was given, else the usual one."""
    given: str | None = ctx.params.get("label_field")
    return given or usual_objects(labelled_fields(ctx.dataset))


def why_no_labels(dataset: fo.Dataset) -> str:
    """Returns why a dataset has no labels, and what to do."""
    return (
        f"Dataset '{plain(dataset.name)}' has no labels. Import an export, or add a "
        "field of Polylines or Detections."
    )


def drawable_fields(dataset: fo.Dataset) -> list[str]:
    """Returns the fields of polylines, and of detections that have masks."""
    return [name for name in labelled_fields(dataset) if _may_be_drawn(dataset, name)]


def _may_be_drawn(dataset: fo.Dataset, name: str) -> bool:
    """Whether a field can be drawn, or nobody knows that in time."""
    what = f"looking for masks in '{name}'"
    found = known(
        what, ("drawable", name), dataset, lambda: _is_drawable(dataset, name)
    )
    return found is not False


def fields_to_draw(ctx: ExecutionContext, inputs: types.Object) -> list[str]:
    """Returns the fields of objects to choose from, see :func:`choosable`."""
    return choosable(ctx, inputs, drawable_fields, why_no_field)


def chosen_objects(ctx: ExecutionContext) -> str:
    """Returns the field of the objects: that which was given, else the usual one."""
    given: str | None = ctx.params.get("label_field")
    return given or default_field(drawable_fields(ctx.dataset), "segmentations")


def box_fields(dataset: fo.Dataset) -> list[str]:
    """Returns the fields of detections that have no masks."""
    return [
        name for name in labelled_fields(dataset) if not _may_be_drawn(dataset, name)
    ]


def why_no_field(dataset: fo.Dataset) -> str:
    """Returns why a dataset has no objects to draw, and what to do."""
    boxes = box_fields(dataset)
    if boxes:
        listed = " and ".join(f"'{plain(name)}'" for name in boxes)
        why = f"{listed} of dataset '{plain(dataset.name)}' has boxes, but no masks"
    else:
        why = f"Dataset '{plain(dataset.name)}' has no polygons and no masks of objects"
    return (
        f"{why}. Import an export with segmentations, or add a field of Polylines or "
        "of Detections with masks."
    )


def _is_drawable(dataset: fo.Dataset, name: str) -> bool:
    from ..datasets.documents import aggregate_documents
    from ..datasets.label_fields import object_list_path

    field: Any = dataset.get_field(name)
    if field.document_type not in (fo.Detections, fo.Detection):
        return True
    path = object_list_path(dataset, name)
    masks = [{f"{path}.{key}": {"$ne": None}} for key in ("mask", "mask_path", "rle")]
    found = aggregate_documents(
        dataset,
        [
            {"$match": {path: {"$nin": [None, []]}}},
            {"$limit": _LOOKED_AT},
            {"$match": {"$or": masks}},
            {"$limit": 1},
            {"$project": {"_id": 1}},
        ],
    )
    return bool(found)


def segmentation_fields(dataset: fo.Dataset) -> list[str]:
    """Returns the names of a dataset's fields of masks."""
    from ..datasets.label_fields import mask_fields

    return mask_fields(dataset)


def fields_of_masks(ctx: ExecutionContext, inputs: types.Object) -> list[str]:
    """Returns the fields of masks to choose from, see :func:`choosable`."""
    return choosable(ctx, inputs, segmentation_fields, _why_no_masks)


def _why_no_masks(dataset: fo.Dataset) -> str:
    return f"Dataset '{plain(dataset.name)}' has no masks. Run **Compute masks** first."
