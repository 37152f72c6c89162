"""Digests of what of a label a person can change, and where in the image it is.

Digests are of points (with ``closed``, ``filled`` and an RLE) or bounding box (with an
instance mask), ``label``, ``iscrowd``, and the attributes that the export has. Ids,
stated areas, tags and the fields that other programs add to labels are none of it:
adding or changing those is not an edit.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from math import isfinite
from typing import Any

import msgspec

Document = dict[str, Any]

ID_BYTES, POINTS_BYTES, BOX_BYTES, TEXT_BYTES = 5, 6, 16, 4
NO_LABEL = bytes(ID_BYTES)
# Of a label that nobody has stored.
_NO_ID = b"\xff" * ID_BYTES
_FOUR_NUMBERS = struct.Struct(">4f")
# How what is not four numbers begins: the float of these bytes is not a number.
_NO_NUMBER = b"\x7f\xc0\x00\x00"

_Points = list[list[list[float]]]
RelativeBox = tuple[float, float, float, float]
# The labels of one annotation: its polyline and its detection, each if it has one.
LabelPair = tuple[Document | None, Document | None]


def content_digests(
    polyline: Document | None, detection: Document | None, names: Collection[str]
) -> tuple[bytes, bytes, bytes, bytes]:
    """Returns what the base keeps of an annotation's points, box, class and attributes.

    Without a detection the box is the one around the polyline.
    """
    label = polyline or detection or {}
    if detection:
        box = box_record(detection)
    else:
        box = _place_record(polyline) if polyline else bytes(BOX_BYTES)
    return (
        points_digest(polyline) if polyline else bytes(POINTS_BYTES),
        box,
        label_digest(label),
        attributes_digest(label, names),
    )


def short_id(label: Document | None) -> bytes:
    """Returns the part of a label's id that the base keeps; zeros for no label."""
    if label is None:
        return NO_LABEL
    found = label.get("_id")
    return _NO_ID if found is None else found.binary[-ID_BYTES:]


def points_digest(polyline: Document) -> bytes:
    """Returns a digest of a polyline's shape."""
    digest = blake2b(_points(polyline.get("points")), digest_size=POINTS_BYTES)
    closed, filled = polyline.get("closed"), polyline.get("filled")
    if not (closed and filled):
        digest.update(bytes((bool(closed), bool(filled))))
    rle = polyline.get("rle")
    if rle:
        digest.update(_rle_text(rle).encode())
    return digest.digest()


def box_record(detection: Document) -> bytes:
    """Returns a detection's box as the base keeps it, a digest if it has a mask too."""
    box = detection.get("bounding_box")
    try:
        record = _FOUR_NUMBERS.pack(*box)  # type: ignore[misc]
    except (struct.error, TypeError, OverflowError):
        # Whatever a program has put there.
        record = repr(box).encode(errors="replace")
    mask, path = detection.get("mask"), detection.get("mask_path")
    if len(record) == BOX_BYTES and mask is None and not path:
        return record
    digest = blake2b(record, digest_size=BOX_BYTES - len(_NO_NUMBER))
    if mask is not None:
        digest.update(mask if isinstance(mask, bytes) else repr(mask).encode())
    if path:
        digest.update(str(path).encode())
    return _NO_NUMBER + digest.digest()


def _place_record(polyline: Document) -> bytes:
    """Returns the box around a polyline as the base keeps it."""
    left, top, right, bottom = label_box(polyline) or (0.0, 0.0, 0.0, 0.0)
    try:
        # Negative sizes, so that it is not the record of a detection's box.
        return _FOUR_NUMBERS.pack(left, top, left - right, top - bottom)
    except OverflowError:
        return bytes(BOX_BYTES)


def recorded_box(record: bytes) -> RelativeBox:
    """Returns left, top, right and bottom of a box that the base keeps, about.

    They are within the image; zeros where the base has no box but a digest.
    """
    left, top, width, height = _FOUR_NUMBERS.unpack(record)
    if not isfinite(left + top + width + height):
        return 0.0, 0.0, 0.0, 0.0
    right, bottom = left + abs(width), top + abs(height)
    return _within(left), _within(top), _within(right), _within(bottom)


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


