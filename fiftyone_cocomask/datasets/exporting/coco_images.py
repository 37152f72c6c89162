"""A sample -> the entry of its image in a COCO JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...coco.document import normal_id
from ...coco.frames import TurnedBack
from ...coco.images import ImageFileError, read_header
from ...coco.writing import Ids
from ..documents import Document


def size_of(document: Document) -> tuple[int, int] | None:
    """Returns the width and height of a sample's image as it is shown, if known."""
    metadata = document.get("metadata") or {}
    width, height = metadata.get("width"), metadata.get("height")
    if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
        return width, height
    try:
        with open(document["filepath"], "rb") as file:
            header = read_header(file)
    except (OSError, ImageFileError):
        return None
    return header.width, header.height


def turned_back(orientation: Any, size: tuple[int, int]) -> TurnedBack | None:
    """Returns how coordinates are turned back that the import turned, if it did."""
    if orientation not in (5, 6, 7, 8):
        return None
    width, height = size
    return TurnedBack(height, width, orientation)


def area_factor(counted: Any, size: tuple[int, int]) -> float:
    """Returns how many pixels of a file are one of those that its JSON counted.

    Args:
        counted: the width and height that the JSON's areas count, if others were kept
        size: the width and height of the file
    """
    try:
        width, height = counted
        return size[0] * size[1] / (width * height)
    except (TypeError, ValueError, ZeroDivisionError):
        return 1.0


def image_entry(
    document: Document,
    name: str,
    size: tuple[int, int],
    turned: TurnedBack | None,
    original: Mapping[str, Any],
    ids: Ids,
) -> dict[str, Any]:
    """Returns the entry of a sample's image.

    Args:
        document: the sample's document
        name: the image's file name
        size: its width and height as it is shown, in pixels
        turned: how coordinates are turned back, if they were turned
        original: what the import kept of the entry that it read
        ids: gives it its id
    """
    coco_id = document.get("coco_id")
    coco_id = document.get("coco_id_text") if coco_id is None else int(coco_id)
    width, height = size if turned is None else (turned.width, turned.height)
    identifier = ids.own(coco_id)
    entry = {"id": identifier, "file_name": name, "width": width, "height": height}
    rest = original.get("rest")
    rest = rest if isinstance(rest, dict) else {}
    for key, value in rest.items():
        if key == "id" and normal_id(value) != identifier:
            continue
        if key != "file_name":
            entry[key] = value
    for key in original.get("without") or ():
        if key not in rest:
            entry.pop(key, None)
    return entry


def json_object(text: Any) -> dict[str, Any]:
    """Returns the object that a text is in JSON; an empty one for anything else."""
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
