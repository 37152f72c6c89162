"""Which classes occur together, and how many pixels they share."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, combinations_with_replacement
from typing import Any

from pycocotools import mask as mask_utils

from ...geometry.draw import draw_objects
from ...geometry.objects import Canvas
from ..documents import Document
from ..masks.options import MaskOptions
from .drawn import DrawnSample, class_of

_Pair = tuple[str, str]


class ClassPairs:
    """Sums of the classes that occur together.

    Args:
        options: how the masks are drawn
    """

    def __init__(self, options: MaskOptions) -> None:
        self._options = options
        self._images: Counter[_Pair] = Counter()
        self._pixels: Counter[_Pair] = Counter()

    def add(self, sample: DrawnSample, *, overlaps: bool) -> None:
        """Adds a sample.

        Args:
            sample: its objects
            overlaps: whether any of them may overlap
        """
        names = sorted({class_of(item) for item in sample.objects})
        self._images.update(combinations_with_replacement(names, 2))
        if overlaps:
            self._pixels.update(_overlaps(sample, self._options))

    def rows(self) -> list[Document]:
        """Returns rows of ``class``, ``other``, ``images`` and ``overlap_px``."""
        return [
            {
                "class": a,
                "other": b,
                "images": self._images[a, b],
                "overlap_px": self._pixels[a, b],
            }
            for a, b in sorted(self._images)
        ]


def _overlaps(sample: DrawnSample, options: MaskOptions) -> Counter[_Pair]:
    width, height = sample.size
    by_class: dict[str, list[Any]] = {}
    for item in sample.objects:
        by_class.setdefault(class_of(item), []).append(item.geometry)
    found: Counter[_Pair] = Counter()
    canvas = Canvas(height, width, options.rasterizer)
    unions = {}
    for name, geometries in by_class.items():
        if len(geometries) > 1:
            drawing = draw_objects(
                geometries,
                height,
                width,
                rasterizer=options.rasterizer,
                values=[1] * len(geometries),
            )
            found[name, name] += drawing.overlap_px
        if len(by_class) > 1:
            unions[name] = mask_utils.merge(canvas.rles(geometries))
    for a, b in combinations(sorted(unions), 2):
        both = mask_utils.merge([unions[a], unions[b]], intersect=True)
        found[a, b] += int(mask_utils.area(both))
    return found
