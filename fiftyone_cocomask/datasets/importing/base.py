"""What the import wrote last on each sample: the base of the next merge.

A sample's field :data:`BASE_FIELD` holds one record of 36 bytes for each annotation, as
text: digests of its shape, its box, its class and its attributes, and the ids of its
two labels; and behind these a digest of all that the export said of the image.
:func:`annotation_states` compares them with the labels as they are now, and so tells
what a person has edited, relabelled, deleted and added since::

    base = SampleBase.from_document(document.get(BASE_FIELD))
    for state in annotation_states(base, polylines, detections):
        print(state.change, state.polyline, state.detection)

Digests are of what a person can change: points (with ``closed``, ``filled`` and an RLE)
or bounding box (with an instance mask), ``label``, ``iscrowd``, and the attributes that
the export has. Ids, stated areas, tags and the fields that other programs add to labels
are none of it: adding or changing those is not an edit.

The field is an embedded document without declared fields of its own: FiftyOne reads and
copies it with its sample, and the App's sidebar does not list it. It is text since
FiftyOne takes bytes for arrays.
"""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple

import msgspec
from bson import ObjectId

Document = dict[str, Any]

BASE_FIELD = "import_base"
# In it while samples take the place of others: of the new ones, and of the old ones.
REPLACING, REPLACED = "replacing", "replaced"

# Ids of polyline and detection (the last bytes), digests of points, box, label and
# attributes, the box in 4096ths of the image, flags.
_RECORD = struct.Struct(">5s5s6s5s4s4s6sB")
_FOUR_NUMBERS = struct.Struct(">4d")
_ID_BYTES, _POINTS_BYTES, _BOX_BYTES, _TEXT_BYTES = 5, 6, 5, 4
_NO_LABEL = bytes(_ID_BYTES)
# Of a label that nobody has stored.
_NO_ID = b"\xff" * _ID_BYTES
_GRID = 4095
# Flags of a record.
CONFLICT, REMOVED = 1, 2

_Points = list[list[list[float]]]
Fields = tuple[str, str]
# The fields, and the origin of a project that annotates the images of another one.
BaseKey = tuple[str, ...]
# What the fields of polylines and detections are called unless the user says otherwise.
DEFAULT_FIELDS: Fields = ("segmentations", "detections")

# The labels of one annotation: its polyline and its detection, each if it has one.
LabelPair = tuple[Document | None, Document | None]
RelativeBox = tuple[float, float, float, float]


class Change(Enum):
    """What became of an annotation in the dataset since the import."""

    UNCHANGED = "unchanged"
    """Both labels are there as the import wrote them."""
    EDITED = "edited"
    """Its shape, box or attributes are others, or one of its two labels is gone."""
    RELABELLED = "relabelled"
    """Its class is another one, and nothing else."""
    DELETED = "deleted"
    """Neither of its labels is there."""
    ADDED = "added"
    """The import did not write it."""


class BaseAnnotation(NamedTuple):
    """An annotation as the import wrote it last.

    Attributes:
        polyline_id: the end of the polyline's id; zeros if it had none
        detection_id: the end of the detection's id; zeros if it had none
        points: the digest of the polyline's shape
        bounding_box: the digest of the detection's box
        label: the digest of its class
        attributes: the digest of its attributes
        place: the box around it, packed; see :attr:`box`
        flags: what else is known of it; see :attr:`is_conflict`
    """

    polyline_id: bytes
    detection_id: bytes
    points: bytes
    bounding_box: bytes
    label: bytes
    attributes: bytes
    place: bytes
    flags: int = 0

    @property
    def has_polyline(self) -> bool:
        """Whether the import wrote a polyline."""
        return self.polyline_id != _NO_LABEL

    @property
    def has_detection(self) -> bool:
        """Whether the import wrote a detection."""
        return self.detection_id != _NO_LABEL

    @property
    def box(self) -> RelativeBox:
        """Left, top, right and bottom, each within the image and 0..1, about."""
        number = int.from_bytes(self.place, "big")
        return (
            (number >> 36) / _GRID,
            (number >> 24 & _GRID) / _GRID,
            (number >> 12 & _GRID) / _GRID,
            (number & _GRID) / _GRID,
        )

    @property
    def is_conflict(self) -> bool:
        """Whether the last merge left its conflict to a person."""
        return bool(self.flags & CONFLICT)

    @property
    def is_removed(self) -> bool:
        """Whether the export no longer has it; a person's version stayed."""
        return bool(self.flags & REMOVED)


