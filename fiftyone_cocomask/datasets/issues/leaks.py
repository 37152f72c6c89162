"""The same picture in several splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from bson import ObjectId

from ...geometry.decoding import read_image

# Brightness is compared along a grid of this many places a side.
_GRID = 16
# Larger images are not decoded only to be compared.
_MAX_PIXELS = 2**27
# An image with fewer differences in brightness than this is too plain to be told.
_MIN_BITS = 16
_BYTES = _GRID * _GRID // 8
_DIGEST_BYTES = 16
_READ_BYTES = 2**20


# What is kept of a picture. Zeros stand for what it does not have.
_ROW = np.dtype(
    [
        ("sample_id", "V12"),
        ("split", "<u4"),
        ("source", f"V{_DIGEST_BYTES}"),
        ("digest", f"V{_DIGEST_BYTES}"),
        ("hash", "u1", (_BYTES,)),
    ]
)
_BITS_SET = np.array([byte.bit_count() for byte in range(256)], np.uint8)


class Picture(NamedTuple):
    """A sample whose picture stands in another split too."""

    sample_id: ObjectId
    split: str


class Pictures:
    """What identifies the pictures of samples, 80 bytes each."""

    def __init__(self) -> None:
        self._rows = bytearray()
        self._splits: dict[str, int] = {}

    def add(
        self,
        sample_id: ObjectId,
        split: str,
        source: str | None,
        filepath: str,
        size: tuple[int, int] | None,
    ) -> None:
        """Adds a sample, whose image file is read once.

        Args:
            sample_id: the sample
            split: its split
            source: the image before augmentation, or None
            filepath: its image
            size: the image's (width, height) in pixels, None if it is not known
        """
        digest, brightness = b"", b""
        try:
            digest = _digest(filepath)
        except OSError:
            pass
        else:
            if size is not None and size[0] * size[1] <= _MAX_PIXELS:
                brightness = _brightness_hash(filepath)
        self._rows += sample_id.binary
        self._rows += self._splits.setdefault(split, len(self._splits)).to_bytes(
            4, "little"
        )
        self._rows += _digest_of_text(source).ljust(_DIGEST_BYTES, b"\0")
        self._rows += digest.ljust(_DIGEST_BYTES, b"\0")
        self._rows += brightness.ljust(_BYTES, b"\0")

    def leaking_groups(self, max_distance: int) -> list[list[Picture]]:
        """Returns those that stand in several splits, all of one group together.

        Args:
            max_distance: how many bits of their perceptual hashes may differ
        """
        if not self._rows:
            return []
        rows = np.frombuffer(bytes(self._rows), _ROW)
        groups = _Groups(len(rows))
        for key in ("source", "digest"):
            for one, other in _equal(rows[key]):
                groups.join(one, other)
        hashed = np.flatnonzero(rows["hash"].any(axis=1))
        hashes, splits = rows["hash"][hashed], rows["split"][hashed]
        for one, others in similar_across_splits(hashes, splits, max_distance):
            for other in hashed[others].tolist():
                groups.join(int(hashed[one]), other)
        split_of = rows["split"].tolist()
        names = list(self._splits)
        ids = rows["sample_id"]
        return [
            [Picture(ObjectId(bytes(ids[p])), names[split_of[p]]) for p in group]
            for group in groups.all()
            if len({split_of[place] for place in group}) > 1
        ]


class _Groups:
    """Places that are joined, directly or over others."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        self._parent[self._root(other)] = self._root(one)

    def all(self) -> list[list[int]]:
        """Returns the places of each group of several, in order."""
        roots = [self._root(place) for place in range(len(self._parent))]
        sizes = np.bincount(roots, minlength=1)
        groups: dict[int, list[int]] = defaultdict(list)
        for place in np.flatnonzero(sizes[roots] > 1).tolist():
            groups[roots[place]].append(place)
        return list(groups.values())

    def _root(self, place: int) -> int:
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place


