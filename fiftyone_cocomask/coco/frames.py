"""From the pixels that a JSON's coordinates count to those of the file as shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from ..geometry.rle import encoded, sampled_mask
from .images import ImageHeader
from .issues import Action, IssueCode
from .records import Box

# A mask is drawn to resize it; larger ones are left out.
_MAX_RESIZED_PIXELS = 2**27


@dataclass(frozen=True, slots=True)
class Frame:
    """How the coordinates of an image's annotations map to its file as it is shown.

    Attributes:
        width: the width that the coordinates count, in pixels
        height: their height
        shown_width: the width of the file as it is shown, in pixels
        shown_height: its height
        orientation: the EXIF orientation to apply to the coordinates: 1 where they
            were drawn on the image as it is shown
    """

    width: int
    height: int
    shown_width: int
    shown_height: int
    orientation: int = 1

    @property
    def is_identity(self) -> bool:
        """Whether coordinates stay as they are."""
        return (
            self.orientation == 1
            and self.width == self.shown_width
            and self.height == self.shown_height
        )

    @property
    def area_factor(self) -> float:
        """How many of the pixels that coordinates count are one of the file's."""
        shown = self.shown_width * self.shown_height
        return self.width * self.height / shown

    def points(self, points: np.ndarray) -> np.ndarray:
        """Returns points, of shape (n, 2), in pixels of the file as shown."""
        if self.is_identity:
            return points
        width, height = self._stored_size()
        x = points[:, 0] * (width / self.width)
        y = points[:, 1] * (height / self.height)
        turned = {
            1: (x, y),
            5: (y, x),
            6: (height - y, x),
            7: (height - y, width - x),
            8: (y, width - x),
        }
        return np.column_stack(turned[self.orientation])

    def box(self, box: Box) -> Box:
        """Returns a box in pixels of the file as shown."""
        if self.is_identity:
            return box
        x, y, width, height = box
        corners = self.points(np.array([[x, y], [x + width, y + height]]))
        x0, y0 = corners.min(axis=0).tolist()
        x1, y1 = corners.max(axis=0).tolist()
        return x0, y0, x1 - x0, y1 - y0

    def rle(self, rle: dict[str, Any]) -> dict[str, Any] | None:
        """Returns an RLE of this frame's size as one of the file's size as shown.

        A pixel of the result is the one of the given mask in which its centre lies.

        Returns:
            a compressed RLE, or None if it would have too many pixels
        """
        if self.is_identity:
            return rle
        width, height = self._stored_size()
        if width * height > _MAX_RESIZED_PIXELS:
            return None
        rows = ((np.arange(height) + 0.5) * (self.height / height)).astype(np.int64)
        columns = ((np.arange(width) + 0.5) * (self.width / width)).astype(np.int64)
        mask = sampled_mask(
            rle, rows.clip(max=self.height - 1), columns.clip(max=self.width - 1)
        )
        turned: dict[int, Callable[[], np.ndarray]] = {
            1: lambda: mask,
            5: lambda: mask.T,
            6: lambda: np.rot90(mask, -1),
            7: lambda: np.rot90(mask, 2).T,
            8: lambda: np.rot90(mask),
        }
        return encoded(turned[self.orientation]())

    def _stored_size(self) -> tuple[int, int]:
        """Returns the width and height of the file's pixels before EXIF turns them."""
        if self.orientation >= 5:
            return self.shown_height, self.shown_width
        return self.shown_width, self.shown_height


@dataclass(frozen=True, slots=True)
class TurnedBack:
    """From the pixels of a file as it is shown to those before EXIF turns it.

    Attributes:
        width: the width before it is turned, in pixels
        height: its height
        orientation: the EXIF orientation, 5 to 8
    """

    width: int
    height: int
    orientation: int

    def points(self, points: np.ndarray) -> np.ndarray:
        """Returns points, of shape (n, 2), as they are before the turn."""
        x, y = points[:, 0], points[:, 1]
        turned = {
            5: (y, x),
            6: (y, self.height - x),
            7: (self.width - y, self.height - x),
            8: (self.width - y, x),
        }
        return np.column_stack(turned[self.orientation])

    def box(self, box: Box) -> Box:
        """Returns a box as it is before the turn."""
        x, y, width, height = box
        corners = self.points(np.array([[x, y], [x + width, y + height]]))
        x0, y0 = corners.min(axis=0).tolist()
        return x0, y0, height, width

    def rle(self, rle: dict[str, Any]) -> dict[str, Any]:
        """Returns an RLE as it is before the turn."""
        mask = mask_utils.decode(rle)
        turned = {
            5: lambda: mask.T,
            6: lambda: np.rot90(mask),
            7: lambda: np.rot90(mask.T, 2),
            8: lambda: np.rot90(mask, -1),
        }[self.orientation]()
        return encoded(turned)


Finding = tuple[IssueCode, str, Action]


def frame_of(
    header: ImageHeader, json_size: tuple[int, int] | None
) -> tuple[Frame, Finding | None]:
    """Returns how the coordinates of an image's annotations map to its file.

    They count the pixels of the size that the JSON gives. If the file has another one,
    they are scaled where both sides changed by the same factor, and turned where the
    JSON's size is that of the file before EXIF turns it, but not as it is shown: a
    square has both. Otherwise they stay.

    Args:
        header: the file's header
        json_size: the width and height in the JSON, or None

    Returns:
        the frame, and what there is to report
    """
    shown = (header.width, header.height)
    identity = Frame(*shown, *shown)
    if json_size is None:
        return identity, (
            IssueCode.IMAGE_SIZE_MISSING,
            f"the JSON gives no size; the file's, {_size(shown)}, is used",
            Action.KEPT,
        )
    if json_size == shown:
        if header.orientation == 1:
            return identity, None
        return identity, (
            IssueCode.IMAGE_ROTATED,
            f"EXIF orientation {header.orientation} turns the file; the annotations "
            "are taken to be drawn on the image as it is shown",
            Action.KEPT,
        )
    is_as_shown = is_scaled(json_size, shown)
    if header.orientation >= 5 and not is_as_shown:
        stored = (header.height, header.width)
        if json_size == stored or is_scaled(json_size, stored):
            frame = Frame(*json_size, *shown, orientation=header.orientation)
            return frame, (
                IssueCode.IMAGE_ROTATED,
                f"the annotations count the pixels before EXIF orientation "
                f"{header.orientation} turns the file; they were turned with it",
                Action.REPAIRED,
            )
    if is_as_shown:
        return Frame(*json_size, *shown), (
            IssueCode.IMAGE_RESIZED,
            f"the file is {_size(shown)} and the JSON says {_size(json_size)}: "
            f"coordinates were scaled by {shown[0] / json_size[0]:.6g}",
            Action.REPAIRED,
        )
    return identity, (
        IssueCode.IMAGE_SIZE_DIFFERS,
        f"the file is {_size(shown)} and the JSON says {_size(json_size)}: not one "
        "factor for both sides, so coordinates were kept",
        Action.KEPT,
    )


def is_scaled(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether both sides of a size changed by the same factor, to a pixel."""
    (width, height), (other_width, other_height) = size, other
    if width == other_width or height == other_height:
        return False
    by_width = height * (other_width / width)
    by_height = width * (other_height / height)
    return abs(by_width - other_height) < 1 or abs(by_height - other_width) < 1


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
