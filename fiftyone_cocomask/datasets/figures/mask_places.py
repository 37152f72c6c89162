"""Sums of where in the images classes lie."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from bson import ObjectId

from ...geometry.places import position_moments, shares_and_places
from ..documents import Document
from .counts import ALL_CLASSES
from .covered_places import PLACES, CoveredPlaces


@dataclass(slots=True)
class _Sums:
    """The sums of a class.

    Attributes:
        shares: of the images' place shares, of shape (PLACES, PLACES)
        moments: of the images' moments, see :func:`position_moments`
        images: the images in which it covers anything
        covered: where each of them is covered
    """

    shares: np.ndarray = field(default_factory=lambda: np.zeros((PLACES, PLACES)))
    moments: np.ndarray = field(default_factory=lambda: np.zeros(5))
    images: int = 0
    covered: CoveredPlaces = field(default_factory=CoveredPlaces)


class MaskPlaces:
    """Where masks lie, of each class and of all."""

    def __init__(self) -> None:
        # All classes together are None, as any text can be the name of one.
        self._classes: dict[str | None, _Sums] = {}
        # The images that could cover a place: those with a mask, or with labels.
        self._with_mask = 0
        self._with_classes = 0

    def add_mask(self, sample_id: ObjectId, mask: np.ndarray) -> None:
        """Adds the whole mask of an image, which is not 0 where it covers it."""
        self._with_mask += 1
        self._add(None, sample_id, mask != 0)

    def add_classes(self, sample_id: ObjectId, masks: dict[str, np.ndarray]) -> None:
        """Adds an image's mask of each class, bool arrays."""
        self._with_classes += 1
        for name, mask in masks.items():
            self._add(name, sample_id, mask)

    def heatmaps(self) -> dict[str | None, list[list[float]]]:
        """Returns the mean place shares of each class, and of all by None."""
        return {
            name: (sums.shares / self._number(name)).tolist()
            for name, sums in self._classes.items()
        }

    def covered(self) -> dict[str | None, list[Document]]:
        """Returns which samples cover which places, packed, as ``heatmaps``."""
        return {name: sums.covered.packed() for name, sums in self._classes.items()}

    def rows(self) -> list[Document]:
        """Returns the centre and the spread of each class, all together first."""
        names = sorted(self._classes, key=lambda name: (name is not None, name or ""))
        return [
            {
                "class": ALL_CLASSES if name is None else name,
                **_centre(self._classes[name]),
            }
            for name in names
            if self._classes[name].images
        ]

    def _number(self, name: str | None) -> int:
        return self._with_mask if name is None else self._with_classes

    def _add(self, name: str | None, sample_id: ObjectId, covered: np.ndarray) -> None:
        sums = self._classes.setdefault(name, _Sums())
        if covered.any():
            shares, places = shares_and_places(covered, PLACES)
            sums.shares += shares
            sums.moments += position_moments(covered)
            sums.images += 1
            sums.covered.add(sample_id, places)


def _centre(sums: _Sums) -> Document:
    whole, x, y, xx, yy = sums.moments.tolist()
    x, y = x / whole, y / whole
    return {
        "images": sums.images,
        "centre_x": x,
        "centre_y": y,
        "spread_x": max(xx / whole - x * x, 0.0) ** 0.5,
        "spread_y": max(yy / whole - y * y, 0.0) ** 0.5,
    }
