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


def leaking_samples(pictures: Iterable[Picture], max_distance: int) -> set[ObjectId]:
    """Returns the samples whose picture another split has too.

    Args:
        pictures: the pictures of all samples
        max_distance: how many bits of their hashes may differ
    """
    pictures = list(pictures)
    leaking: set[ObjectId] = set()
    for key in ("source", "digest"):
        groups: dict[object, list[Picture]] = defaultdict(list)
        for picture in pictures:
            if getattr(picture, key):
                groups[getattr(picture, key)].append(picture)
        for group in groups.values():
            if len({picture.split for picture in group}) > 1:
                leaking |= {picture.sample_id for picture in group}
    hashed = [picture for picture in pictures if picture.hash]
    for one, others in _similar(hashed, max_distance):
        across = [p for p in others if p.split != one.split]
        if across:
            leaking |= {one.sample_id, *(picture.sample_id for picture in across)}
    return leaking


def _similar(
    pictures: list[Picture], max_distance: int
) -> Iterator[tuple[Picture, list[Picture]]]:
    """Yields each picture with later ones of nearly the same hash.

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
                yield pictures[group[place]], [pictures[i] for i in near]


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
