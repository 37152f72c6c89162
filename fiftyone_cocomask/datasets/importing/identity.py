"""Which sample of a dataset an image of an export is.

An image is the same if its file is, or if its name and the source that it was made of
say so. An equal split and name prove nothing: other projects number their frames too.
"""

from __future__ import annotations

import filecmp
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import fiftyone as fo
from bson import ObjectId

from ...coco.check import ExportReader
from ...coco.fingerprints import file_fingerprint
from ...coco.records import ImageRecord
from ...coco.sources import source_key
from ..documents import Document, stream_documents
from ..import_base.base import BASE_FIELD

# The tag of an older copy of a source that the export has augmented again.
OLD_COPY_TAG = "old_copy"
_PATHS = (
    "created_at",
    "tags",
    "split",
    "file_name",
    "source_name",
    "filepath",
    "metadata.size_bytes",
    f"{BASE_FIELD}.file",
    f"{BASE_FIELD}.origin",
    f"{BASE_FIELD}.split",
)


# Two exports are versions of one if they share this part of the smaller one.
_SHARED = 0.1
_MAX_LOOKED_AT = 20


@dataclass(slots=True, eq=False)
class KnownSample:
    """A sample of the dataset, by what tells which image it is.

    Attributes:
        id: its id
        split: its split; None if no import made it
        listed_split: the one that the export had it in, which a person may have changed
        file_name: its file name in the JSON; None if no import made it
        source_name: the image before Roboflow's augmentation
        path: its file
        size_bytes: the size of the file at the last import
        fingerprint: what the last import knew the file by
        origin: the export, and its later versions, that it comes from
        created_at: when it was made
        is_old_copy: whether an import has tagged it as an older copy
        is_matched: whether an image of this export is it
        is_refuted: whether the image of its split and name turned out to be another
    """

    id: ObjectId
    split: str | None
    listed_split: str | None
    file_name: str | None
    source_name: str | None
    path: str
    size_bytes: int | None
    fingerprint: str | None
    origin: str | None
    created_at: datetime
    is_old_copy: bool
    is_matched: bool = False
    is_refuted: bool = False

    @property
    def place(self) -> tuple[str, str | None, str | None]:
        """Its file, and where that was listed: no two samples of an import share it."""
        return self.path, self.listed_split, self.file_name

    @property
    def source_key(self) -> str | None:
        """What the copies of its source have in common; None for no copy."""
        if self.file_name is None:
            return None
        is_named = self.source_name and self.source_name != self.file_name
        extra = {"name": self.source_name} if is_named else None
        return source_key(self.file_name, extra)

    def mark(self) -> str | None:
        """Returns the fingerprint, read from the file where no import stored it."""
        if self.fingerprint is None:
            self.fingerprint = file_fingerprint(self.path)
        return self.fingerprint


