"""Pictures of labels before and after their repair."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from ...errors import CocoMaskError
from ...geometry.rings import to_pixels
from ..inspection.pictures import image_header, read_thumbnail
from .changes import Change

# Blue, green, red: what goes, and what stays or comes.
_BEFORE, _AFTER = (60, 60, 230), (80, 200, 80)
_SIDE = 240
_MARGIN = 0.25


def change_pictures(changes: Sequence[Change], most: int = 6) -> str | None:
    """Returns pictures of changed outlines, before and after, in one image.

    Args:
        changes: the changes; those that move no outline are left out
        most: the largest number of changes to show

    Returns:
        a ``data:`` URL of a PNG, two squares a change; None if there is none to show
    """
    pairs: list[np.ndarray] = []
    for change in changes:
        if "points" not in change.before or len(pairs) == most:
            continue
        try:
            pairs.append(_pair(change))
        except CocoMaskError:
            continue
    if not pairs:
        return None
    encoded, data = cv2.imencode(".png", np.vstack(pairs))
    assert encoded
    return f"data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}"


def _pair(change: Change) -> np.ndarray:
    image = read_thumbnail(change.filepath, image_header(change.filepath))
    height, width = image.shape[:2]
    points = (change.before["points"], (change.after or {}).get("points", []))
    before, after = (
        [to_pixels(ring, width, height) for ring in rings] for rings in points
    )
    window = _window(np.concatenate(before), width, height)
    return np.hstack(
        [_drawn(image, window, before, _BEFORE), _drawn(image, window, after, _AFTER)]
    )


def _window(points: np.ndarray, width: int, height: int) -> tuple[int, int, int]:
    """Returns the column, row and side of a square around points, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    side = int(max(*(high - low), 8) * (1 + 2 * _MARGIN))
    x, y = ((low + high - side) / 2).astype(int)
    return int(np.clip(x, -side, width)), int(np.clip(y, -side, height)), side


def _drawn(
    image: np.ndarray,
    window: tuple[int, int, int],
    rings: Sequence[np.ndarray],
    colour: tuple[int, int, int],
) -> np.ndarray:
    """Returns the part of an image in a window, enlarged, with rings on it."""
    x, y, side = window
    scale = _SIDE / side
    move = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    canvas = cv2.warpAffine(image, move, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
    lines = [((ring - (x, y)) * scale).round().astype(np.int32) for ring in rings]
    cv2.polylines(canvas, lines, True, colour, 2, cv2.LINE_AA)
    return cv2.copyMakeBorder(canvas, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(90,) * 3)
