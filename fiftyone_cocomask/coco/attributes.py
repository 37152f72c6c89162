"""What annotations and images carry beside COCO's keys, as FiftyOne can store it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# What FiftyOne's Polyline and Detection have themselves (fields and methods), what the
# import writes on them, and what FiftyOne's COCO exporter passes on beside a label's
# attributes: an attribute of such a name would take its place, or end an export.
RESERVED_NAMES = frozenset(
    {
        "STRICT", "annotated_area", "area", "attributes", "bbox", "bounding_box",
        "category_id", "category_id_text", "clean", "clear_field", "closed",
        "coco_category_id", "coco_category_id_text", "coco_id", "coco_id_text",
        "coco_original", "confidence", "copy", "delete_attribute", "export_mask",
        "fancy_repr", "field_names", "field_to_mongo", "field_to_python", "filled",
        "from_cuboid", "from_dict", "from_json", "from_mask", "from_rotated_box",
        "get_attribute_value", "get_field", "get_mask", "get_text_score",
        "has_attribute", "has_field", "has_mask", "id", "image_id", "import_mask",
        "index", "instance", "instance_id", "iscrowd", "iter_attributes", "iter_fields",
        "keypoints", "label", "mask", "mask_path", "merge", "my_metaclass",
        "outline_iou", "pk", "points", "rle", "score", "segmentation", "self",
        "set_attribute_value", "set_field", "supercategory", "tags", "to_detection",
        "to_dict", "to_json", "to_mongo", "to_polyline", "to_segmentation",
        "to_shapely", "validate",
    }
)  # fmt: skip
_MAX_NAME = 100
# What a key must not begin with, or not hold; % where it could be taken for encoded.
_SPECIAL = re.compile(r"^[_$]|[.\0]|%(?=%|24|5F|2E|00|25)")
_ENCODED = re.compile("%(24|5F|2E|00|25)")
_EMPTY_KEY = "%%"
_MAX_DEPTH = 20


def safe_attributes(
    values: Mapping[str, Any], renamed: dict[str, str]
) -> dict[str, Any]:
    """Returns attributes under names and with values that FiftyOne can store.

    Args:
        values: the attributes as the JSON has them
        renamed: takes the new name of each attribute that could not keep its own
    """
    attributes: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    for name, value in values.items():
        safe = _free(safe_name(name), attributes, numbers)
        if safe != name:
            renamed[name] = safe
        attributes[safe] = plain_value(value)
    return attributes


def safe_name(name: str) -> str:
    """Returns a name that an attribute of a label can have.

    An identifier without leading underscore, and none that a label has itself: those
    get the prefix ``coco_``.
    """
    if name.isidentifier() and name[0] != "_" and name not in RESERVED_NAMES:
        return name if len(name) <= _MAX_NAME else name[:_MAX_NAME]
    safe = re.sub(r"\W", "_", name[: 3 * _MAX_NAME]).strip("_")[:_MAX_NAME]
    if not safe.isidentifier() or safe in RESERVED_NAMES:
        safe = f"coco_{safe or 'attribute'}"
    if not safe.isidentifier():
        return "coco_attribute"
    return f"{safe}_" if safe in RESERVED_NAMES else safe


def plain_value(value: Any, depth: int = 0) -> Any:
    """Returns a JSON value as MongoDB takes it and FiftyOne gives it back.

    Whole numbers beyond 64 bits become text, keys that mean something to either are
    encoded (:func:`encode_key`), and what is nested more than 20 deep is left out.
    """
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, list):
        if depth >= _MAX_DEPTH:
            return None
        return [plain_value(item, depth + 1) for item in value]
    if isinstance(value, dict):
        if depth >= _MAX_DEPTH:
            return None
        return {encode_key(k): plain_value(v, depth + 1) for k, v in value.items()}
    return value


def original_value(value: Any) -> Any:
    """Returns a value with the keys that it had before :func:`plain_value`."""
    if isinstance(value, list):
        return [original_value(item) for item in value]
    if isinstance(value, Mapping):
        return {decode_key(key): original_value(item) for key, item in value.items()}
    return value


def encode_key(key: str) -> str:
    """Returns a key that nothing interprets in a document.

    MongoDB and FiftyOne take ``_cls``, ``_id``, ``$oid`` and dots for their own, at any
    depth: a document with such a key is refused, or can never be read again. What they
    might take so is written as in URLs: ``%5Fcls``. No two keys become the same.
    """
    if not key:
        return _EMPTY_KEY
    return _SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}", key)


def decode_key(key: str) -> str:
    """Returns the key of which :func:`encode_key` made another."""
    if key == _EMPTY_KEY:
        return ""
    return _ENCODED.sub(lambda found: chr(int(found[1], 16)), key)


def _free(name: str, taken: Mapping[str, Any], numbers: dict[str, int]) -> str:
    """Returns a name that is not taken: with ``_`` at its end, then with a number.

    Args:
        name: the name to begin with
        taken: the names that are taken
        numbers: the next number of each name, so that none is tried twice
    """
    free = name
    while free in taken:
        number = numbers.get(name, 1)
        numbers[name] = number + 1
        free = f"{name}_" if number == 1 else f"{name}_{number}"
    return free
