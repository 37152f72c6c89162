"""Coordinates from 0 to 1, of exports that count parts of the image and not pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..words import part_of
from .frames import Frame
from .issues import Action, IssueCode
from .records import Annotation, CocoId, ImageRecord
from .report import ExportReport

_TOLERANCE = 1e-3
# In an image of a few pixels an object of less than one is nothing strange.
_MIN_SIDE = 4


class NormalizedCoordinates:
    """Counts, over a split, the annotations whose coordinates are from 0 to 1."""

    def __init__(self) -> None:
        self._total = 0
        self._from_0_to_1 = 0
        self._has_fraction = False
        self._example: tuple[str, CocoId] | None = None

    def add(
        self, record: ImageRecord, annotations: list[Annotation], frame: Frame
    ) -> None:
        """Counts the annotations of an image.

        Args:
            record: the image
            annotations: its annotations, in pixels of its file
            frame: how the JSON's coordinates were mapped to these pixels
        """
        if min(frame.width, frame.height) < _MIN_SIDE:
            return
        x_unit = frame.shown_width / frame.width
        y_unit = frame.shown_height / frame.height
        for annotation in annotations:
            box = annotation.box
            if box is None or annotation.rle is not None:
                continue
            self._total += 1
            if box[2] > 2 * x_unit or box[3] > 2 * y_unit:
                continue
            x0, y0 = box[0] / x_unit, box[1] / y_unit
            x1, y1 = x0 + box[2] / x_unit, y0 + box[3] / y_unit
            if min(x0, y0) < -_TOLERANCE or max(x1, y1) > 1 + _TOLERANCE:
                continue
            self._from_0_to_1 += 1
            if not {x0, y0, x1, y1} <= {0, 1}:
                self._has_fraction = True
                self._example = self._example or (record.file_name, record.coco_id)

    def join(self, other: NormalizedCoordinates) -> None:
        """Adds what was counted in the images that come next."""
        self._total += other._total
        self._from_0_to_1 += other._from_0_to_1
        self._has_fraction |= other._has_fraction
        self._example = self._example or other._example

    def packed(self) -> list[Any]:
        """Returns the counts as plain values."""
        return [self._total, self._from_0_to_1, self._has_fraction, self._example]

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> NormalizedCoordinates:
        """Returns the counts that :meth:`packed` gave."""
        found = cls()
        found._total, found._from_0_to_1, found._has_fraction, example = values
        found._example = None if example is None else tuple(example)
        return found

    def report(self, report: ExportReport, split: str) -> None:
        """Reports it where it is true of half of the annotations."""
        if not self._has_fraction or 2 * self._from_0_to_1 < self._total:
            return
        assert self._example is not None
        file_name, image_id = self._example
        report.add(
            IssueCode.COORDINATES_NORMALIZED,
            "the coordinates of "
            f"{part_of(self._from_0_to_1, self._total, 'annotation')} are from "
            "0 to 1: they seem to be parts of the image's width and height, and "
            "COCO's are pixels; export again in pixels, or multiply every x by the "
            "image's width and every y by its height",
            Action.KEPT,
            split=split,
            file_name=file_name,
            image_id=image_id,
        )
