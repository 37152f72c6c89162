"""What imports keep of their exports in ``dataset.info["coco"]``.

It is of the last import; in it are those of imports into other fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo

from ...coco.attributes import encode_key
from .base import DEFAULT_FIELDS, Fields
from .fields import written_as

_INFO = "coco"
_OTHERS = "other_fields"
# Beside it: where the list of known images is kept, so that copies of the dataset find
# that of their original.
_IMAGES = "cocomask_images"


def export_info(
    dataset: fo.Dataset, label_field: str | None = None
) -> Mapping[str, Any]:
    """Returns what the last import has kept of its export.

    Args:
        dataset: the dataset
        label_field: the labels that it is to be about; by default any

    Returns:
        what it kept; where no import is known to have written these labels, what the
        last one kept. Empty if there was none
    """
    info = dataset.info.get(_INFO)
    if not isinstance(info, Mapping):
        return {}
    others = info.get(_OTHERS)
    if label_field is None or not isinstance(others, Mapping):
        return info
    known = {name: of for of in (*others.values(), info) for name in fields_of(of)}
    if label_field not in known:
        names = written_as(dataset, (label_field, None))
        names = names or written_as(dataset, (None, label_field))
        label_field = names[0] if names else label_field
    found: Mapping[str, Any] = known.get(label_field, info)
    return found


def known_info(dataset: fo.Dataset, fields: Fields) -> Mapping[str, Any]:
    """Returns what was kept of the last export that was imported into two fields.

    Args:
        dataset: the dataset
        fields: the fields of polylines and detections, as they are called now

    Returns:
        what was kept; empty where no import is known to have written these fields
    """
    last = export_info(dataset)
    others = last.get(_OTHERS) or {}
    known = {fields_of(of): of for of in (*others.values(), last) if of}
    if known and fields not in known:
        fields = written_as(dataset, fields) or fields
    found: Mapping[str, Any] = known.get(fields, {})
    return found


def all_info(dataset: fo.Dataset) -> list[Mapping[str, Any]]:
    """Returns what was kept of the last export in each pair of fields."""
    last = export_info(dataset)
    others = last.get(_OTHERS) or {}
    return [of for of in (last, *others.values()) if of]


def known_images(dataset: fo.Dataset) -> Mapping[str, Any]:
    """Returns where the known images of a dataset, or of its original, are listed."""
    found = dataset.info.get(_IMAGES)
    return found if isinstance(found, Mapping) else {}


def note_known_images(dataset: fo.Dataset, place: Mapping[str, Any]) -> None:
    """Notes where known images are listed, on the dataset and so on its copies."""
    if known_images(dataset) != place:
        dataset.info[_IMAGES] = dict(place)
        dataset.save()


def forget_info(dataset: fo.Dataset) -> None:
    """Forgets what was kept of all exports; the dataset is not saved."""
    dataset.info.pop(_INFO, None)


def store_info(dataset: fo.Dataset, fields: Fields, info: dict[str, Any]) -> None:
    """Keeps what is known of an export, beside what imports into other fields kept.

    Of splits that it does not have, what was known of them stays.

    Args:
        dataset: the dataset, which is not saved
        fields: the fields of polylines and detections
        info: what is known of the export
    """
    last = dict(dataset.info.get(_INFO) or {})
    others = dict(last.pop(_OTHERS, None) or {})
    before = fields_of(last)
    # The same ones, perhaps, whose names are others by now.
    if last and before != fields and before != written_as(dataset, fields):
        others[_key(before)] = last
        last = others.pop(_key(fields), {})
    splits = {**last.get("splits", {}), **info["splits"]}
    whole = {**info, "fields": list(fields), "splits": splits}
    dataset.info[_INFO] = {**whole, _OTHERS: others} if others else whole


def fields_of(info: Mapping[str, Any]) -> Fields:
    """Returns the fields that an import wrote; version 0.1 did not say them."""
    stored = info.get("fields")
    if isinstance(stored, list) and len(stored) == len(DEFAULT_FIELDS):
        return stored[0], stored[1]
    return DEFAULT_FIELDS


def _key(fields: Fields) -> str:
    return encode_key(",".join(fields))
