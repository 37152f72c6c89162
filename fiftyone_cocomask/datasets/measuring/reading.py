"""The samples of a view as evaluations read them: labels decoded only where needed.

Decoding the polygons of a label takes longer than everything else that an evaluation
of a mask does that is known already, so they are left encoded until they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from ...fiftyone_types import SampleCollection
from ..documents import (
    Document,
    decode_without,
    read_encoded_documents,
    root_dataset,
    stream_documents,
)
from ..label_lists import BOXES, LabelList, boxes_to_draw
from ..labels import geometry_paths
from ..masks.field import mask_options
from ..masks.stored import ATTRIBUTES

_BATCH_SIZE = 200
_ALWAYS_READ = ("filepath", "metadata.width", "metadata.height")
# The computed field of the labels' attributes; no field of a user begins like this.
_ATTRIBUTES = "_attributes"


@dataclass(slots=True)
class SampleRecord:
    """What an evaluation reads of a sample.

    Attributes:
        sample_id: its id
        filepath: its image
        size: the image's (width, height) in pixels, None if it is not known
        mask: the document of its mask, None if it has none
        values: the values of further fields, by name, where it has them; of a path,
            the document of its field as far as the path goes
        attributes: ``_id``, ``label`` and further attributes of the labels, each a
            list with None for those that have none; empty without a label field
        encoded_label: the document of its label field, as far as the geometry goes,
            None if there is none
        boxes: the documents of boxes that its mask shows beside its labels
        shown: the ids of the labels that the view has, None if that was not asked for
    """

    sample_id: ObjectId
    filepath: str
    size: tuple[int, int] | None
    mask: Document | None
    values: Document
    attributes: dict[str, list[Any]]
    encoded_label: RawBSONDocument | None
    boxes: list[Document] = field(default_factory=list)
    shown: set[ObjectId] | None = None

    @property
    def label_ids(self) -> list[ObjectId]:
        """The ids of its labels."""
        return self.attributes["_id"]

    def label(self) -> Document | None:
        """Returns the document of its label field."""
        encoded = self.encoded_label
        return None if encoded is None else bson.decode(encoded.raw)


def labels_digest(record: SampleRecord, *, with_size: bool = True) -> str:
    """Returns a text that changes when a label's geometry or class does.

    Args:
        record: the sample, as it was read
        with_size: whether it changes with the size of the image, too, which decides
            how many pixels a label has; digests of earlier versions do not
    """
    raw = b"" if record.encoded_label is None else record.encoded_label.raw
    if record.boxes:
        raw += bson.encode({BOXES: record.boxes})
    if with_size:
        raw += repr(record.size).encode()
    return blake2b(raw, digest_size=8).hexdigest()


class SampleReader:
    """Reads the samples of a view, with all labels also where it filters them.

    Args:
        samples: the dataset or view
        mask_field: the field of the masks, or None
        labels: where the labels are, or None
        names: further fields of the samples, or paths in them
        attributes: further attributes of the labels
    """

    def __init__(
        self,
        samples: SampleCollection,
        mask_field: str | None,
        labels: LabelList | None,
        names: Sequence[str] = (),
        attributes: Sequence[str] = (),
    ) -> None:
        self._samples = samples
        self._dataset = root_dataset(samples)
        self._mask_field = mask_field
        self._labels = labels
        self._names = names
        self._roots = dict.fromkeys(name.partition(".")[0] for name in names)
        self._attributes = ("_id", "label", *attributes)

    def batches(self) -> Iterator[list[SampleRecord]]:
        """Yields the samples in batches."""
        if self._samples is self._dataset:
            yield from self._read(None)
            return
        # A view may filter labels, but masks were drawn from all of them.
        for ids in stream_documents(self._samples, ["_id"], _BATCH_SIZE):
            yield from self._read([document["_id"] for document in ids])

    def batches_with_shown(self) -> Iterator[list[SampleRecord]]:
        """Yields the samples in batches, and of views also which labels they have."""
        if self._samples is self._dataset or self._labels is None:
            yield from self.batches()
            return
        paths = ["_id", f"{self._labels.path}._id"]
        for documents in stream_documents(self._samples, paths, _BATCH_SIZE):
            shown = {
                document["_id"]: {d["_id"] for d in self._labels.documents(document)}
                for document in documents
            }
            for records in self._read(list(shown)):
                for record in records:
                    record.shown = shown[record.sample_id]
                yield records

    def read(self, ids: list[ObjectId]) -> Iterator[list[SampleRecord]]:
        """Yields some of the samples in batches, as they are now."""
        yield from self._read(ids)

    def read_labels(self, ids: list[ObjectId]) -> Iterator[SampleRecord]:
        """Yields some of the samples, as they are now, for their digests alone.

        Nothing else is read, which takes a fifth of the time.
        """
        if self._labels is None:
            raise ValueError("there are no labels without a label field")
        paths = [*_ALWAYS_READ, *geometry_paths(self._dataset, self._labels.field)]
        for documents in read_encoded_documents(
            self._dataset, ids, paths, self._computed_boxes(), _BATCH_SIZE
        ):
            yield from map(self._record, documents)

    def _read(self, ids: list[ObjectId] | None) -> Iterator[list[SampleRecord]]:
        paths = [*_ALWAYS_READ, *self._names]
        if self._mask_field is not None:
            paths += [f"{self._mask_field}.{name}" for name in ATTRIBUTES]
        computed = {}
        if self._labels is not None:
            paths += geometry_paths(self._dataset, self._labels.field)
            labels = self._labels.expression()
            computed[_ATTRIBUTES] = {
                name: {"$map": {"input": labels, "in": _or_none(f"$$this.{name}")}}
                for name in self._attributes
            }
            computed |= self._computed_boxes()
        for documents in read_encoded_documents(
            self._dataset, ids, paths, computed, _BATCH_SIZE
        ):
            yield [self._record(document) for document in documents]

    def _record(self, document: RawBSONDocument) -> SampleRecord:
        label_field = self._labels.field if self._labels else ""
        values, encoded = decode_without(document, label_field)
        metadata = values.get("metadata") or {}
        width, height = metadata.get("width"), metadata.get("height")
        return SampleRecord(
            sample_id=values["_id"],
            filepath=values["filepath"],
            size=(width, height) if width and height else None,
            mask=values.get(self._mask_field) if self._mask_field else None,
            values={name: values[name] for name in self._roots if name in values},
            attributes=values.get(_ATTRIBUTES) or {},
            encoded_label=encoded,
            boxes=values.get(BOXES) or [],
        )

    def _computed_boxes(self) -> Document:
        """Returns the expression of the boxes that its masks show beside its labels."""
        box_field = self._box_field()
        if self._labels is None or box_field is None:
            return {}
        return {BOXES: boxes_to_draw(self._dataset, self._labels.field, box_field)}

    def _box_field(self) -> str | None:
        """Returns the field of boxes that its masks show beside its labels."""
        made = self._mask_field and mask_options(self._dataset, self._mask_field)
        if not made or self._labels is None:
            return None
        is_of_labels = made["label_field"] == self._labels.field
        name = made.get("box_field") if is_of_labels else None
        return name if name and self._dataset.has_field(name) else None


def _or_none(expression: str) -> Document:
    return {"$ifNull": [expression, None]}
