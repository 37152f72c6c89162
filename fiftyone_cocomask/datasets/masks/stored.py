"""The document of a mask: what stands in it beside FiftyOne's own attributes.

Everything that is written into it is written here, and read here again:

- ``foreground_px``: the number of pixels that are not 0
- ``value_px``: of semantic masks, the number of pixels of each value but 0
- ``drawn``: the pixels of each label, alone and as far as they are visible; its
  ``fingerprint``, a hash of all that decided the pixels, see :func:`fingerprint`; and
  its ``file_state``, size and time of the file as it was written
- ``measured``: for each evaluation, a digest of the labels that it measured the mask
  with, and the time of that write; evaluations write it themselves

The App's tooltips show what is a number or a text, and nothing that is a dict. Masks of
earlier versions have ``fingerprint`` and ``file_state`` beside ``drawn``.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bson
import fiftyone as fo
import fiftyone.core.utils as fou
import numpy as np
from bson import ObjectId

from ...errors import MaskFileError
from ...geometry.png import png_size, read_mask
from ..documents import Document, has_any_sample, have_values, move_values

if TYPE_CHECKING:
    from .options import MaskOptions

MEASURED = "measured"
_DRAWN = "drawn"
# What was once beside what was counted.
_ONCE_BESIDE = ("fingerprint", "file_state")
# What tells whether a mask is as it was drawn.
STATE = ("mask_path", *_ONCE_BESIDE, *(f"{_DRAWN}.{name}" for name in _ONCE_BESIDE))
# What there is to read of a mask.
ATTRIBUTES = (
    "mask",
    "mask_path",
    *_ONCE_BESIDE,
    "foreground_px",
    "value_px",
    _DRAWN,
    MEASURED,
)
# Goes up where the same labels and options give other pixels than before.
_RULES = 2


@dataclass(frozen=True, slots=True)
class DrawnLabels:
    """What drawing has counted of the labels of a sample.

    Attributes:
        px: the pixels of each label alone, None where it is not in the mask
        visible_px: what is left of each after overlap, None as for ``px``
        overlap_px: the pixels under two or more labels
        others: the number of labels that could be drawn, but were not chosen
        boxes: the class and the visible pixels of each box that was drawn beside them
    """

    px: list[int | None]
    visible_px: list[int | None]
    overlap_px: int
    others: int
    boxes: list[tuple[str | None, int]] = field(default_factory=list)

    @property
    def drawn_px(self) -> int:
        """The number of pixels under any of them."""
        labels = sum(px for px in self.visible_px if px is not None)
        return labels + sum(px for _, px in self.boxes)


def fingerprint(
    label: Any,
    size: Sequence[int],
    path: Path | str | None,
    options: MaskOptions,
    boxes: Sequence[Any] = (),
) -> str:
    """Returns a hash of everything that decides a mask's pixels and place.

    Args:
        label: the raw document of the label field
        size: the image's (width, height) in pixels
        path: the mask's file, None for masks in the database
        options: how the mask is drawn
        boxes: the raw documents of boxes that are drawn too
    """
    content: Document = {
        "label": label,
        "size": list(size),
        "path": str(path),
        "options": options.to_dict(),
        "class_values": sorted(options.class_values.items()),
        "rules": _RULES,
    }
    if boxes:
        content["boxes"] = list(boxes)
    return blake2b(bson.encode(content), digest_size=16).hexdigest()


def new_document(
    fingerprint: str, drawn: DrawnLabels, value_px: Mapping[int, int] | None
) -> Document:
    """Returns the document of a mask, but for the mask itself.

    Args:
        fingerprint: see :func:`fingerprint`
        drawn: what was counted
        value_px: the pixels of each value but 0, where values are classes
    """
    document: Document = {
        "_id": ObjectId(),
        "_cls": "Segmentation",
        "tags": [],
        "foreground_px": drawn.drawn_px,
        _DRAWN: {
            "fingerprint": fingerprint,
            "px": drawn.px,
            "visible_px": drawn.visible_px,
            "overlap_px": drawn.overlap_px,
            "others": drawn.others,
        },
    }
    if drawn.boxes:
        document[_DRAWN]["boxes"] = [list(box) for box in drawn.boxes]
    if value_px is not None:
        document["value_px"] = {str(value): px for value, px in value_px.items()}
    return document


def set_array(document: Document, mask: np.ndarray) -> None:
    """Puts the mask itself into its document."""
    document["mask"] = fou.serialize_numpy_array(mask)


def set_file(document: Document, path: Path) -> None:
    """Puts the file of a mask, which has just been written, into its document."""
    document["mask_path"] = str(path)
    document[_DRAWN]["file_state"] = file_state(path)


def tidy_masks(dataset: fo.Dataset, mask_field: str) -> None:
    """Moves what masks of earlier versions have in plain sight to where it is now."""
    field_ = f"{mask_field}.{_DRAWN}"
    names = {f"{mask_field}.{name}": f"{field_}.{name}" for name in _ONCE_BESIDE}
    if has_any_sample(dataset, have_values(names)):
        move_values(dataset, names)


def stored_fingerprint(mask: Mapping[str, Any]) -> str | None:
    """Returns the fingerprint of a mask, None if no labels were drawn for it."""
    return _state(mask, "fingerprint")


def is_current(mask: Mapping[str, Any], wanted: str) -> bool:
    """Whether a mask is as it was drawn, from all that it would be drawn from now.

    Args:
        mask: its document
        wanted: the fingerprint that it would have now
    """
    if stored_fingerprint(mask) != wanted:
        return False
    return not mask.get("mask_path") or is_file_unchanged(mask)


def is_file_unchanged(mask: Mapping[str, Any]) -> bool:
    """Whether a mask's file is there as it was written: of the same size and time."""
    try:
        return _state(mask, "file_state") == file_state(mask["mask_path"])
    except OSError:
        return False


