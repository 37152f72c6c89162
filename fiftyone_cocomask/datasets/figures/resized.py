"""How small the objects would be in images of another size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
from fiftyone import ViewField as F

from ...arguments import is_number
from ...fiftyone_types import SampleCollection
from ..documents import Document, stream_documents
from ..label_lists import LabelList
from ..measuring.measure import NO_LABEL

SIZES = (320, 416, 512, 640, 1024)
# In pixels: what is smaller is hard to learn, and hard to see.
LIMITS = (16, 64)
How = Literal["letterbox", "stretch"]
HOWS: tuple[How, ...] = get_args(How)


def resized_name(sizes: Sequence[int]) -> str:
    """Returns the name of the sums of :class:`ResizedObjects`."""
    return f"resized to {', '.join(map(str, sizes))}"


class ResizedObjects:
    """How many objects of each class would be small after resizing: one pass.

    Args:
        labels: where the labels are
        area: the attribute with each label's area
        sizes: the sides of the square images, in pixels
    """

    def __init__(self, labels: LabelList, area: str, sizes: Sequence[int]) -> None:
        self._labels = labels
        self._area = area
        self._sizes = sizes
        # Of each class its objects, and those that are small: sizes x hows x limits.
        self._objects: dict[str, int] = {}
        self._small: dict[str, np.ndarray] = {}

    def read(self, samples: SampleCollection) -> Iterator[int]:
        """Adds the samples; yields after each step how many it has done."""
        paths = [f"{self._labels.path}.{name}" for name in ("label", self._area)]
        paths += ["metadata.width", "metadata.height"]
        for documents in stream_documents(samples, paths):
            self._add(documents)
            yield len(documents)

    def sums(self) -> dict[str, list[Document]]:
        """Returns the rows, by the name that they are kept under.

        Each has ``class``, ``size``, ``how``, ``objects`` and, for each of
        :data:`LIMITS`, ``below_<limit>_px``.
        """
        rows = [
            {
                "class": name,
                "size": size,
                "how": how,
                "objects": self._objects[name],
                **{
                    f"below_{limit}_px": int(self._small[name][i, j, k])
                    for k, limit in enumerate(LIMITS)
                },
            }
            for name in sorted(self._objects)
            for i, size in enumerate(self._sizes)
            for j, how in enumerate(HOWS)
        ]
        return {resized_name(self._sizes): rows}

    def _add(self, documents: list[Document]) -> None:
        found: dict[str, list[tuple[float, float, float]]] = {}
        for document in documents:
            metadata = document.get("metadata") or {}
            width, height = metadata.get("width"), metadata.get("height")
            if not (is_number(width) and is_number(height)):
                continue
            if width <= 0 or height <= 0:
                continue
            for label in self._labels.documents(document):
                area = label.get(self._area)
                if is_number(area):
                    name = label.get("label")
                    name = NO_LABEL if name is None else name
                    found.setdefault(name, []).append((area, width, height))
        for name, objects in found.items():
            self._objects[name] = self._objects.get(name, 0) + len(objects)
            small = self._small_of(np.array(objects, float))
            self._small[name] = self._small.get(name, 0) + small

    def _small_of(self, objects: np.ndarray) -> np.ndarray:
        """Returns how many of some objects are small: sizes x hows x limits."""
        areas, sides = objects[:, 0], objects[:, 1:]
        # As MongoDB computes it for the views of these objects: see _area_factor.
        factors = np.array(self._sizes, float)[:, None, None] / sides
        fits = factors.min(axis=2)
        resized = np.stack([fits * fits, factors.prod(axis=2)], axis=1) * areas
        small = resized[..., None] < np.array(LIMITS)
        counts: np.ndarray = small.sum(axis=2)
        return counts


def is_below(area: str, how: How, size: int, limit: int, label: str | None) -> Document:
    """Returns the condition of a label that would be small after resizing.

    Args:
        area: the attribute with its area
        how: ``"letterbox"`` or ``"stretch"``
        size: the side of the square images, in pixels
        limit: it would have fewer pixels
        label: its class as tables call it, None for any
    """
    # FiftyOne puts the path of the label there, in a list or single.
    own = F(area)
    resized = {"$multiply": [own, _area_factor(how, size)]}
    conditions: list[Document] = [{"$isNumber": own}, {"$lt": [resized, limit]}]
    if label is not None:
        own_label = {"$ifNull": [F("label"), NO_LABEL]}
        # Not as it is: MongoDB takes "$cat" for a field.
        conditions.append({"$eq": [own_label, {"$literal": label}]})
    return {"$and": conditions}


def _area_factor(how: How, size: int) -> Document:
    """Returns the expression of what an area is multiplied by."""
    sides = [{"$divide": [float(size), f"$metadata.{n}"]} for n in ("width", "height")]
    if how == "stretch":
        return {"$multiply": sides}
    # The whole image fits, and its shape stays.
    return {"$multiply": [{"$min": sides}, {"$min": sides}]}