class KnownSamples:
    """The samples of a dataset, to be matched with the images of an export one by one.

    Args:
        dataset: the dataset; None for one that is not there yet
        reader: the export, of which no image has been read yet
    """

    def __init__(self, dataset: fo.Dataset | None, reader: ExportReader) -> None:
        self._reader = reader
        self._listed: set[tuple[str | None, str | None]] = set()
        self._splits: dict[str, list[str]] = {}
        self._sources: set[str] = set()
        self._all: list[KnownSample] = []
        self._by_path: dict[str, list[KnownSample]] = {}
        self._by_name: dict[str, list[KnownSample]] = {}
        self._by_mark: dict[str, list[KnownSample]] = {}
        self._unmarked: dict[int | None, list[KnownSample]] = {}
        # A dataset without samples has no fields to read either.
        if dataset is None:
            return
        for split, name, source in reader.listed_images():
            self._listed.add((split, name))
            self._splits.setdefault(name, []).append(split)
            if source is not None:
                self._sources.add(source)
        for batch in stream_documents(dataset, _PATHS, batch_size=1000):
            for document in batch:
                self._add(_known_sample(document))

    def __iter__(self) -> Iterator[KnownSample]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def has_source(self, source_key: str | None) -> bool:
        """Whether the export lists copies of a source."""
        return source_key in self._sources

    def version_of(self, own: str) -> str | None:
        """Returns the origin of the samples of which the export is another version.

        Args:
            own: the origin that the export has by itself, which is the answer if it is
                none
        """
        total: Counter[str | None] = Counter()
        shared: Counter[str | None] = Counter()
        namesakes: dict[str | None, list[KnownSample]] = {}
        for sample in self._all:
            if sample.file_name is None or are_other_projects(sample.origin, own):
                continue
            total[sample.origin] += 1
            if sample.source_key is not None:
                shared[sample.origin] += sample.source_key in self._sources
            elif sample.file_name in self._splits:
                namesakes.setdefault(sample.origin, []).append(sample)
        for origin, samples in namesakes.items():
            looked_at = samples[:: -(-len(samples) // _MAX_LOOKED_AT)]
            same = sum(map(self._is_listed, looked_at))
            shared[origin] += round(same / len(looked_at) * len(samples))
        for origin, number in shared.most_common(1):
            if is_version(number, total[origin], self._reader.num_images):
                return origin
        return own

    def _is_listed(self, sample: KnownSample) -> bool:
        """Whether an image of the export has a sample's name and file."""
        mark, name = sample.mark(), str(sample.file_name)
        return any(
            mark is None or self._reader.fingerprint_of(split, name) == mark
            for split in self._splits.get(name, ())
        )

    def find(self, record: ImageRecord) -> KnownSample | None:
        """Returns the sample that an image is, if there is one; it is matched then."""
        for candidates in (
            self._of_file(record),
            self._of_split_and_name(record),
            self._of_name(record),
            self._of_content(record),
        ):
            for sample in candidates:
                sample.is_matched = True
                return sample
        return None

    def with_fingerprint(self, mark: str | None) -> Sequence[KnownSample]:
        """Returns the samples that an import has stored a fingerprint of."""
        return self._by_mark.get(mark or "", ())

    def namesake(self, record: ImageRecord) -> KnownSample | None:
        """Returns a sample of the same split and name, which is another picture."""
        for sample in self._by_name.get(record.file_name, ()):
            if sample.split == record.split:
                return sample
        return None

    def _add(self, sample: KnownSample) -> None:
        self._all.append(sample)
        self._by_path.setdefault(sample.path, []).append(sample)
        if sample.file_name is not None:
            self._by_name.setdefault(sample.file_name, []).append(sample)
        if sample.fingerprint is not None:
            self._by_mark.setdefault(sample.fingerprint, []).append(sample)
        else:
            self._unmarked.setdefault(sample.size_bytes, []).append(sample)

    def _of_file(self, record: ImageRecord) -> Iterator[KnownSample]:
        """Yields samples of the very file; it may be listed in several splits."""
        samples = self._by_path.get(str(record.path), [])
        own = [s for s in samples if s.split == record.split]
        for sample in own + [s for s in samples if s not in own]:
            if not sample.is_matched and not self._is_others(sample, record):
                yield sample

    def _of_split_and_name(self, record: ImageRecord) -> Iterator[KnownSample]:
        for sample in self._by_name.get(record.file_name, ()):
            if sample.split == record.split and not sample.is_matched:
                if _is_same(sample, record):
                    yield sample
                else:
                    sample.is_refuted = True

    def _of_name(self, record: ImageRecord) -> Iterator[KnownSample]:
        for sample in self._by_name.get(record.file_name, ()):
            if (
                sample.split != record.split
                and not sample.is_matched
                and not self._is_others(sample, record)
                and _is_same(sample, record)
            ):
                yield sample

    def _of_content(self, record: ImageRecord) -> Iterator[KnownSample]:
        """Yields samples of equal files: those of the same source or split first."""
        self._read_unmarked(record.size_bytes)
        samples = [
            sample
            for sample in self._by_mark.get(record.fingerprint or "", ())
            if not sample.is_matched
            # Copies of two sources are two images, though they look the same.
            and len({sample.source_key, record.source_key} - {None}) < 2
        ]
        samples.sort(
            key=lambda s: (
                s.source_name != record.source_name,
                s.split != record.split,
            )
        )
        for sample in samples:
            if not self._is_others(sample, record) and _is_same_file(sample, record):
                yield sample

    def _read_unmarked(self, size_bytes: int) -> None:
        """Reads the files of a size that no import has stored a fingerprint of."""
        for size in (size_bytes, None):
            for sample in self._unmarked.pop(size, ()):
                if size is None and _size_of(sample.path) != size_bytes:
                    # Added without metadata, and of another size.
                    self._unmarked.setdefault(_size_of(sample.path), []).append(sample)
                    continue
                mark = sample.mark()
                if mark is not None:
                    self._by_mark.setdefault(mark, []).append(sample)

    def _is_others(self, sample: KnownSample, record: ImageRecord) -> bool:
        """Whether another image of the export has a better claim to a sample.

        That is the one of its split and name, unless that one is another picture.
        """
        key = (sample.listed_split, sample.file_name)
        if sample.is_refuted or key == (record.split, record.file_name):
            return False
        if key not in self._listed and not self._reader.is_left_out(*key):
            return False
        assert sample.listed_split is not None
        assert sample.file_name is not None
        mark = self._reader.fingerprint_of(sample.listed_split, sample.file_name)
        sample.is_refuted = (
            mark is not None
            and sample.mark() is not None
            and mark != sample.mark()
            and sample.source_key is None
        )
        return not sample.is_refuted


def origin_of(reader: ExportReader) -> str:
    """Returns what tells an export from others: its project, else its place.

    All versions of a project that Roboflow's own files name have one origin.
    """
    address = reader.roboflow.get("url", "")
    project = re.search(r"roboflow\.com/(?!.*/undefined$)([^/\s]+/[^/\s]+)", address)
    known = project[1] if project else reader.roboflow.get("project")
    if known:
        return _project_origin(known)
    return "f" + _digest(reader.info["path"])


def _project_origin(name: str) -> str:
    return "p" + _digest(name)


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="replace"), digest_size=5).hexdigest()


