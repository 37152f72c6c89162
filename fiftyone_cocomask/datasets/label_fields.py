"""Which fields of a dataset hold objects that can be drawn, or masks."""

from __future__ import annotations

import fiftyone as fo

from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from .documents import aggregate_documents, backing_dataset

# The label types whose objects can be drawn, and the list each keeps them in.
OBJECT_LISTS: dict[type, str | None] = {
    fo.Polylines: "polylines",
    fo.Polyline: None,
    fo.Detections: "detections",
    fo.Detection: None,
}


def object_list_path(samples: SampleCollection, label_field: str) -> str:
    """Returns the path of the objects of a label field: ``"field.polylines"``.

    Raises:
        CocoMaskError: if there is no such field or its labels are not objects
    """
    field = samples.get_field(label_field)
    if field is None:
        fitting = object_fields(samples)
        has = f"it has {', '.join(fitting)}" if fitting else "it has none"
        raise CocoMaskError(
            f"Dataset '{backing_dataset(samples).name}' has no field '{label_field}'; "
            f"give label_field= a field of Polylines or Detections ({has})"
        )
    label_type = getattr(field, "document_type", None)
    if label_type not in OBJECT_LISTS:
        found = label_type.__name__ if label_type else type(field).__name__
        raise CocoMaskError(
            f"Field '{label_field}' holds {found}; label_field= needs Polylines, or "
            "Detections with masks"
        )
    list_name = OBJECT_LISTS[label_type]
    return f"{label_field}.{list_name}" if list_name else label_field


def object_fields(samples: SampleCollection) -> list[str]:
    """Returns the names of the sample fields whose labels can be drawn as objects."""
    schema = samples.get_field_schema()
    return [
        name
        for name, field in schema.items()
        if getattr(field, "document_type", None) in OBJECT_LISTS
    ]


def draws_lines(dataset: fo.Dataset, label_field: str) -> bool:
    """Whether polylines that are not filled are lines in a field, and not areas.

    A polygon that is drawn in the App is stored neither closed nor filled unless the
    field's label schema says otherwise, so in a field of segmentations it is an area. A
    field says which it is, in this order:

    - by its label schema: the default of the attribute ``filled``
    - it was imported by this plugin: areas
    - it has a polyline that is filled: areas, else lines

    Args:
        dataset: the dataset
        label_field: a field as for :func:`object_list_path`
    """
    path = object_list_path(dataset, label_field)
    if dataset.get_field(label_field).document_type not in (fo.Polylines, fo.Polyline):
        return False
    schema = dataset.label_schemas.get(label_field) or {}
    for attribute in schema.get("attributes") or []:
        if attribute.get("name") == "filled" and "default" in attribute:
            return not attribute["default"]
    if dataset.has_field(f"{path}.annotated_area"):
        return False
    filled = {"$match": {f"{path}.filled": True}}
    return not aggregate_documents(
        dataset, [filled, {"$limit": 1}, {"$project": {"_id": 1}}]
    )


def is_mask_field(samples: SampleCollection, name: str) -> bool:
    """Whether a dataset has a field of masks of this name."""
    return name in mask_fields(samples)


def mask_fields(samples: SampleCollection) -> list[str]:
    """Returns the names of a dataset's fields of masks."""
    return list(samples.get_field_schema(embedded_doc_type=fo.Segmentation))


def check_has_masks(dataset: fo.Dataset, mask_field: str) -> None:
    """Checks that a dataset has a field of masks.

    Raises:
        CocoMaskError: if it has not
    """
    if not is_mask_field(dataset, mask_field):
        names = mask_fields(dataset)
        has = f"it has {', '.join(names)}" if names else "compute masks first"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no Segmentation field '{mask_field}'; {has}"
        )
