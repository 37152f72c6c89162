"""Which samples cover which places of their images, packed for the database."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from bson import ObjectId

from ..documents import Document

# The number of places in each direction, as heatmaps have them by default.
PLACES = 64

_SAMPLES_PER_PART = 256
# Up to 9 MB: MongoDB takes 16 in a document, where they are a third larger.
_PARTS_PER_DOCUMENT = 64
_ID_BYTES = 12


class CoveredPlaces:
    """The samples that cover anything, each with a bit for each place."""

    def __init__(self) -> None:
        self._ids = bytearray()
        self._parts: list[bytes] = []
        self._bits = bytearray()

    def add(self, sample_id: ObjectId, covered: np.ndarray) -> None:
        """Adds a sample and which places it covers, bools of shape (PLACES, PLACES)."""
        self._ids += sample_id.binary
        self._bits += np.packbits(covered).tobytes()
        if len(self._bits) == _SAMPLES_PER_PART * PLACES * PLACES // 8:
            self._parts.append(zlib.compress(self._bits, 1))
            self._bits.clear()

    def packed(self) -> list[Document]:
        """Returns all of it, in as many documents as MongoDB needs for it."""
        last = [zlib.compress(self._bits, 1)] if self._bits else []
        parts = [*self._parts, *last]
        documents = []
        for start in range(0, len(parts), _PARTS_PER_DOCUMENT):
            end = start + _PARTS_PER_DOCUMENT
            ids = self._ids[_ids_before(start) : _ids_before(end)]
            documents.append({"ids": bytes(ids), "parts": parts[start:end]})
        return documents


def _ids_before(part: int) -> int:
    return part * _SAMPLES_PER_PART * _ID_BYTES


def ids_at_place(packed: Iterable[Document], row: int, column: int) -> Iterator[str]:
    """Yields the ids of the samples that cover a place.

    Args:
        packed: what :meth:`CoveredPlaces.packed` returned
        row: the row of the place, from 0 at the top
        column: its column, from 0 at the left
    """
    place = row * PLACES + column
    for document in packed:
        ids = memoryview(document["ids"])
        for part in document["parts"]:
            bits = np.frombuffer(zlib.decompress(part), np.uint8)
            bits = bits.reshape(-1, PLACES * PLACES // 8)
            for index in np.flatnonzero(bits[:, place // 8] & (128 >> place % 8)):
                yield ids[index * _ID_BYTES : (index + 1) * _ID_BYTES].hex()
            ids = ids[len(bits) * _ID_BYTES :]
