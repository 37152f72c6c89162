"""What processes that share an import make of the images that they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...coco.packing import packed_image, unpacked_image
from ...coco.records import ImageRecord
from ...fiftyone_types import Dataset
from ..documents import encoded_documents, write_time
from .attribute_types import AttributeTypes, KnownKinds
from .imported_images import record_key
from .said import said_digest
from .samples import ImportRules, new_samples


class NewImage(NamedTuple):
    """What is to be counted of an image that the dataset does not have.

    Attributes:
        split: its split
        source_key: what the copies of its source have in common; None for no copy
        num_labels: the number of its annotations
        key: see :func:`.imported_images.record_key`
    """

    split: str
    source_key: str | None
    num_labels: int
    key: bytes | None

    @classmethod
    def of(cls, record: ImageRecord, origin: str | None) -> NewImage:
        """Returns what is to be counted of an image.

        Args:
            record: the image
            origin: the export that it is of, and its later versions
        """
        key = record_key(record, origin)
        return cls(record.split, record.source_key, len(record.annotations), key)


@dataclass(slots=True)
class MadeSamples:
    """What was made of some images.

    Attributes:
        attributes: what was found of their attributes
        records: the images, with what each says; only where the dataset has samples
            that they may be
        new: what to count of each image; else
        encoded: their samples as MongoDB has them; none where nothing is written
        paths: the names of the samples' fields
        has_text_ids: whether ids are text
    """

    attributes: KnownKinds
    records: list[tuple[ImageRecord, bytes | None]] = field(default_factory=list)
    new: list[NewImage] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    has_text_ids: bool = False

    def packed(self) -> list[Any]:
        """Returns it as values that :mod:`...coco.packing` takes."""
        return [
            self.attributes.packed(),
            [(packed_image(record), said) for record, said in self.records],
            self.new,
            self.encoded,
            sorted(self.paths),
            self.has_text_ids,
        ]

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> MadeSamples:
        """Returns what :meth:`packed` gave."""
        attributes, records, new, encoded, paths, has_text_ids = values
        return cls(
            KnownKinds.unpacked(attributes),
            [(unpacked_image(record), said) for record, said in records],
            list(map(NewImage._make, new)),
            encoded,
            set(paths),
            has_text_ids,
        )


class SharedImport:
    """Makes samples of images in the processes that read these.

    Args:
        dataset: the dataset; None if it is not there
        rules: how samples are written
        types: the attributes and their fields
        is_dry: whether nothing is written
        has_known: whether images may be samples that the dataset has: then they come
            back as they are
    """

    def __init__(
        self,
        dataset: Dataset | None,
        rules: ImportRules,
        types: AttributeTypes,
        *,
        is_dry: bool,
        has_known: bool,
    ) -> None:
        self._dataset = dataset
        self._rules = rules
        self._types = types
        self._is_dry = is_dry
        self._has_known = has_known

    def order(self) -> KnownKinds:
        """Returns what is known of attributes by now."""
        return self._types.known()

    def fits(self, made: MadeSamples) -> bool:
        """Whether that is what would be made of the images here and now."""
        if self._has_known and made.new:
            # The dataset had no samples when they were made.
            return False
        return self._types.fits(made.attributes)

    def join(self, made: MadeSamples) -> None:
        """Takes the attributes into account for the images that come next."""
        self._types.join(made.attributes)

    def make(self, records: list[ImageRecord], order: KnownKinds) -> MadeSamples:
        """Makes samples of images, in another process."""
        self._types.begin_at(order)
        for record in records:
            self._types.add(record)
        made = MadeSamples(self._types.part())
        if self._has_known:
            tags = self._rules.tags
            made.records = [(record, said_digest(record, tags)) for record in records]
            return made
        for record in records:
            made.new.append(NewImage.of(record, self._rules.origin))
            made.has_text_ids |= isinstance(record.coco_id, str)
        if self._dataset is not None and not self._is_dry:
            self._encode(made, records)
        return made

    def _encode(self, made: MadeSamples, records: list[ImageRecord]) -> None:
        assert self._dataset is not None
        now = write_time()
        documents = new_samples(records, self._rules, now)
        made.paths.update(*documents)
        made.encoded = encoded_documents(self._dataset, documents, now)
