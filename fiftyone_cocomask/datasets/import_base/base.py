"""What the import wrote last on each sample: the base of the next merge.

A sample's field :data:`BASE_FIELD` holds one record of 41 bytes for each annotation, as
text: digests of its shape, its class and its attributes, its box, and the ids of its
two labels; and behind these a digest of all that the export said of the image.
:func:`..importing.states.annotation_states` compares them with the labels as they are
now, and so tells what a person has edited, relabelled, deleted and added since::

    base = SampleBase.from_document(document.get(BASE_FIELD), fields)
    for state in annotation_states(base, polylines, detections):
        print(state.change, state.polyline, state.detection)

The field is an embedded document without declared fields of its own: FiftyOne reads and
copies it with its sample, and the App's sidebar does not list it. It is text since
FiftyOne takes bytes for arrays.
"""

from __future__ import annotations

import binascii
import os
import struct
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from bson import ObjectId

from .digests import (
    NO_LABEL,
    Document,
    LabelPair,
    RelativeBox,
    content_digests,
    recorded_box,
    short_id,
)

BASE_FIELD = "import_base"
# In it while samples take the place of others: of the new ones, and of the old ones.
REPLACING, REPLACED = "replacing", "replaced"
# In it where nothing of a sample is a person's: when the sample was written.
_AS_OF = "as_of"

# Ids of polyline and detection (the last bytes), the digest of the points, the box,
# digests of label and attributes, flags.
_RECORD = struct.Struct(">5s5s6s16s4s4sB")
# Flags of a record.
CONFLICT, REMOVED, DELETED = 1, 2, 4
_MAX_COUNT = 2**24

Fields = tuple[str, str]
# The fields, and the origin of a project that annotates the images of another one.
BaseKey = tuple[str, ...]
# What the fields of polylines and detections are called unless the user says otherwise.
DEFAULT_FIELDS: Fields = ("segmentations", "detections")


