"""What the tasks of an import have read, kept in MongoDB until the last one writes it.

It is in files of MongoDB's GridFS, one for each time that a task is done: only one that
was written to its end is a file, whose id the task then tells. The ids begin with that
of the run, which tells when it began.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import repeat
from typing import Any
from uuid import uuid4

import gridfs
from bson import ObjectId
from fiftyone.core.odm import get_db_conn
from gridfs.errors import GridFSError

from ...coco.packing import packed, unpacked
from ...coco.reading import ReadPart
from .shared import MadeSamples

_COLLECTION = "cocomask.imports"
_CHUNK_BYTES = 2**20
_LENGTH_BYTES = 8
# What is left of a run goes with the next one.
_KEPT = timedelta(days=30)

Part = tuple[ReadPart, MadeSamples]


class StagedFile:
    """A file that a task writes what it has read to; a context manager.

    Args:
        run_id: the run
        number: the number of the task

    Attributes:
        id: its id
    """

    def __init__(self, run_id: str, number: int) -> None:
        self.id = f"{run_id}/{number}/{uuid4().hex}"
        self._file = _files().new_file(_id=self.id, chunk_size=_CHUNK_BYTES)

    def __enter__(self) -> StagedFile:
        return self

    def __exit__(self, error_type: Any, *error: object) -> None:
        if error_type is None:
            self._file.close()
        else:
            self._file.abort()

    def add(self, part: Part) -> None:
        """Adds what was found and made of the next images.

        What cannot be written leaves a place: who joins the parts reads those images.
        """
        found, made = part
        try:
            data = packed([found.packed(), made.packed()])
        except ValueError:
            data = b""
        self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def staged_parts(file_id: str, number: int) -> Iterator[Part | None]:
    """Yields so many parts of a file; None for those that it does not have."""
    left = number
    try:
        file = _files().get(file_id)
        while left:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
            part = None
            if length:
                found, made = unpacked(file.read(length))
                part = ReadPart.unpacked(found), MadeSamples.unpacked(made)
            yield part
            left -= 1
    except GridFSError:
        yield from repeat(None, left)


def remove_staged(run_id: str) -> None:
    """Removes all that the tasks of a run have written, finished or not."""
    _remove({"$gte": f"{run_id}/", "$lt": f"{run_id}0"})


def remove_old_staged() -> None:
    """Removes what is left of runs that began long ago."""
    oldest = ObjectId.from_datetime(datetime.now(timezone.utc) - _KEPT)
    _remove({"$lt": str(oldest)})


def _remove(ids: dict[str, str]) -> None:
    database = get_db_conn()
    database[f"{_COLLECTION}.files"].delete_many({"_id": ids})
    database[f"{_COLLECTION}.chunks"].delete_many({"files_id": ids})


def _files() -> gridfs.GridFS:
    return gridfs.GridFS(get_db_conn(), _COLLECTION)
