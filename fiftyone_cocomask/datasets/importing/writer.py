"""The images of an export into the samples of a dataset, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import fiftyone as fo

from ...choices import OldCopies
from ...coco.check import ExportReader
from ...coco.merge_counts import MergeCounts
from ...coco.records import ImageRecord
from ..documents import (
    BATCH_SIZE,
    MAX_BATCH_BYTES,
    Document,
    declare_images,
    insert_documents,
    insert_encoded_documents,
    with_new_ids,
    write_time,
)
from ..import_base.fields import written_as
from ..locks import Lock
from ..parallel.ahead import OneBehind
from .attribute_types import AttributeTypes
from .gone import GoneSamples
from .identity import KnownSample, KnownSamples, is_project, origin_of
from .image_issues import ImageIssues
from .imported_images import ImportedImages, sample_key
from .new_sources import NewSources
from .resuming import missing_samples, unfinished_since
from .sample_merging import SampleMerger, Taken
from .samples import ImportRules, new_samples
from .schema import declare_text_ids
from .shared import MadeSamples, NewImage, SharedImport


class SampleWriter:
    """Adds the images of an export to a dataset, or merges them into its samples.

    It is a context manager, which ends with what is being written.

    Args:
        dataset: the dataset, with its fields declared; None for one that is not there,
            of which nothing can be written
        reader: the export, of which no image has been read yet
        rules: how samples are written
        lock: the lock under which it is written; None if nothing is written, and
            everything is only counted and reported
        is_merge: whether images are looked for in the dataset; all are new otherwise
        is_resumed: whether this was begun before, so that new images may be there

    Attributes:
        attribute_types: the attributes of annotations, and their fields
        counts: what was done to the dataset
        is_dry: whether nothing is written
    """

    def __init__(
        self,
        dataset: fo.Dataset | None,
        reader: ExportReader,
        rules: ImportRules,
        *,
        lock: Lock | None,
        is_merge: bool = True,
        is_resumed: bool = False,
    ) -> None:
        self.attribute_types = AttributeTypes(dataset, *rules.fields)
        self.counts = MergeCounts()
        self._dataset = dataset
        self._reader = reader
        self._report = reader.report
        self._report.merge = self.counts
        self._issues = ImageIssues(self._report, rules.conflicts)
        self._lock = lock
        self.is_dry = lock is None
        self._is_resumed = is_resumed
        self._known = KnownSamples(dataset if is_merge else None, reader)
        own = origin_of(reader)
        origin = self._known.version_of(own)
        self._rules = replace(
            rules,
            origin=origin,
            # What an export says of itself counts more than what it seems to be.
            project=own if is_project(own) else origin,
            attributes=tuple(self.attribute_types.kinds),
            written_as=written_as(dataset, rules.fields) if self.is_merge else None,
        )
        # Samples that were made since are new: the import that made them was killed.
        self._unfinished_since = None
        self._imported: ImportedImages | None = None
        if dataset is not None and self.is_merge:
            self._unfinished_since = unfinished_since(dataset)
            self._imported = ImportedImages(dataset)
        # The keys of images that are samples, and of those that no longer are: their
        # samples were deleted here, or are of other files by now.
        self._present: set[bytes] = set()
        self._retired: set[bytes] = set()
        # Of images that are new, or moved.
        self._sources = NewSources()
        self._merger = SampleMerger(
            dataset,
            self._rules,
            self.counts,
            self._issues,
            self._sources,
            is_dry=self.is_dry,
        )
        self._batch: list[Taken] = []
        # Samples that other processes have made, and the names of their fields.
        self._encoded: list[bytes] = []
        self._paths: set[str] = set()
        self._batch_bytes = 0
        self._inserting = OneBehind()

    def __enter__(self) -> SampleWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._inserting.__exit__(*error)

    @property
    def is_merge(self) -> bool:
        """Whether the dataset has samples that images may be."""
        return len(self._known) > 0

    def shared(self) -> SharedImport:
        """Returns what other processes make of images, for :meth:`add_made`."""
        return SharedImport(
            self._dataset,
            self._rules,
            self.attribute_types,
            is_dry=self.is_dry,
            has_known=self.is_merge,
        )

    def add(self, record: ImageRecord) -> None:
        """Takes an image; it is written with the others of its batch."""
        self.attribute_types.add(record)
        self._take(record)

    def add_made(self, made: MadeSamples) -> int:
        """Takes what another process has made of images; returns their number."""
        self.attribute_types.join(made.attributes)
        for record, said in made.records:
            self._take(record, said)
        for image in made.new:
            self._count_new(image)
            self._note_present(image.key)
        if made.has_text_ids:
            self._declare_text_ids()
        if made.encoded:
            if self._batch:
                self.flush()
            self._encoded += made.encoded
            self._paths |= made.paths
            self._batch_bytes += sum(map(len, made.encoded))
            self._flush_if_full(len(self._encoded))
        return len(made.records) + len(made.new)

    def flush(self) -> None:
        """Writes what has been added; a killed import repeats the rest."""
        if self._lock is not None:
            self._lock.check()
        batch, self._batch, self._batch_bytes = self._batch, [], 0
        encoded, self._encoded = self._encoded, []
        known = {taken.sample.id: taken for taken in batch if taken.sample is not None}
        new: list[Document] = []
        now = write_time()
        if not self.is_dry:
            records = [taken.record for taken in batch if taken.sample is None]
            new = new_samples(records, self._rules, now)
        if any(isinstance(taken.record.coco_id, str) for taken in batch):
            self._declare_text_ids()
        call, dataset = self._inserting.call, self._dataset
        if self._is_resumed and dataset is not None:
            encoded = missing_samples(dataset, encoded)
            new = missing_samples(dataset, new)
        if dataset is not None and (encoded or new):
            # Not where they are written: it saves the dataset and loads it anew, by
            # which fields that are declared meanwhile would be lost.
            declare_images(dataset)
        if encoded:
            # Not where they are written, later than the samples that follow get theirs.
            samples = with_new_ids(encoded)
            call(insert_encoded_documents, dataset, samples, self._paths)
        if new:
            call(insert_documents, dataset, new, now)
        if known:
            self._inserting.wait()
            self._merger.merge(known)

    def _take(self, record: ImageRecord, said: bytes | None = None) -> None:
        if self._encoded:
            self.flush()
        sample = self._known.find(record)
        image = NewImage.of(record, self._rules.origin)
        if sample is None and self._was_deleted(record, image.key):
            self.counts.images_deleted += 1
            self._issues.is_deleted(record)
            return
        if sample is None:
            self._tell_new(record, image)
        else:
            if self._is_new(sample):
                self._sources.add(record.split, record.source_key)
            is_own = sample.origin == self._rules.origin
            if is_own and sample_key(sample) != image.key:
                self._note_retired([sample])
        self._note_present(image.key)
        self._batch.append(Taken(record, sample, said))
        self._batch_bytes += record.stored_bytes
        self._flush_if_full(len(self._batch))

    def _flush_if_full(self, number: int) -> None:
        if number >= BATCH_SIZE or self._batch_bytes > MAX_BATCH_BYTES:
            self.flush()

    def finish(self, old_copies: OldCopies) -> None:
        """Tags and reports what the dataset has and the export no longer.

        Args:
            old_copies: whether older copies of sources that were augmented again are
                tagged or, where no person has worked on them, deleted
        """
        self.flush()
        self._inserting.wait()
        self._sources.report_leakage(self._known, self._report)
        self.counts.labels_replaced = self._merger.replaced.report(self._report)
        samples = GoneSamples(self._dataset, self._rules, self._report, self.is_dry)
        gone = samples.find(
            self._known, self._reader, self._merger.moved_from, self._is_old_copy
        )
        copies = [sample for sample in gone if self._is_old_copy(sample)]
        self.counts.images_gone = len(gone)
        self.counts.old_copies = len(copies)
        deleted: set[KnownSample] = set()
        if copies:
            deleted = samples.retire(copies, self._sources.numbers, old_copies)
            self.counts.old_copies_deleted = len(deleted)
            self._note_retired(deleted)
        samples.tell(gone, deleted)

    def remember_images(self) -> None:
        """Writes down which images are samples: whoever deletes one now means it."""
        assert self._dataset is not None
        imported = self._imported or ImportedImages(self._dataset)
        retired = self._retired if self.is_merge else imported.all()
        imported.change(self._present, retired - self._present)

    def _was_deleted(self, record: ImageRecord, key: bytes | None) -> bool:
        """Whether a person has deleted the sample of an image, and it is to stay so."""
        if self._imported is None or key not in self._imported:
            return False
        # One that two splits list may be there for one of them.
        known = self._known.with_fingerprint(record.fingerprint)
        return self._rules.conflicts == "keep" and key not in map(sample_key, known)

    def _note_present(self, key: bytes | None) -> None:
        if key is not None:
            self._present.add(key)

    def _note_retired(self, samples: Iterable[KnownSample]) -> None:
        self._retired.update(filter(None, map(sample_key, samples)))

    def _tell_new(self, record: ImageRecord, image: NewImage) -> None:
        self._count_new(image)
        namesake = self._known.namesake(record)
        if namesake is not None:
            self._issues.has_namesake(record, namesake)

    def _count_new(self, image: NewImage) -> None:
        self.counts.images_new += 1
        self.counts.labels_added += image.num_labels
        self._sources.add(image.split, image.source_key)

    def _is_new(self, sample: KnownSample) -> bool:
        """Whether the import that this one goes on with has made a sample."""
        since = self._unfinished_since
        return since is not None and sample.created_at >= since

    def _is_old_copy(self, sample: KnownSample) -> bool:
        """Whether the export has newer copies of a gone sample's source."""
        if sample.source_key in self._sources:
            return True
        return sample.is_old_copy and self._known.has_source(sample.source_key)

    def _declare_text_ids(self) -> None:
        if self._dataset is not None and not self.is_dry:
            declare_text_ids(self._dataset)
