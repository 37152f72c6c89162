"""Which samples cover which places of their images, packed for the database."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np
from bson import ObjectId

from ..documents import Document

# The number of places in each direction, as heatmaps have them by default.
PLACES = 64

_SAMPLES_PER_PART = 256
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

    def packed(self) -> Document:
        """Returns all of it as BSON holds it."""
        last = [zlib.compress(self._bits, 1)] if self._bits else []
        return {"ids": bytes(self._ids), "parts": [*self._parts, *last]}


def ids_at_place(packed: Document, row: int, column: int) -> Iterator[str]:
    """Yields the ids of the samples that cover a place.

    Args:
        packed: what :meth:`CoveredPlaces.packed` returned
        row: the row of the place, from 0 at the top
        column: its column, from 0 at the left
    """
    place = row * PLACES + column
    ids = memoryview(packed["ids"])
    for part in packed["parts"]:
        bits = np.frombuffer(zlib.decompress(part), np.uint8)
        bits = bits.reshape(-1, PLACES * PLACES // 8)
        for index in np.flatnonzero(bits[:, place // 8] & (128 >> place % 8)):
            yield ids[index * _ID_BYTES : (index + 1) * _ID_BYTES].hex()
        ids = ids[len(bits) * _ID_BYTES :]