@dataclass(frozen=True, slots=True)
class SampleBase:
    """What the import wrote last on a sample.

    Attributes:
        annotations: the annotations, those that a person has deleted since included
        names: the names of the export's own attributes on them
        split: the split of the image
        user_tags: the sample tags that the export gave it beside its split
        fingerprint: tells the image's file from others
        origin: tells the export, and its later versions, from others
        fields: the fields of polylines and detections that it is about
        other_fields: what imports into other fields of the sample wrote, packed
        said: the digest of all that the export said of the image; None where that has
            to be looked at again
    """

    annotations: tuple[BaseAnnotation, ...] = ()
    names: tuple[str, ...] = ()
    split: str | None = None
    user_tags: tuple[str, ...] = ()
    fingerprint: str | None = None
    origin: str | None = None
    fields: BaseKey = DEFAULT_FIELDS
    other_fields: Mapping[str, str] = field(default_factory=dict)
    said: bytes | None = None

    @classmethod
    def from_document(
        cls, document: Document | None, fields: BaseKey = DEFAULT_FIELDS
    ) -> SampleBase | None:
        """Reads the value of a sample's :data:`BASE_FIELD`.

        Args:
            document: the value
            fields: the fields of polylines and detections to ask about

        Returns:
            the base; None if there is none, as in datasets imported by 0.1, or none
            that this version can read
        """
        if not document:
            return None
        texts = _texts(document)
        text = texts.pop(_key(fields), None)
        if not isinstance(text, str):
            return None
        try:
            packed = binascii.a2b_base64(text)
            end = len(packed) - len(packed) % _RECORD.size
            records = _RECORD.iter_unpack(packed[:end])
            annotations = tuple(map(BaseAnnotation._make, records))
        except (binascii.Error, struct.error):
            return None
        return cls(
            annotations,
            tuple(document.get("names") or ()),
            document.get("split"),
            tuple(document.get("user_tags") or ()),
            document.get("file"),
            document.get("origin"),
            fields,
            texts,
            packed[end:] or None,
        )

    @classmethod
    def of_labels(
        cls, pairs: Iterable[LabelPair], names: tuple[str, ...], **facts: Any
    ) -> SampleBase:
        """Returns the base of labels that the import is about to write.

        Args:
            pairs: the polyline and the detection of each annotation
            names: the names of the export's own attributes
            **facts: the other attributes of the base
        """
        records = tuple(base_annotation(*pair, names) for pair in pairs)
        return cls(records, names, **facts)

    @staticmethod
    def others_of(document: Document | None, fields: BaseKey) -> Mapping[str, str]:
        """Returns what a stored base holds about all fields but two."""
        return {k: v for k, v in _texts(document).items() if k != _key(fields)}

    @classmethod
    def label_ids_of_others(
        cls, document: Document | None, fields: BaseKey
    ) -> frozenset[bytes]:
        """Returns the short ids of what other projects wrote to the same fields."""
        ids: set[bytes] = set()
        for key in map(_fields_of, _texts(document)):
            if key != fields and key[:2] == fields[:2]:
                base = cls.from_document(document, key)
                for record in base.annotations if base is not None else ():
                    ids |= {record.polyline_id, record.detection_id}
        return frozenset(ids - {_NO_LABEL})

    @staticmethod
    def is_about(document: Document, fields: Fields) -> bool:
        """Whether a stored base holds anything about two fields, readable or not."""
        return _key(fields) in _texts(document)

    def to_document(self) -> Document:
        """Returns what is stored in :data:`BASE_FIELD`."""
        packed = b"".join(_RECORD.pack(*record) for record in self.annotations)
        packed += self.said or b""
        text = binascii.b2a_base64(packed, newline=False).decode()
        texts = {**self.other_fields, _key(self.fields): text}
        document: Document = {
            "_cls": "DynamicEmbeddedDocument",
            "labels": texts.pop(_key(DEFAULT_FIELDS), None),
            "labels_in": texts,
            "names": list(self.names),
            "split": self.split,
            "user_tags": list(self.user_tags),
            "file": self.fingerprint,
            "origin": self.origin,
        }
        return {name: value for name, value in document.items() if value or value == ""}


def _texts(document: Document | None) -> dict[str, str]:
    """Returns the packed records of a stored base by their fields."""
    stored = document or {}
    texts = dict(stored.get("labels_in") or {})
    if stored.get("labels") is not None:
        texts[_key(DEFAULT_FIELDS)] = stored["labels"]
    return texts