_encode = msgspec.msgpack.Encoder().encode


def _points(points: Any) -> bytes:
    """Returns bytes of a polyline's points; as :func:`_numbers`, and faster."""
    try:
        encoded = _encode(points)
        size = _header(points)
        for ring in points:
            size += _header(ring) + 19 * len(ring)
    except TypeError:
        return _numbers(points)
    # A pair of floats takes 19 bytes; one with a whole number takes less.
    return encoded if len(encoded) == size else _numbers(points)


def _header(items: Sequence[Any]) -> int:
    """Returns the bytes that MessagePack puts before the items of a list."""
    number = len(items)
    return 1 if number < 16 else 3 if number < 65536 else 5


def _numbers(points: Any) -> bytes:
    """Returns bytes of a polyline's points, whole numbers written 1 or 1.0 alike."""
    try:
        return msgspec.msgpack.encode(msgspec.convert(points or [], _Points))
    except (msgspec.ValidationError, TypeError):
        # Whatever a program has put there.
        return repr(points).encode(errors="replace")


def label_digest(label: Document) -> bytes:
    """Returns a digest of a label's class."""
    name = label.get("label")
    return _text_digest(None if name is None else str(name))


@lru_cache(maxsize=4096)
def _text_digest(name: str | None) -> bytes:
    text = b"" if name is None else b"=" + name.encode(errors="replace")
    return blake2b(text, digest_size=TEXT_BYTES).digest()


def attributes_digest(label: Document, names: Collection[str]) -> bytes:
    """Returns a digest of the attributes that a person can change.

    Args:
        label: the label document
        names: the names of the export's own attributes
    """
    crowd = 1 if label.get("iscrowd") else 0
    if not names:
        return _crowd_digest(crowd)
    own = {name: label[name] for name in names if label.get(name) is not None}
    return _own_attributes_digest(crowd, own) if own else _crowd_digest(crowd)


def has_other_attributes(
    label: Document, other: Document, names: Collection[str]
) -> bool:
    """Whether an attribute of a label differs; one that it lacks does not count.

    Args:
        label: the label document
        other: the other one
        names: the names of the export's own attributes
    """
    return bool(label.get("iscrowd")) != bool(other.get("iscrowd")) or any(
        label.get(name) is not None and _plain(label[name]) != _plain(other.get(name))
        for name in names
    )


@lru_cache(maxsize=2)
def _crowd_digest(crowd: int) -> bytes:
    return _own_attributes_digest(crowd, {})


def _own_attributes_digest(crowd: int, own: Document) -> bytes:
    text = json.dumps(_plain([crowd, own]), sort_keys=True, default=repr)
    return blake2b(text.encode(errors="replace"), digest_size=TEXT_BYTES).digest()


def _plain(value: Any) -> Any:
    """Returns a value as whoever stores it next may write it: 1, 1.0 and True."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _rle_text(rle: Any) -> str:
    if not isinstance(rle, dict):
        return repr(rle)
    counts = rle.get("counts")
    if isinstance(counts, bytes):
        counts = counts.decode("ascii", "replace")
    size = [int(n) for n in rle.get("size") or ()]
    return f"{size} {counts}"


def label_box(label: Document) -> RelativeBox | None:
    """Returns left, top, right and bottom of a label; None if it has no place."""
    try:
        found = label.get("bounding_box")
        if found:
            x, y, width, height = map(float, found)
            right, bottom = x + width, y + height
        else:
            points = list(chain.from_iterable(label.get("points") or ()))
            xs, ys = [float(p[0]) for p in points], [float(p[1]) for p in points]
            x, y, right, bottom = min(xs), min(ys), max(xs), max(ys)
    except (TypeError, ValueError, IndexError):
        return None
    # A sum is finite if all of these numbers are; only huge ones make it another.
    return (x, y, right, bottom) if isfinite(x + y + right + bottom) else None
