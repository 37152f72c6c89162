"""The attributes of labels -> the keys of annotations that are not COCO's own."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from bson import ObjectId

from ...coco.originals import AnnotationForm, attributes_of, known_attributes
from ..documents import Document

# A label's own fields, which are written in COCO's keys or not at all.
_OWN_NAMES = frozenset(
    {
        "id", "_id", "_cls", "tags", "attributes", "label", "points", "closed",
        "filled", "index", "confidence", "instance", "bounding_box", "mask",
        "mask_path", "rle", "outline_iou", "iscrowd", "supercategory",
        "annotated_area", "coco_id", "coco_id_text", "coco_category_id",
        "coco_category_id_text", "category_id", "category_id_text", "coco_original",
    }
)  # fmt: skip


class AttributeWriter:
    """Adds what labels carry beside COCO's keys to the entries of their annotations.

    Args:
        form: the form of the split's annotations
        owned: the names of attributes that evaluations wrote, which stay in the dataset
    """

    def __init__(self, form: AnnotationForm, owned: Collection[str]) -> None:
        self._form = form
        self._known_names = frozenset({*_OWN_NAMES, *owned, *form.origins})

    def add(
        self,
        entry: dict[str, Any],
        label: Document,
        partner: Document,
        original: dict[str, Any],
        *,
        are_changed: bool,
    ) -> list[str]:
        """Adds what a label carries beside COCO's keys.

        Args:
            entry: the annotation's entry
            label: the label
            partner: the annotation's other label, of which new attributes are taken
            original: what the import kept of the annotation
            are_changed: whether a person has changed attributes of it

        Returns:
            the names of attributes that JSON cannot hold
        """
        rest = original.get("rest")
        form = self._form
        # FiftyOne's older way to keep attributes, which some importers still go.
        older = label.get("attributes")
        if (
            rest is None
            and not form.origins
            and not form.has_nested
            and not older
            and label.get("confidence") is None
            and self._known_names.issuperset(label)
            and self._known_names.issuperset(partner)
        ):
            return []
        others = label.keys() - self._known_names
        more = partner.keys() - self._known_names - others
        kept = attributes_of(label, rest, form, are_changed=are_changed)
        known = known_attributes(rest, form)
        lost = []
        new: dict[str, Any] = {}
        values = {name: label[name] for name in sorted(others - known)}
        values |= {name: partner[name] for name in sorted(more - known)}
        if isinstance(older, Mapping):
            for name, value in older.items():
                is_attribute = isinstance(value, Mapping) and "value" in value
                values.setdefault(name, value["value"] if is_attribute else value)
        for name, value in values.items():
            if name[:1] == "_" or value is None:
                continue
            try:
                new[name] = json_value(value)
            except TypeError:
                lost.append(name)
        if label.get("confidence") is not None and "score" not in kept:
            new.setdefault("score", json_value(label["confidence"]))
        if new:
            nested = kept.get("attributes")
            into = nested if form.has_nested and isinstance(nested, dict) else kept
            for name, value in new.items():
                into.setdefault(name, value)
        for name, value in kept.items():
            try:
                entry.setdefault(name, json_value(value))
            except TypeError:
                lost.append(name)
        return lost


def json_value(value: Any) -> Any:
    """Returns a value of MongoDB's as JSON holds it.

    Raises:
        TypeError: if JSON cannot hold it
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value)  # MongoDB's 64-bit numbers are of a class of their own.
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, ObjectId):
        return str(value)
    raise TypeError(type(value).__name__)
