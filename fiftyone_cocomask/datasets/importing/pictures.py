"""The pictures of samples, which no import overwrites or takes away."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import fiftyone as fo

from ...coco.check import ExportReader
from ...coco.fingerprints import file_fingerprint
from ...coco.records import ImageRecord
from ..documents import Document, stream_documents
from ..folders import export_folder
from ..import_base.base import BASE_FIELD


def unpack_for(
    dataset: fo.Dataset, reader: ExportReader, *, is_replacing: bool
) -> None:
    """Has an export's zip, if it is one, unpacked to the dataset's own folder.

    Args:
        dataset: the dataset
        reader: the export, of which no image has been read yet
        is_replacing: whether its samples are to take the place of those that are there
    """
    reader.unpack_to = export_folder(dataset)
    if reader.is_zip:
        pictures = KnownPictures(dataset, is_replacing=is_replacing)
        reader.keep_unpacked(pictures.marks)


class KnownPictures:
    """The files of a dataset's samples, by what imports knew them by.

    Args:
        dataset: the dataset
        is_replacing: whether all samples are to be replaced: a file that somebody has
            edited since is not what the export has, then
    """

    def __init__(self, dataset: fo.Dataset, *, is_replacing: bool) -> None:
        # Tuples: sets of a million samples would have 200 MB.
        self._marks: dict[str, tuple[str, ...]] = {}
        paths = ("filepath", f"{BASE_FIELD}.file")
        for documents in stream_documents(dataset, paths, batch_size=1000):
            for document in documents:
                path = document["filepath"]
                marks = self._marks.get(path, ())
                mark = (document.get(BASE_FIELD) or {}).get("file")
                if mark is not None and not is_replacing:
                    marks = (*marks, mark)
                self._marks[path] = marks

    def marks(self, path: Path) -> Collection[str] | None:
        """Returns the fingerprints of what a file was when it was imported.

        None if it is not the file of any sample.
        """
        return self._marks.get(str(path))


def has_own_picture(document: Document, record: ImageRecord, *, was_told: bool) -> bool:
    """Whether a sample has a file that a person gave it, or has edited.

    It stays the sample's as long as the export has the picture that it had.

    Args:
        document: the sample's document
        record: its image
        was_told: whether the last import told it the same
    """
    path = document["filepath"]
    if path == str(record.path) or not os.path.isfile(path):
        return False
    if was_told:
        return True
    known = (document.get(BASE_FIELD) or {}).get("file")
    if known is None or record.fingerprint != known:
        return False
    return file_fingerprint(path) not in (None, known)
