"""Labels by their ids, of which a search may keep one for each that there is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bson import ObjectId

# A sample and one of its labels.
Ids = tuple[ObjectId, ObjectId]

_ROW = np.dtype([("sample", "V12"), ("label", "V12")])
_BYTES = _ROW.itemsize


class IdList:
    """Ids of labels with those of their samples, 24 bytes each.

    Args:
        content: those of the first labels, as the lists keep them
    """

    def __init__(self, content: bytes = b"") -> None:
        self._bytes = bytearray(content)

    def append(self, sample_id: ObjectId, label_id: ObjectId) -> None:
        """Adds a label."""
        self._bytes += sample_id.binary + label_id.binary

    def __len__(self) -> int:
        return len(self._bytes) // _BYTES

    def __getitem__(self, index: int) -> Ids:
        if not 0 <= index < len(self):
            raise IndexError(index)
        both = bytes(self._bytes[_BYTES * index : _BYTES * (index + 1)])
        return ObjectId(both[:12]), ObjectId(both[12:])

    def __iter__(self) -> Iterator[Ids]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: IdList) -> IdList:
        return IdList(bytes(self._bytes + other._bytes))

    def distinct(self) -> IdList:
        """Returns each label once."""
        rows = self._rows()
        _, first = np.unique(rows["label"], return_index=True)
        return IdList(rows[np.sort(first)].tobytes())

    def without(self, other: IdList) -> IdList:
        """Returns the labels that another list does not have."""
        rows = self._rows()
        is_there = np.isin(rows["label"], other._rows()["label"])
        return IdList(rows[~is_there].tobytes())

    def sample_ids(self) -> list[ObjectId]:
        """Returns the ids of the samples, each once, in order."""
        return [ObjectId(bytes(i)) for i in np.unique(self._rows()["sample"])]

    def batches(self, size: int) -> Iterator[list[Ids]]:
        """Yields the labels in batches."""
        for start in range(0, len(self), size):
            yield [self[i] for i in range(start, min(start + size, len(self)))]

    def _rows(self) -> np.ndarray:
        # Of a copy: what an array shows can not grow.
        return np.frombuffer(bytes(self._bytes), _ROW)
