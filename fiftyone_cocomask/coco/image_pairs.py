"""Which image of one export is which of another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from .compared import ComparedImage

Pair = tuple[ComparedImage | None, ComparedImage | None]


def pair_images(
    old: Iterable[ComparedImage], new: Iterable[ComparedImage]
) -> Iterator[Pair]:
    """Yields which image of one export is which of another.

    The one of the same split and file name, else the only one of that file name, else
    the only one whose name ends so behind all folders, as labelling programs write
    them, else the only one of the same source: Roboflow gives a copy another name each
    time.

    Args:
        old: the images before
        new: the images after
    """
    olds, news = list(old), list(new)
    found: dict[int, ComparedImage] = {}
    for key in (
        lambda image: (image.split, image.file_name),
        lambda image: image.file_name,
        lambda image: re.split(r"[/\\]", image.file_name)[-1] or None,
        lambda image: image.source,
    ):
        left = [image for image in olds if id(image) not in found]
        taken = {id(image) for image in found.values()}
        by_key = _unique([i for i in news if id(i) not in taken], key)
        for name, image in _unique(left, key).items():
            if name in by_key:
                found[id(image)] = by_key[name]
    for image in olds:
        yield image, found.get(id(image))
    taken = {id(image) for image in found.values()}
    for image in news:
        if id(image) not in taken:
            yield None, image


def _unique(
    images: list[ComparedImage], key: Callable[[ComparedImage], object]
) -> dict[object, ComparedImage]:
    counts = Counter(map(key, images))
    return {key(i): i for i in images if key(i) is not None and counts[key(i)] == 1}
