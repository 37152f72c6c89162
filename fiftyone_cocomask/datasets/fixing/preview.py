"""Pictures of labels before and after their repair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...errors import CocoMaskError
from ...geometry.outlines import object_rings
from ..documents import Document
from ..inspection.crops import as_url, outline_crop, side_by_side, whole_image
from ..inspection.pictures import image_header
from ..labels import mask_objects
from .changes import Change

# Blue, green, red: what goes, and what stays or comes.
_BEFORE, _AFTER = (60, 60, 230), (80, 200, 80)
_SIDE = 240


def change_pictures(changes: Sequence[Change], most: int = 6) -> str | None:
    """Returns pictures of changed labels, before and after, in one image.

    Args:
        changes: the changes; boxes that follow their labels have no picture of their
            own, and of a sample that moves to another split its image is shown beside
            the copy that is there
        most: the largest number of changes to show; each issue has its turn

    Returns:
        a ``data:`` URL, two squares a change; None if there is none to show
    """
    squares: list[np.ndarray] = []
    for change in _in_turns(changes):
        if len(squares) == 2 * most:
            break
        try:
            squares += _pair(change)
        except CocoMaskError:
            continue
    return as_url(side_by_side(squares, columns=2)) if squares else None


def _in_turns(changes: Sequence[Change]) -> Iterable[Change]:
    """Yields a change of each issue, then another one of each."""
    by_issue: dict[str, list[Change]] = {}
    for change in changes:
        is_shown = change.label_field is not None or "copy" in change.outline
        if change.issues and is_shown and change.action != "kept":
            by_issue.setdefault(change.issues[0], []).append(change)
    for turn in range(max(map(len, by_issue.values()), default=0)):
        for some in by_issue.values():
            if turn < len(some):
                yield some[turn]


def _pair(change: Change) -> list[np.ndarray]:
    if change.label_field is None:
        paths = change.filepath, change.outline["copy"]
        return [whole_image(path, _SIDE) for path in paths]
    header = image_header(change.filepath)
    size = (header.width, header.height)
    before: Document = {**change.outline, **change.before}
    rings = _rings(before, size)
    after: list[np.ndarray] = []
    if change.after is not None:
        after = _rings({**before, **change.after}, size)
    path = change.filepath
    # A line that was not closed is shown as one.
    closed = before.get("closed") is not False
    return [
        outline_crop(path, rings, rings, _SIDE, _BEFORE, closed=closed),
        outline_crop(path, rings, after, _SIDE, _AFTER),
    ]


def _rings(label: Document, size: tuple[int, int]) -> list[np.ndarray]:
    """Returns the outline of a label, as shares of the image's width and height."""
    whole: dict[str, Any] = {"_id": None, **label}
    return [
        ring / size
        for item in mask_objects(whole, *size, boxes=True)
        for ring in object_rings(item.geometry)
    ]
