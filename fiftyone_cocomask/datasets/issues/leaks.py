"""The same picture in several splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np
from bson import ObjectId

# Brightness is compared along a grid of this many places a side.
_GRID = 16
# Larger images are not decoded only to be compared.
_MAX_PIXELS = 2**27
# An image with fewer differences in brightness than this is too plain to be told.
_MIN_BITS = 16
_BYTES = _GRID * _GRID // 8
_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Picture:
    """What identifies the picture of a sample.

    Attributes:
        sample_id: the sample
        split: its split
        source: the image before augmentation, or None
        digest: of the file's bytes, b"" where it cannot be read
        hash: the perceptual hash, 32 bytes; b"" where there is none
    """

    sample_id: ObjectId
    split: str
    source: str | None
    digest: bytes
    hash: bytes


def read_picture(
    sample_id: ObjectId,
    split: str,
    source: str | None,
    filepath: str,
    size: tuple[int, int] | None,
) -> Picture:
    """Reads the image file of a sample once, and keeps 64 bytes of it."""
    try:
        digest = _digest(filepath)
    except OSError:
        return Picture(sample_id, split, source, b"", b"")
    fits = size is not None and size[0] * size[1] <= _MAX_PIXELS
    return Picture(
        sample_id, split, source, digest, _brightness_hash(filepath) if fits else b""
    )


def leaking_groups(
    pictures: Iterable[Picture], max_distance: int
) -> list[list[Picture]]:
    """Returns the pictures that stand in several splits, all of one group together.

    Args:
        pictures: the pictures of all samples
        max_distance: how many bits of their hashes may differ
    """
    pictures = list(pictures)
    groups = _Groups(len(pictures))
    for key in ("source", "digest"):
        first: dict[object, int] = {}
        for place, picture in enumerate(pictures):
            value = getattr(picture, key)
            if value:
                groups.join(first.setdefault(value, place), place)
    hashed = [place for place, picture in enumerate(pictures) if picture.hash]
    for one, others in _similar([pictures[p] for p in hashed], max_distance):
        for other in others:
            # Frames of one film may all be alike within their split.
            if pictures[hashed[one]].split != pictures[hashed[other]].split:
                groups.join(hashed[one], hashed[other])
    found = [[pictures[place] for place in group] for group in groups.all()]
    return [group for group in found if len({p.split for p in group}) > 1]


class _Groups:
    """Places that are joined, directly or over others."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def join(self, one: int, other: int) -> None:
        self._parent[self._root(other)] = self._root(one)

    def all(self) -> list[list[int]]:
        groups: dict[int, list[int]] = defaultdict(list)
        for place in range(len(self._parent)):
            groups[self._root(place)].append(place)
        return list(groups.values())

    def _root(self, place: int) -> int:
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place


def _similar(
    pictures: list[Picture], max_distance: int
) -> Iterator[tuple[int, list[int]]]:
    """Yields the place of each picture with those of others of nearly the same hash.

    Two hashes that differ in fewer bits than there are pairs of bytes agree in a pair,
    so only pictures that share one are compared.
    """
    if not pictures:
        return
    hashes = np.frombuffer(b"".join(p.hash for p in pictures), np.uint8)
    hashes = hashes.reshape(len(pictures), _BYTES)
    groups: Iterable[np.ndarray]
    if max_distance < _BYTES // 2:
        groups = _by_two_bytes(hashes)
    else:
        groups = [np.arange(len(pictures))]
    for group in groups:
        bits = np.unpackbits(hashes[group], axis=1)
        for place in range(len(group) - 1):
            distances = (bits[place + 1 :] != bits[place]).sum(axis=1)
            near = group[place + 1 :][distances <= max_distance]
            if len(near):
                yield int(group[place]), near.tolist()


def _by_two_bytes(hashes: np.ndarray) -> Iterator[np.ndarray]:
    # One byte alone would be shared by every 256th picture.
    for byte in range(0, _BYTES, 2):
        keys = hashes[:, byte].astype(np.uint16) << 8 | hashes[:, byte + 1]
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order])) + 1
        for group in np.split(order, edges):
            if len(group) > 1:
                yield np.sort(group)


def _digest(filepath: str) -> bytes:
    digest = blake2b(digest_size=16)
    with Path(filepath).open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
    return digest.digest()


def _brightness_hash(filepath: str) -> bytes:
    """Returns a hash of where an image gets darker from left to right (dHash).

    The method is Neal Krawetz's: the image in gray, shrunk to 17 x 16 pixels, a bit
    for each pixel that is brighter than the next one.
    """
    image = cv2.imread(filepath, cv2.IMREAD_REDUCED_GRAYSCALE_4)
    if image is None or min(image.shape) < _GRID:
        image = cv2.imread(filepath, cv2.IMREAD_GRAYSCALE)
    if image is None:
        return b""
    small = cv2.resize(image, (_GRID + 1, _GRID), interpolation=cv2.INTER_AREA)
    bits = small[:, :-1] > small[:, 1:]
    if not _MIN_BITS <= bits.sum() <= bits.size - _MIN_BITS:
        return b""
    return np.packbits(bits).tobytes()