def _key(fields: BaseKey) -> str:
    return ",".join(fields)


def _fields_of(key: str) -> BaseKey:
    return tuple(key.split(","))


@dataclass(slots=True)
class AnnotationState:
    """One annotation: what the import wrote, and its labels as they are now.

    Attributes:
        base: what the import wrote; None if it did not write this one
        polyline: the label document in the field of polylines, if it is there
        detection: the label document in the field of detections, if it is there
        is_polyline_changed: whether the polyline is edited, relabelled or deleted
        is_detection_changed: whether the detection is
        is_shape_changed: whether points or box were edited, or a label deleted
        is_label_changed: whether the class of either label is another
        are_attributes_changed: whether attributes of either label are others
    """

    base: BaseAnnotation | None
    polyline: Document | None = None
    detection: Document | None = None
    is_polyline_changed: bool = False
    is_detection_changed: bool = False
    is_shape_changed: bool = False
    is_label_changed: bool = False
    are_attributes_changed: bool = False

    @property
    def is_changed(self) -> bool:
        """Whether anything of it is not as the import wrote it."""
        return self.is_polyline_changed or self.is_detection_changed

    @property
    def labels(self) -> list[Document]:
        """Its labels that are there."""
        return [x for x in (self.polyline, self.detection) if x is not None]

    @property
    def change(self) -> Change:
        """What became of it, in one word."""
        if self.base is None or (self.base.is_removed and self.labels):
            return Change.ADDED
        if not self.labels:
            return Change.DELETED
        if self.is_shape_changed or self.are_attributes_changed:
            return Change.EDITED
        return Change.RELABELLED if self.is_label_changed else Change.UNCHANGED


def annotation_states(
    base: SampleBase | None,
    polylines: Sequence[Document],
    detections: Sequence[Document],
) -> list[AnnotationState]:
    """Compares a sample's labels with what the import wrote last.

    Args:
        base: what the import wrote; None where that is not known
        polylines: the label documents of the field of polylines
        detections: the label documents of the field of detections

    Returns:
        the annotations of the base in its order, each with its labels; then, each by
        itself, the labels that the import did not write
    """
    by_id = {short_id(label): label for label in polylines}
    boxes_by_id = {short_id(label): label for label in detections}
    states = []
    if base is not None:
        for annotation in base.annotations:
            polyline = by_id.pop(annotation.polyline_id, None)
            detection = boxes_by_id.pop(annotation.detection_id, None)
            state = annotation_state(annotation, polyline, detection, base.names)
            states.append(state)
    states += [AnnotationState(None, polyline=label) for label in by_id.values()]
    states += [AnnotationState(None, detection=label) for label in boxes_by_id.values()]
    return states


def base_annotation(
    polyline: Document | None,
    detection: Document | None,
    names: Collection[str],
) -> BaseAnnotation:
    """Returns the record of an annotation that the import writes.

    Args:
        polyline: its label document in the field of polylines, if it has one
        detection: its label document in the field of detections, if it has one
        names: the names of the export's own attributes
    """
    return BaseAnnotation(
        short_id(polyline),
        short_id(detection),
        *content_digests(polyline, detection, names),
        _place(polyline, detection),
    )


def content_digests(
    polyline: Document | None, detection: Document | None, names: Collection[str]
) -> tuple[bytes, bytes, bytes, bytes]:
    """Returns the digests of an annotation's points, box, class and attributes."""
    label = polyline or detection or {}
    return (
        points_digest(polyline) if polyline else bytes(_POINTS_BYTES),
        box_digest(detection) if detection else bytes(_BOX_BYTES),
        label_digest(label),
        attributes_digest(label, names),
    )


def new_label(said: Document) -> Document:
    """Returns a new label that says what an annotation says.

    Args:
        said: all but what is each label's own: id, class and tags
    """
    kind = "Detection" if "bounding_box" in said else "Polyline"
    own = {"_id": ObjectId(), "_cls": kind, "attributes": {}, "tags": []}
    return {**own, **said}


def short_id(label: Document | None) -> bytes:
    """Returns the part of a label's id that the base keeps; zeros for no label."""
    if label is None:
        return _NO_LABEL
    found = label.get("_id")
    return _NO_ID if found is None else found.binary[-_ID_BYTES:]


