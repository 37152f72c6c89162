"""Patches -> RLEs and boxes, without a canvas of the whole image."""

from __future__ import annotations

import numpy as np
from pycocotools import mask as mask_utils

from .patches import Patch
from .runs import RLE


def patch_rle(patch: Patch, height: int, width: int) -> RLE:
    """Returns a patch as a compressed RLE of its image.

    Args:
        patch: a patch that lies within the image
        height: the height of the image, in pixels
        width: its width
    """
    columns = np.ascontiguousarray(patch.mask.T)
    # A background pixel above and below each column: runs end where columns do.
    padded = np.zeros((columns.shape[0], columns.shape[1] + 2), np.int8)
    padded[:, 1:-1] = columns
    column, row = np.nonzero(np.diff(padded, axis=1))
    edges = (column + patch.x) * height + row + patch.y
    starts, stops = edges[0::2], edges[1::2]
    if starts.size:
        # A run that reaches the image's lower edge goes on in the next column.
        apart = starts[1:] != stops[:-1]
        starts = starts[np.concatenate([[True], apart])]
        stops = stops[np.concatenate([apart, [True]])]
    bounds = np.stack([starts, stops], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], bounds, [height * width]]))
    # A run of nothing at the end is left out, as pycocotools leaves it out.
    counts = runs.tolist() if runs[-1] or runs.size == 1 else runs[:-1].tolist()
    encoded = mask_utils.frPyObjects(
        {"size": [height, width], "counts": counts}, height, width
    )
    return {"size": [height, width], "counts": encoded["counts"].decode("ascii")}


def patch_box(patch: Patch) -> tuple[int, int, int, int] | None:
    """Returns x, y, width and height around a patch's foreground; None without any."""
    rows = np.flatnonzero(patch.mask.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(patch.mask.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    width, height = int(columns[-1]) - x + 1, int(rows[-1]) - y + 1
    return patch.x + x, patch.y + y, width, height