def file_state(path: Path | str) -> str:
    """Returns a text that changes when a file is written again: size and time.

    Raises:
        OSError: if there is no such file
    """
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}"


def known_pixels(
    mask: Mapping[str, Any],
) -> tuple[int, tuple[int, int], dict[int, int] | None] | None:
    """Returns what was counted when a mask was drawn, if its file is still that one.

    Args:
        mask: the mask's document

    Returns:
        the foreground pixels, the mask's (width, height), and the pixels of each value
        but 0, None where they were not counted; None if nothing is known
    """
    foreground = mask.get("foreground_px")
    if foreground is None or not is_file_unchanged(mask):
        return None
    try:
        # The image may have got another size since.
        size = png_size(mask["mask_path"])
    except OSError:
        return None
    values = None
    if "value_px" in mask:
        values = {int(value): px for value, px in mask["value_px"].items()}
    return None if size is None else (foreground, size, values)


def drawn_labels(mask: Mapping[str, Any] | None) -> DrawnLabels | None:
    """Returns what drawing has counted of the labels; None if that is not known."""
    drawn = mask.get(_DRAWN) if mask else None
    if not drawn or "px" not in drawn:
        return None
    return DrawnLabels(**{k: v for k, v in drawn.items() if k not in _ONCE_BESIDE})


def _state(mask: Mapping[str, Any], name: str) -> str | None:
    """Returns a part of a mask's state, wherever its version has put it."""
    return (mask.get(_DRAWN) or {}).get(name) or mask.get(name)


def has_mask(mask: Mapping[str, Any] | None) -> bool:
    """Whether a document has a mask, in it or in a file."""
    if not mask:
        return False
    return mask.get("mask") is not None or bool(mask.get("mask_path"))


def read_array(mask: Mapping[str, Any], *, max_pixels: int | None = None) -> np.ndarray:
    """Returns the array of a mask that :func:`has_mask`.

    Args:
        mask: its document
        max_pixels: the largest number of pixels of a file to accept

    Returns:
        an array of shape (height, width) of integers or booleans

    Raises:
        MaskFileError: if it cannot be read, has colours, fractions or no pixels
    """
    if mask.get("mask") is not None:
        name = "the mask in the database"
        try:
            array = fou.deserialize_numpy_array(mask["mask"])
        except (TypeError, ValueError, EOFError, OSError, zlib.error) as error:
            raise MaskFileError(f"{name} is not an array: {error}") from error
    else:
        name = f"the mask {mask['mask_path']}"
        limit = {} if max_pixels is None else {"max_pixels": max_pixels}
        array = read_mask(mask["mask_path"], **limit)
    if array.ndim != 2:
        raise MaskFileError(f"{name} has colours; it must be grayscale")
    if array.dtype.kind not in "biu":
        raise MaskFileError(f"{name} holds {array.dtype} numbers; it needs integers")
    if not array.size:
        raise MaskFileError(f"{name} has no pixels")
    return array