def points_digest(polyline: Document) -> bytes:
    """Returns a digest of a polyline's shape."""
    digest = blake2b(_points(polyline.get("points")), digest_size=_POINTS_BYTES)
    closed, filled = bool(polyline.get("closed")), bool(polyline.get("filled"))
    if not (closed and filled):
        digest.update(bytes((closed, filled)))
    rle = polyline.get("rle")
    if rle:
        digest.update(_rle_text(rle).encode())
    return digest.digest()


def box_digest(detection: Document) -> bytes:
    """Returns a digest of a detection's box, and of its mask if it has one."""
    box = detection.get("bounding_box")
    try:
        numbers = _FOUR_NUMBERS.pack(*(box or ()))
    except (struct.error, TypeError):
        # Whatever a program has put there.
        numbers = repr(box).encode(errors="replace")
    digest = blake2b(numbers, digest_size=_BOX_BYTES)
    mask = detection.get("mask")
    if mask is not None:
        digest.update(mask if isinstance(mask, bytes) else repr(mask).encode())
    if detection.get("mask_path"):
        digest.update(str(detection["mask_path"]).encode())
    return digest.digest()


def _points(points: Any) -> bytes:
    """Returns bytes of a polyline's points; as :func:`_numbers`, and faster."""
    try:
        encoded = msgspec.msgpack.encode(points)
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
    return blake2b(text, digest_size=_TEXT_BYTES).digest()


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


@lru_cache(maxsize=2)
def _crowd_digest(crowd: int) -> bytes:
    return _own_attributes_digest(crowd, {})


def _own_attributes_digest(crowd: int, own: Document) -> bytes:
    text = json.dumps(_plain([crowd, own]), sort_keys=True, default=repr)
    return blake2b(text.encode(errors="replace"), digest_size=_TEXT_BYTES).digest()


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


def annotation_state(
    base: BaseAnnotation,
    polyline: Document | None,
    detection: Document | None,
    names: Sequence[str],
) -> AnnotationState:
    """Compares the labels of one annotation with what the import wrote last.

    Args:
        base: what the import wrote
        polyline: its label in the field of polylines, if that is there
        detection: its label in the field of detections, if that is there
        names: the names of the export's own attributes
    """
    state = AnnotationState(base, polyline, detection)
    if base.polyline_id != _NO_LABEL:
        shape = points_digest(polyline) if polyline else None
        state.is_polyline_changed = _note(state, polyline, shape != base.points, names)
    if base.detection_id != _NO_LABEL:
        shape = box_digest(detection) if detection else None
        is_other = shape != base.bounding_box
        state.is_detection_changed = _note(state, detection, is_other, names)
    return state


def _note(
    state: AnnotationState,
    label: Document | None,
    is_shape_other: bool,
    names: Sequence[str],
) -> bool:
    """Notes what of one of an annotation's labels is other than the import wrote it.

    Returns:
        whether anything is
    """
    base = state.base
    assert base is not None
    is_label_other = are_others = False
    if label is not None:
        is_label_other = label_digest(label) != base.label
        are_others = attributes_digest(label, names) != base.attributes
    if not (is_shape_other or is_label_other or are_others):
        return False
    state.is_shape_changed |= is_shape_other
    state.is_label_changed |= is_label_other
    state.are_attributes_changed |= are_others
    return True


def _place(polyline: Document | None, detection: Document | None) -> bytes:
    """Returns where an annotation is, as the base stores it."""
    box = label_box(detection) if detection else None
    if box is None and polyline:
        box = label_box(polyline)
    if box is None:
        return bytes(6)
    left, top, right, bottom = map(_cell, box)
    number = left << 36 | top << 24 | right << 12 | bottom
    return number.to_bytes(6, "big")


def _cell(value: float) -> int:
    return 0 if value <= 0 else _GRID if value >= 1 else int(value * _GRID + 0.5)


def label_box(label: Document) -> RelativeBox | None:
    """Returns left, top, right and bottom of a label; None if it has no place."""
    try:
        found = label.get("bounding_box")
        if found:
            x, y, width, height = map(float, found)
            box = x, y, x + width, y + height
        else:
            points = list(chain.from_iterable(label.get("points") or ()))
            xs, ys = [float(p[0]) for p in points], [float(p[1]) for p in points]
            box = min(xs), min(ys), max(xs), max(ys)
    except (TypeError, ValueError, IndexError):
        return None
    # A sum is finite if all of these numbers are; only huge ones make it another.
    return box if isfinite(sum(box)) else None
