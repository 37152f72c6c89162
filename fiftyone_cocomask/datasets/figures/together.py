"""Which classes occur together, and how many pixels they share."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, combinations_with_replacement
from typing import Any

from pycocotools import mask as mask_utils

from ...fiftyone_types import SampleCollection
from ...geometry.draw import draw_objects
from ...geometry.objects import Canvas
from ..documents import Document
from ..label_lists import LabelList
from ..masks.options import MaskOptions
from .drawn import DrawnSample, class_of, drawn_samples

_Pair = tuple[str, str]


def pairs_of_classes(
    samples: SampleCollection, mask_field: str, labels: LabelList, options: MaskOptions
) -> list[Document]:
    """Returns the classes that occur together, a row for each pair that does.

    Args:
        samples: the dataset or view
        mask_field: the field of the masks
        labels: where the labels are
        options: how the masks are drawn

    Returns:
        rows of ``class``, ``other``, ``images`` and ``overlap_px``, sorted
    """
    images: Counter[_Pair] = Counter()
    pixels: Counter[_Pair] = Counter()
    for sample in drawn_samples(samples, mask_field, labels, options):
        names = sorted({class_of(item) for item in sample.objects})
        images.update(combinations_with_replacement(names, 2))
        if len(sample.objects) > 1:
            pixels.update(_overlaps(sample, options))
    return [
        {"class": a, "other": b, "images": images[a, b], "overlap_px": pixels[a, b]}
        for a, b in sorted(images)
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
        unions[name] = mask_utils.merge(canvas.rles(geometries))
    for a, b in combinations(sorted(unions), 2):
        both = mask_utils.merge([unions[a], unions[b]], intersect=True)
        found[a, b] += int(mask_utils.area(both))
    return found
