"""What the objects of an export say, image by image, on their true pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from ..geometry.draw import draw_objects
from ..geometry.objects import MaskObject
from ..geometry.places import place_shares
from ..limits import size_bucket

PLACES = 64
# A JSON can claim any size, and drawing takes the time of it.
MAX_DRAWN_PIXELS = 2**27


class ObjectFigures:
    """Figures that grow with each image that is added.

    Attributes:
        images: the number of images
        too_large: the number of images that were left out for their size
        areas: for each class the areas of its objects, in pixels
        with_class: for each class the number of images with an object of it
        visible_px: for each class its pixels once all objects are drawn
        image_px: the pixels of all images
        objects_per_image: the number of images by their number of objects
        together: the number of images by pairs of classes that they hold, sorted
        covered: the sum of the images' place shares, for all classes together
    """

    def __init__(self) -> None:
        self.images = 0
        self.too_large = 0
        self.areas: dict[str, list[int]] = {}
        self.with_class: Counter[str] = Counter()
        self.visible_px: Counter[str] = Counter()
        self.image_px = 0
        self.objects_per_image: Counter[int] = Counter()
        self.together: Counter[tuple[str, str]] = Counter()
        self.covered = np.zeros((PLACES, PLACES))

    def add(
        self, size: tuple[int, int], labels: Sequence[str], shapes: Sequence[MaskObject]
    ) -> None:
        """Adds an image.

        Args:
            size: its width and height, in pixels
            labels: the classes of its objects
            shapes: their geometries
        """
        width, height = size
        if width * height > MAX_DRAWN_PIXELS:
            self.too_large += 1
            return
        self.images += 1
        self.image_px += width * height
        self.objects_per_image[len(shapes)] += 1
        names = sorted(set(labels))
        self.with_class.update(names)
        self.together.update(combinations_with_replacement(names, 2))
        if not shapes:
            return
        drawing = draw_objects(
            shapes, height, width, rasterizer="coco", values=[1] * len(shapes)
        )
        self.covered += place_shares(drawing.mask, PLACES)
        for label, area, seen in zip(
            labels, drawing.areas.tolist(), drawing.visible.tolist(), strict=True
        ):
            self.areas.setdefault(label, []).append(area)
            self.visible_px[label] += seen

    @property
    def classes(self) -> list[str]:
        """The classes that have objects, sorted."""
        return sorted(self.areas)

    def heatmap(self) -> np.ndarray:
        """Returns the mean of the images' place shares."""
        return self.covered / max(self.images, 1)

    def buckets(self, label: str) -> Counter[str]:
        """Returns how many objects of a class are of which size."""
        return Counter(map(size_bucket, self.areas[label]))

    def co_occurrence(self, names: Sequence[str]) -> np.ndarray:
        """Returns the number of images that hold both of two classes, as a matrix."""
        return np.array(
            [[self.together[min(a, b), max(a, b)] for b in names] for a in names]
        )
