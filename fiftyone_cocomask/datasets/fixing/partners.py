"""Which polygon and which box are of one object."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..documents import Document
from ..import_base.digests import label_box
from ..label_lists import annotation_of


def partners_of(
    label: Document, own: Sequence[Document], others: Sequence[Document]
) -> list[Document]:
    """Returns the labels in another field that are of a label's object.

    Args:
        label: the label
        own: all labels of its field
        others: all labels of the other field
    """
    annotation = annotation_of(label)
    if annotation is None:
        return []
    same = [other for other in own if annotation_of(other) == annotation]
    partners = [other for other in others if annotation_of(other) == annotation]
    if len(same) > 1 and len(partners) > 1:
        # Of objects that share an id, the one in its place; several where that is so.
        apart = [_distance(label, other) for other in partners]
        near = min(apart)
        partners = [x for x, far in zip(partners, apart, strict=True) if far == near]
    return partners


def _distance(label: Document, other: Document) -> float:
    """Returns how far the boxes around two labels are from each other."""
    first, second = label_box(label), label_box(other)
    if first is None or second is None:
        return math.inf
    # Boxes were fitted to polygons in other ways: the last digits tell nothing.
    return round(math.dist(first, second), 6)