class BaseAnnotation(NamedTuple):
    """An annotation as the import wrote it last.

    Attributes:
        polyline_id: the end of the polyline's id; zeros if it had none
        detection_id: the end of the detection's id; zeros if it had none
        points: the digest of the polyline's shape
        bounding_box: its box, packed; see :attr:`box`
        label: the digest of its class
        attributes: the digest of its attributes
        flags: what else is known of it; see :attr:`is_conflict`
    """

    polyline_id: bytes
    detection_id: bytes
    points: bytes
    bounding_box: bytes
    label: bytes
    attributes: bytes
    flags: int = 0

    @property
    def has_polyline(self) -> bool:
        """Whether the import wrote a polyline."""
        return self.polyline_id != NO_LABEL

    @property
    def has_detection(self) -> bool:
        """Whether the import wrote a detection."""
        return self.detection_id != NO_LABEL

    @property
    def box(self) -> RelativeBox:
        """Left, top, right and bottom, each within the image and 0..1, about."""
        return recorded_box(self.bounding_box)

    @property
    def is_conflict(self) -> bool:
        """Whether the last merge left its conflict to a person."""
        return bool(self.flags & CONFLICT)

    @property
    def is_removed(self) -> bool:
        """Whether the export no longer has it; a person's version stayed."""
        return bool(self.flags & REMOVED)

    @property
    def is_deleted(self) -> bool:
        """Whether a person had deleted it when its conflict was found."""
        return bool(self.flags & DELETED)


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
        as_of: when the sample was written with just what the export said; None if
            there was anything of a person's then
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
    as_of: datetime | None = None

    @classmethod
    def from_document(
        cls, document: Document | None, fields: BaseKey
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
            document.get(_AS_OF),
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

    def with_names(self, names: Iterable[str]) -> SampleBase:
        """Returns the base with more names of the export's own attributes.

        Its annotations have none of these; a person may have given them one.
        """
        return replace(self, names=tuple(sorted({*self.names, *names})))

    def of_one_field(self, kind: int) -> SampleBase:
        """Returns the base of one field's labels, as if there were no other.

        Args:
            kind: 0 for the field of polylines, 1 for that of detections
        """
        own = [record for record in self.annotations if record[kind] != NO_LABEL]
        if kind == 0:
            alone = [record._replace(detection_id=NO_LABEL) for record in own]
        else:
            alone = [record._replace(polyline_id=NO_LABEL) for record in own]
        return replace(self, annotations=tuple(alone))

    @staticmethod
    def others_of(document: Document | None, fields: BaseKey) -> Mapping[str, str]:
        """Returns what a stored base holds about all fields but two."""
        return {k: v for k, v in _texts(document).items() if k != _key(fields)}

    @classmethod
    def label_ids_of_others(
        cls, document: Document | None, fields: BaseKey
    ) -> frozenset[bytes]:
        """Returns the short ids of what others wrote to the same fields.

        Those are other projects, and imports that share only one of the two fields.
        """
        ids: set[bytes] = set()
        for key in map(_fields_of, _texts(document)):
            shared = [kind for kind in (0, 1) if key[kind] == fields[kind]]
            if key != fields and shared:
                base = cls.from_document(document, key)
                for record in base.annotations if base is not None else ():
                    own = record.polyline_id, record.detection_id
                    ids |= {own[kind] for kind in shared}
        return frozenset(ids - {NO_LABEL})

    @classmethod
    def are_others_in_conflict(cls, document: Document | None, fields: BaseKey) -> bool:
        """Whether imports of other exports, or into other fields, left a conflict."""
        bases = (
            cls.from_document(document, key)
            for key in map(_fields_of, _texts(document))
            if key != fields
        )
        return any(base is not None and base.is_in_conflict for base in bases)

    @property
    def is_in_conflict(self) -> bool:
        """Whether the last merge left a conflict about a label to a person."""
        return any(annotation.is_conflict for annotation in self.annotations)

    @staticmethod
    def is_kept_whole(
        document: Document | None,
        fields: BaseKey,
        said: bytes,
        modified: datetime | None,
    ) -> bool:
        """Whether a sample is as an import left it that was told the same.

        Args:
            document: the value of the sample's :data:`BASE_FIELD`
            fields: the fields of polylines and detections
            said: the digest of all that the export says of the image
            modified: when the sample was modified last; None where that is not known
        """
        if modified is None or not document or document.get(_AS_OF) != modified:
            return False
        try:
            packed = binascii.a2b_base64(_texts(document).get(_key(fields), ""))
        except binascii.Error:
            return False
        return packed[len(packed) - len(packed) % _RECORD.size :] == said

    @classmethod
    def of_fields(cls, document: Document | None, fields: Fields) -> SampleBase | None:
        """Reads what was written to two fields by the project that wrote there first.

        Args:
            document: the value of a sample's :data:`BASE_FIELD`
            fields: the fields of polylines and detections
        """
        keys = (key for key in map(_fields_of, _texts(document)) if key[:2] == fields)
        first = min(keys, key=len, default=fields)
        return cls.from_document(document, first)

    @staticmethod
    def fields_of(document: Document | None) -> list[Fields]:
        """Returns the fields of polylines and detections that a base is about."""
        keys = map(_fields_of, _texts(document))
        return list(dict.fromkeys((key[0], key[1]) for key in keys))

    @classmethod
    def polylines_of_detections(cls, document: Document | None) -> dict[bytes, bytes]:
        """Returns which polyline imports wrote with each detection, by short ids.

        Zeros where the annotation has a box alone.
        """
        found: dict[bytes, bytes] = {}
        for key in map(_fields_of, _texts(document)):
            base = cls.from_document(document, key)
            for record in base.annotations if base is not None else ():
                if record.has_detection:
                    found[record.detection_id] = record.polyline_id
        return found

    @staticmethod
    def is_about(document: Document, fields: Fields) -> bool:
        """Whether a stored base holds anything about two fields, readable or not."""
        return _key(fields) in _texts(document)

    @staticmethod
    def of_others(fields: BaseKey) -> Document:
        """Returns the MongoDB filter of samples whose base is about other fields only.

        Args:
            fields: the fields of polylines and detections
        """
        is_default = fields == DEFAULT_FIELDS
        place = "labels" if is_default else f"labels_in.{_key(fields)}"
        return {
            BASE_FIELD: {"$exists": True},
            f"{BASE_FIELD}.{place}": {"$exists": False},
        }

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
            _AS_OF: self.as_of,
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
    return BaseAnnotation._make(
        (
            short_id(polyline),
            short_id(detection),
            *content_digests(polyline, detection, names),
            0,
        )
    )


def new_ids() -> Iterator[ObjectId]:
    """Yields ids that no label has, in a third of the time of ``ObjectId()``.

    They too are of the time, five random bytes and a count, whose beginning is random.
    """
    drawn = os.urandom(8)
    start = int(time.time()).to_bytes(4, "big") + drawn[:5]
    for number in count(int.from_bytes(drawn[5:], "big")):
        yield ObjectId(start + (number % _MAX_COUNT).to_bytes(3, "big"))


def new_label(said: Document, label_id: ObjectId | None = None) -> Document:
    """Returns a new label that says what an annotation says.

    Args:
        said: all but what is each label's own: id, class and tags
        label_id: its id, by default a new one
    """
    kind = "Detection" if "bounding_box" in said else "Polyline"
    own = {"_id": label_id or ObjectId(), "_cls": kind, "attributes": {}, "tags": []}
    return {**own, **said}
