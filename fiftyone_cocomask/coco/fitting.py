"""What of an image's annotations fits into the one document that MongoDB keeps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from ..geometry.outlines import MAX_VERTICES, rle_outline
from .drafts import Draft
from .issues import Action, IssueCode
from .judging import Geometry
from .records import Category

# MongoDB's documents have at most 2^24 bytes (its manual, "BSON Document Size"). What
# evaluations and people add to labels needs room too.
MAX_STORED_BYTES = 14_000_000
_LABEL_BYTES = 800
# An array of two doubles in an array, at a place of up to four digits.
_POINT_BYTES = 33
_MIN_VERTICES = 4

Judged = tuple[Draft, Geometry]


def fit_outlines(judged: Sequence[Judged], room: int) -> None:
    """Simplifies the outlines of RLEs that have too many vertices.

    An RLE is the geometry and is kept exactly; its outline only shows it.

    Args:
        judged: the annotations of an image
        room: the bytes that there are for them
    """
    with_rle = [(draft, geometry) for draft, geometry in judged if geometry.rle]
    if not with_rle:
        return
    counts = [_most_vertices(geometry) for _, geometry in with_rle]
    needed = sum(stored_bytes(draft, geometry) for draft, geometry in judged)
    share = MAX_VERTICES
    if needed > room:
        left = room - needed + _POINT_BYTES * sum(counts)
        share = max(_fair_share(counts, left // _POINT_BYTES), _MIN_VERTICES)
    for (draft, geometry), count in zip(with_rle, counts, strict=True):
        if count >= share:
            _simplify(draft, geometry, share)


def stored_bytes(draft: Draft, geometry: Geometry) -> int:
    """Returns about how many bytes an annotation takes as a polyline and a detection.

    An RLE is stored beside its outline.
    """
    points = sum(map(len, geometry.rings)) + _most_vertices(geometry)
    size = _LABEL_BYTES + _POINT_BYTES * points + len(draft.original or "")
    if geometry.rle is not None:
        size += len(geometry.rle["counts"])
    category = draft.category
    size += _text_bytes(category.name, category.supercategory)
    if not (isinstance(draft.coco_id, int) and isinstance(draft.category_id, int)):
        size += _text_bytes(draft.category_id, draft.coco_id)
    if draft.attributes:
        size += 2 * len(msgspec.msgpack.encode(draft.attributes))
    return size


def usual_bytes(num_points: int, category: Category) -> int:
    """Returns :func:`stored_bytes` of a single ring of an annotation like most."""
    size = _LABEL_BYTES + _POINT_BYTES * num_points
    return size + _text_bytes(category.name, category.supercategory)


@lru_cache(maxsize=1024)
def _text_bytes(*values: Any) -> int:
    """Returns the bytes of texts on both labels of an annotation."""
    return 2 * sum(len(text.encode()) for text in values if isinstance(text, str))


def _simplify(draft: Draft, geometry: Geometry, max_vertices: int) -> None:
    assert geometry.rle is not None
    geometry.outline = rle_outline(geometry.rle, max_vertices)
    if geometry.outline.iou < 1:
        draft.tell(
            IssueCode.OUTLINE_SIMPLIFIED,
            "its RLE is kept exactly; its outline has more vertices than can be stored "
            f"and edited, so it was simplified to {_most_vertices(geometry):,}",
            Action.KEPT,
        )


def _most_vertices(geometry: Geometry) -> int:
    """Returns how many vertices an RLE's outline has, or at most how many.

    A run of foreground takes two characters or more of an RLE. It adds up to four
    corners, and up to four where a hole is joined to what is around it.
    """
    if geometry.outline is not None:
        return sum(map(len, geometry.outline.rings))
    if geometry.rle is None:
        return 0
    return min(4 * len(geometry.rle["counts"]), MAX_VERTICES)


def _fair_share(counts: Sequence[int], vertices: int) -> int:
    """Returns the most vertices of an outline, so that small ones keep all of theirs.

    Args:
        counts: how many each outline has
        vertices: how many all of them can have
    """
    left = vertices
    for done, count in enumerate(sorted(counts)):
        fair = left // (len(counts) - done)
        if count > fair:
            return fair
        left -= count
    return MAX_VERTICES