def _equal(digests: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yields the places of equal digests in pairs, but for those of zeros."""
    words = np.frombuffer(digests.tobytes(), np.uint64).reshape(len(digests), -1)
    order = np.lexsort(words.T)
    ordered = words[order]
    same = (ordered[1:] == ordered[:-1]).all(axis=1) & ordered[1:].any(axis=1)
    return zip(order[:-1][same].tolist(), order[1:][same].tolist(), strict=True)


def similar_across_splits(
    hashes: np.ndarray, splits: np.ndarray, max_distance: int
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields places with others of similar hashes, as many as show what is connected.

    Places are connected if they are similar and of different splits, directly or over
    others: frames of one film may all be alike within their split. Not every pair is
    yielded, or frames of a film would be compared each with all.

    Args:
        hashes: a uint8 array of shape (n, 32)
        splits: the split of each, n numbers
        max_distance: how many bits of similar hashes may differ

    Yields:
        a place, and an int64 array of places that it is connected with
    """
    if not len(hashes):
        return
    # Two hashes that differ in fewer bits than there are pairs of bytes agree in a
    # pair, so only such that share one are compared.
    groups: Iterable[np.ndarray]
    if max_distance < _BYTES // 2:
        groups = _by_two_bytes(hashes, splits)
    else:
        groups = [np.arange(len(hashes))]
    for group in groups:
        unseen, found = group, [int(group[0])]
        unseen_hashes, unseen_splits = hashes[group], splits[group]
        while unseen.size:
            place = found.pop() if found else int(unseen[0])
            differing = _BITS_SET[unseen_hashes ^ hashes[place]]
            near = differing.sum(axis=1, dtype=np.int64) <= max_distance
            near &= unseen_splits != splits[place]
            if near.any():
                yield place, unseen[near]
                found += unseen[near].tolist()
            # Nothing more is to be found of what was seen.
            left = ~near & (unseen != place)
            unseen, unseen_hashes = unseen[left], unseen_hashes[left]
            unseen_splits = unseen_splits[left]


def _by_two_bytes(hashes: np.ndarray, splits: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the places of those that share a pair of bytes and not the split."""
    # One byte alone would be shared by every 256th picture.
    for byte in range(0, _BYTES, 2):
        keys = hashes[:, byte].astype(np.uint16) << 8 | hashes[:, byte + 1]
        order = np.argsort(keys, kind="stable")
        begins = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] ^ 1))
        lowest = np.minimum.reduceat(splits[order], begins)
        is_mixed = lowest != np.maximum.reduceat(splits[order], begins)
        ends = np.append(begins[1:], len(order))
        for begin, end in zip(begins[is_mixed], ends[is_mixed], strict=True):
            yield order[begin:end]


def _digest_of_text(text: str | None) -> bytes:
    if not text:
        return b""
    # Python's texts can hold what UTF-8 cannot.
    encoded = text.encode("utf-8", "surrogatepass")
    return blake2b(encoded, digest_size=_DIGEST_BYTES).digest()


def _digest(filepath: str) -> bytes:
    digest = blake2b(digest_size=_DIGEST_BYTES)
    with Path(filepath).open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    return digest.digest()


def _brightness_hash(filepath: str) -> bytes:
    """Returns a hash of where an image gets darker from left to right (dHash).

    The method is Neal Krawetz's: the image in gray, shrunk to 17 x 16 pixels, a bit
    for each pixel that is brighter than the next one.
    """
    image = read_image(filepath, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    if image is None or min(image.shape) < _GRID:
        image = read_image(filepath, cv2.IMREAD_GRAYSCALE)
    if image is None:
        return b""
    small = cv2.resize(image, (_GRID + 1, _GRID), interpolation=cv2.INTER_AREA)
    bits = small[:, :-1] > small[:, 1:]
    if not _MIN_BITS <= bits.sum() <= bits.size - _MIN_BITS:
        return b""
    return np.packbits(bits).tobytes()
