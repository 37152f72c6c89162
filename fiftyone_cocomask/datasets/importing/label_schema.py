"""The label schema that the App's Annotate tab needs to edit a field.

Without one the tab offers nothing but "Add schema". A polygon that is drawn there is
stored neither closed nor filled unless the schema says otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import fiftyone as fo

from ..documents import add_label_schema, many_fields

Attribute = dict[str, Any]

# Radio buttons for a few classes, a searchable list for more: FiftyOne's own limit.
_MAX_RADIO_CLASSES = 5
# FiftyOne refuses longer lists; a label is text to type in then.
_MAX_CLASSES = 1000
# What belongs to the export, and to no person's judgement.
_READ_ONLY = frozenset(
    {
        "coco_id",
        "coco_id_text",
        "coco_category_id",
        "coco_category_id_text",
        "category_id",
        "category_id_text",
        "supercategory",
        "annotated_area",
    }
)
# Attributes of predictions and of files, which an annotation does not have.
_LEFT_OUT = frozenset({"confidence", "index", "mask_path"})
_DEFAULTS: dict[str, Attribute] = {
    "closed": {"default": True},
    "filled": {"default": True},
    "iscrowd": {"component": "radio", "values": [0, 1], "default": 0},
}


def declare_label_schemas(
    dataset: fo.Dataset,
    fields: Sequence[str],
    classes: Sequence[str],
    new_classes: Sequence[str],
    gone_classes: Collection[str] = (),
) -> None:
    """Makes fields of labels editable in the App.

    A schema that is there already stays, whoever made it: it only gets the new classes
    in the place of those that are gone, if it lists classes and has room for them.

    Args:
        dataset: the dataset, with the fields and their attributes declared
        fields: the fields of Polylines or Detections
        classes: the classes to choose from
        new_classes: those of them that the last import did not know
        gone_classes: classes that no import has written any more
    """
    if dataset.media_type != "image":
        return
    with many_fields(len(dataset.get_field_schema(flat=True))):
        present = dataset.label_schemas
        for field in fields:
            if field in present:
                _change_classes(
                    dataset, field, present[field], new_classes, gone_classes
                )
            else:
                add_label_schema(dataset, field, _label_schema(dataset, field, classes))


def _label_schema(
    dataset: fo.Dataset, field: str, classes: Sequence[str]
) -> dict[str, Any]:
    """Returns FiftyOne's schema of a field, with what the import knows of it."""
    schema: dict[str, Any] = dataset.generate_label_schemas(field, scan_samples=False)
    schema["attributes"] = [
        _attribute(attribute)
        for attribute in schema["attributes"]
        if attribute["name"] not in _LEFT_OUT
    ]
    if 0 < len(classes) <= _MAX_CLASSES:
        schema["classes"] = list(classes)
        schema["component"] = _component(len(classes))
    return schema


def _attribute(attribute: Attribute) -> Attribute:
    name = attribute["name"]
    if name in _READ_ONLY:
        return {**attribute, "read_only": True}
    return {**attribute, **_DEFAULTS.get(name, {})}


def _change_classes(
    dataset: fo.Dataset,
    field: str,
    schema: dict[str, Any],
    new: Sequence[str],
    gone: Collection[str],
) -> None:
    listed = schema.get("classes")
    if not listed:
        return
    there = set(listed)
    classes = [name for name in listed if name not in gone]
    classes += [name for name in new if name not in there]
    if classes == list(listed) or not 0 < len(classes) <= _MAX_CLASSES:
        return
    schema["classes"] = classes
    if schema.get("component") == "radio":
        schema["component"] = _component(len(classes))
    # A person may have added attributes in the App that no label has as yet.
    dataset.update_label_schema(field, schema, allow_new_attrs=True)


def _component(num_classes: int) -> str:
    return "radio" if num_classes <= _MAX_RADIO_CLASSES else "dropdown"