# Of the address that all JSONs of Roboflow's have, whatever the project. Earlier
# versions took it for one.
_NO_PROJECT = _project_origin("object-detection/undefined")


def is_project(origin: str | None) -> bool:
    """Whether an origin is a project that Roboflow's own files name."""
    return origin is not None and origin.startswith("p") and origin != _NO_PROJECT


def are_other_projects(first: str | None, second: str | None) -> bool:
    """Whether two origins are of projects that are known, and not the same."""
    return first != second and is_project(first) and is_project(second)


def is_version(shared: int, samples: int, images: int) -> bool:
    """Whether an export is a later version of samples, by the images they share."""
    return shared > 0 and shared >= _SHARED * min(samples, images)


def _known_sample(document: Document) -> KnownSample:
    base = document.get(BASE_FIELD) or {}
    metadata: dict[str, Any] = document.get("metadata") or {}
    split = document.get("split") if document.get("file_name") else None
    return KnownSample(
        document["_id"],
        split,
        base.get("split") or split,
        document.get("file_name"),
        document.get("source_name"),
        document["filepath"],
        metadata.get("size_bytes"),
        base.get("file"),
        base.get("origin"),
        document["created_at"],
        OLD_COPY_TAG in (document.get("tags") or ()),
    )


def _is_same(sample: KnownSample, record: ImageRecord) -> bool:
    """Whether a sample of an image's name is this image."""
    is_named = record.source_name not in ("", record.file_name)
    if is_named and sample.source_name == record.source_name:
        return True
    mark = sample.mark()
    if mark is not None and record.fingerprint is not None:
        return mark == record.fingerprint
    # Its file is gone: all that is left of it is the size.
    return sample.size_bytes == record.size_bytes


def _is_same_file(sample: KnownSample, record: ImageRecord) -> bool:
    """Whether files of one fingerprint are equal, as far as both are there."""
    if sample.file_name == record.file_name:
        return True
    try:
        return filecmp.cmp(sample.path, record.path, shallow=False)
    except OSError:
        return True


def _size_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return -1
