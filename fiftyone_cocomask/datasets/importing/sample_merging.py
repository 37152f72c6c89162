"""Images of an export, merged into the samples that they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import fiftyone as fo
from bson import ObjectId

from ...coco.merge_counts import MergeCounts
from ...coco.records import ImageRecord
from ..documents import (
    MODIFIED,
    Document,
    change_documents,
    document_sizes,
    encoded_size,
    read_documents,
    write_time,
)
from ..import_base.base import BASE_FIELD
from .identity import KnownSample, is_project
from .image_issues import ImageIssues
from .new_sources import NewSources
from .replaced_labels import ReplacedLabels
from .said import said_digest
from .samples import ImportRules, MergedSample, is_whole, merged_sample

# MongoDB's documents have at most so many bytes; few images have so many annotations
# that their samples could have more with what they hold already.
_MAX_DOCUMENT_BYTES = 2**24
_LARGE_BYTES = 2**20


class Taken(NamedTuple):
    """An image that is to be written.

    Attributes:
        record: the image
        sample: the sample that it is, if the dataset has one
        said: the digest of all that the export says of it, if that is known
    """

    record: ImageRecord
    sample: KnownSample | None
    said: bytes | None = None


class SampleMerger:
    """Merges images into their samples, and counts what that does.

    Args:
        dataset: the dataset
        rules: how the import writes
        counts: where numbers go
        issues: where it is told
        sources: where the splits go that images have moved to
        is_dry: whether nothing is written

    Attributes:
        moved_from: the splits that samples have left
        replaced: what became of the annotations that the last import wrote
    """

    def __init__(
        self,
        dataset: fo.Dataset | None,
        rules: ImportRules,
        counts: MergeCounts,
        issues: ImageIssues,
        sources: NewSources,
        *,
        is_dry: bool,
    ) -> None:
        self._dataset = dataset
        self._rules = rules
        self._counts = counts
        self._issues = issues
        self._sources = sources
        self._is_dry = is_dry
        self.moved_from: set[str] = set()
        self.replaced = ReplacedLabels()

    def merge(self, known: Mapping[ObjectId, Taken]) -> None:
        """Merges some images.

        Args:
            known: the images, by the ids of their samples
        """
        merged: dict[ObjectId, MergedSample] = {}
        said = {
            sample_id: taken.said or said_digest(taken.record, self._rules.tags)
            for sample_id, taken in known.items()
        }

        def change(document: Document, now: datetime) -> Document:
            sample_id = document["_id"]
            result = merged_sample(
                document, known[sample_id].record, said[sample_id], self._rules, now
            )
            merged.pop(sample_id, None)
            if sample_id in sizes and not _fit(result, document, sizes[sample_id]):
                return {}
            merged[sample_id] = result
            return result.changes

        # Of what is as it was, nearly all of an export as a rule, no label is read.
        left = {
            document["_id"]
            for document in read_documents(
                self._dataset, list(known), [BASE_FIELD, MODIFIED]
            )
            if not is_whole(document, said[document["_id"]], self._rules)
        }
        large = [i for i in left if known[i].record.stored_bytes > _LARGE_BYTES]
        sizes = document_sizes(self._dataset, large)
        if self._is_dry:
            for document in read_documents(
                self._dataset, list(left), self._rules.paths
            ):
                change(document, write_time())
        elif left:
            change_documents(self._dataset, list(left), self._rules.paths, change)
        for sample_id, taken in known.items():
            if sample_id in merged:
                self._count(taken, merged[sample_id])
            elif sample_id in sizes:
                self._issues.has_no_room(taken.record)
            elif sample_id not in left and self._may_be_others(taken):
                self.replaced.add_unchanged(taken.record)

    def _may_be_others(self, taken: Taken) -> bool:
        """Whether an image's sample may be of another project than the export."""
        assert taken.sample is not None
        origin = taken.sample.origin
        return origin != self._rules.project or not is_project(origin)

    def _count(self, taken: Taken, merged: MergedSample) -> None:
        record, counts, labels = taken.record, self._counts, merged.labels
        counts.labels_updated += labels.updated
        counts.labels_added += labels.added
        counts.labels_deleted += labels.deleted
        counts.edits_kept += labels.edits_kept
        counts.conflicts += len(merged.conflicts)
        if merged.base is not None and self._may_be_others(taken):
            self.replaced.add(record, merged.base.annotations, labels)
        if merged.moved_from is not None:
            counts.images_moved += 1
            self.moved_from.add(merged.moved_from)
            self._sources.add_split(record.split, record.source_key)
            self._issues.is_moved(record, merged.moved_from)
        if merged.is_of_other_project:
            self._issues.is_of_other_project(record)
        for conflict in merged.conflicts:
            self._issues.is_in_conflict(record, conflict)


def _fit(merged: MergedSample, document: Document, size: int) -> bool:
    """Whether a sample of a size in bytes has room for what changes on it."""
    before = {name: document.get(name) for name in merged.changes}
    more = encoded_size(merged.changes) - encoded_size(before)
    return size + more <= _MAX_DOCUMENT_BYTES
