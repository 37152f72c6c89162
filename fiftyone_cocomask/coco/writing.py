"""A COCO JSON written entry by entry: it is there whole, or not at all."""

from __future__ import annotations

import codecs
import os
import shutil
from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from ..unfinished import remove_unfinished, unfinished_name

_LAST = 2**62
# Spools are written in pieces of about this many bytes.
_BUFFER = 2**20


def ascii_json(value: Any) -> bytes:
    """Returns a value as JSON in ASCII.

    Readers that open the file without naming an encoding get the same text everywhere.
    """
    data = msgspec.json.encode(value)
    if data.isascii():
        return data
    return data.decode().encode("ascii", "cocomask_json")


def numbers(values: list[Any]) -> msgspec.Raw:
    """Returns lists of numbers as JSON, whole ones without a decimal point."""
    return msgspec.Raw(_numbers(values))


def numbers_of_each(values: list[Any]) -> list[msgspec.Raw]:
    """Returns what :func:`numbers` does for each of some lists, in one go.

    Args:
        values: lists of numbers, or lists of such lists: all of one depth, and none
            of them empty
    """
    if not values:
        return []
    data = _numbers(values)
    depth = len(data) - len(data.lstrip(b"["))
    start, end = b"[" * (depth - 1), b"]" * (depth - 1)
    pieces = data[depth:-depth].split(end + b"," + start)
    return [msgspec.Raw(start + piece + end) for piece in pieces]


def _numbers(values: list[Any]) -> bytes:
    data = msgspec.json.encode(values)
    return data.replace(b".0,", b",").replace(b".0]", b"]")


class CocoWriter:
    """Writes the COCO JSON of one split.

    Entries go to files of their own first, so that memory does not grow with them;
    :meth:`finish` puts them together and :meth:`publish` gives the file its name.

    Args:
        path: the file to write
        is_ordered: whether annotations have places to be ordered by

    Attributes:
        path: the file
        num_images: the number of images so far
        num_annotations: the number of annotations so far

    Raises:
        OSError: if it cannot be written; :meth:`discard` leaves nothing behind
    """

    def __init__(self, path: Path, *, is_ordered: bool = False) -> None:
        self.path = path
        self.num_images = 0
        self.num_annotations = 0
        self._places = array("q") if is_ordered else None
        self._starts = array("q", [0])
        remove_unfinished(path.parent, below=False)
        stem = path.with_name(unfinished_name())
        self._whole = stem
        self._names = [Path(f"{stem}-images"), Path(f"{stem}-annotations")]
        self._spools: list[IO[bytes]] = [
            open(name, "w+b", buffering=_BUFFER)  # noqa: SIM115
            for name in self._names
        ]

    def add(
        self,
        image: Mapping[str, Any],
        annotations: Sequence[Mapping[str, Any]] = (),
        places: Sequence[int | None] = (),
    ) -> None:
        """Adds an image with its annotations.

        Args:
            image: the image's entry
            annotations: the annotations' entries
            places: their places in the list, if the writer is ordered; those without
                one follow those that have one
        """
        self._add(0, ascii_json(image), self.num_images)
        self.num_images += 1
        if self._places is not None:
            for entry, place in zip(annotations, places, strict=True):
                size = self._add(1, ascii_json(entry), self.num_annotations)
                self.num_annotations += 1
                self._places.append(_LAST if place is None else place)
                self._starts.append(self._starts[-1] + size)
        elif annotations:
            # One list is encoded several times as fast as its entries one by one.
            self._add(1, ascii_json(annotations)[1:-1], self.num_annotations)
            self.num_annotations += len(annotations)

    def finish(self, header: Mapping[str, Any]) -> None:
        """Writes everything to a file that has no name of its own yet.

        Args:
            header: all of the JSON but its images and annotations
        """
        with open(self._whole, "wb") as file:
            file.write(b"{")
            for key, value in header.items():
                file.write(ascii_json(key) + b":" + ascii_json(value) + b",")
            starts = (b'"images":[', b'],"annotations":[')
            for start, spool in zip(starts, self._spools, strict=True):
                file.write(start)
                spool.seek(0)
                if self._places is not None and spool is self._spools[1]:
                    self._copy_in_order(spool, file)
                else:
                    shutil.copyfileobj(spool, file, _BUFFER)
            file.write(b"]}")
            file.flush()
            os.fsync(file.fileno())
        self._close()

    def publish(self) -> None:
        """Gives the finished file its name, in place of an older one."""
        os.replace(self._whole, self.path)

    def discard(self) -> None:
        """Removes what has not been published."""
        with suppress(OSError):
            self._close()
        for name in (self._whole, *self._names):
            with suppress(OSError):
                name.unlink(missing_ok=True)

    def _add(self, spool: int, data: bytes, number: int) -> int:
        return self._spools[spool].write(b"," + data if number else data)

    def _copy_in_order(self, spool: IO[bytes], file: IO[bytes]) -> None:
        places = np.array(self._places, np.int64)
        order = np.argsort(places, kind="stable")
        for number, index in enumerate(order.tolist()):
            start, stop = self._starts[index : index + 2]
            spool.seek(start)
            data = spool.read(stop - start).lstrip(b",")
            file.write(b"," + data if number else data)

    def _close(self) -> None:
        for spool, name in zip(self._spools, self._names, strict=False):
            spool.close()
            name.unlink(missing_ok=True)


class IdSet:
    """The ids that are taken: a bit each, for the dense ids that exports have."""

    _BITS = 512

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}
        self._others: set[str] = set()

    def add(self, value: int | str) -> bool:
        """Takes an id; returns whether it was free."""
        if isinstance(value, str):
            is_free = value not in self._others
            self._others.add(value)
            return is_free
        number, place = divmod(value, self._BITS)
        chunk = self._chunks.get(number)
        if chunk is None:
            chunk = self._chunks[number] = bytearray(self._BITS // 8)
        bit = 1 << (place & 7)
        is_free = not chunk[place >> 3] & bit
        chunk[place >> 3] |= bit
        return is_free


class Ids:
    """Gives entries ids: their own where those are free, else new ones.

    Args:
        largest: the largest id that any entry has; new ones follow it
        first: the first new one where no entry has an id
        keep_repeated: whether ids that several entries have are kept
    """

    def __init__(
        self, largest: int | None, first: int = 0, *, keep_repeated: bool = False
    ) -> None:
        self._next = first if largest is None else max(largest + 1, first)
        self._taken = IdSet()
        self._keep_repeated = keep_repeated

    def own(self, value: int | str | None) -> int | str:
        """Returns an entry's own id, or a new one if it has none or that is taken."""
        if value is not None and (self._taken.add(value) or self._keep_repeated):
            return value
        return self.new()

    def new(self) -> int:
        """Returns an id that no entry has."""
        while not self._taken.add(self._next):
            self._next += 1
        return self._next


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Returns characters that are not ASCII as JSON's escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    units: Iterable[int] = memoryview(signs).cast("B")
    pairs = zip(*[iter(units)] * 2, strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


codecs.register_error("cocomask_json", _escaped)
