"""The shapes and boxes of a sample's labels, in the pixels that a COCO JSON counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np

from ...coco.frames import TurnedBack
from ...coco.records import Box
from ...coco.writing import numbers
from ...geometry.objects import Canvas, MaskObject, is_drawable
from ...geometry.outlines import mask_outline
from ...geometry.patches import patch_box, patch_rle
from ...geometry.rle import RLE
from ...geometry.runs import rle_runs
from ..documents import Document
from ..importing.base import AnnotationState, points_digest
from ..labels import mask_objects

Area = Literal["mask", "box"]
Masks = Literal["rle", "polygons"]

# Relative coordinates give back what the JSON had to this many decimals.
_DECIMALS = 9
_CERTAINLY_DRAWABLE = 1e6


class UnwritableLabelError(Exception):
    """A label that no annotation can be made of; the message says why."""


@dataclass(frozen=True, slots=True)
class LabelFields:
    """Where labels are, and how they are written.

    Attributes:
        label_field: the field of the objects
        label_list: the list that it keeps them in; None where it is one label
        box_field: the field of the same objects' boxes, if there is one
        box_list: the list that it keeps them in
        is_imported: whether the import wrote these two fields
        area: what ``area`` is of new and edited objects
        masks: how instance masks are written
        owned: the names of attributes that this plugin wrote, which stay here
    """

    label_field: str
    label_list: str | None
    box_field: str | None
    box_list: str | None
    is_imported: bool
    area: Area
    masks: Masks
    owned: frozenset[str]


class SampleGeometry:
    """The geometry of one sample's labels, in the pixels that the JSON counts."""

    def __init__(
        self, fields: LabelFields, size: tuple[int, int], turned: TurnedBack | None
    ) -> None:
        self._fields = fields
        self._width, self._height = size
        self._turned = turned
        self._canvas: Canvas | None = None
        self._numbers: list[float] = []
        self._places: dict[int, list[tuple[int, int]]] = {}

    def prepare(self, labels: Sequence[Document]) -> None:
        """Computes the rings of all labels at once, which is several times as fast.

        Labels that have none, or broken ones, are left to be looked at one by one.

        Args:
            labels: the labels of the sample
        """
        if self._turned is not None:
            return
        with_rings = [x for x in labels if x.get("points") and not x.get("rle")]
        rings = [ring for label in with_rings for ring in label["points"]]
        try:
            lengths = list(map(len, rings))
            values = chain.from_iterable(chain.from_iterable(rings))
            flat = np.fromiter(values, np.float64)
        except (TypeError, ValueError):
            return
        if not rings or min(lengths) < 3 or flat.size != 2 * sum(lengths):
            return
        points = flat.reshape(-1, 2) * (self._width, self._height)
        # Far from what `is_drawable` looks at more closely; NaN fails it.
        if not np.abs(points).max() * max(lengths) < _CERTAINLY_DRAWABLE:
            return
        self._numbers = points.round(_DECIMALS).ravel().tolist()
        stop = 0
        for label in with_rings:
            places = self._places[id(label)] = []
            for ring in label["points"]:
                start, stop = stop, stop + 2 * len(ring)
                places.append((start, stop))

    def geometry(
        self, state: AnnotationState, original: Mapping[str, Any], *, is_new: bool
    ) -> dict[str, Any]:
        """Returns ``bbox``, ``area`` and ``segmentation`` of an annotation."""
        label = state.polyline or state.detection
        assert label is not None
        is_shape_kept = not is_new and _is_shape_kept(state)
        places = self._places.get(id(label)) if is_shape_kept else None
        if places and state.detection is not None:
            return self._prepared(label, state.detection, places, original)
        shape = self._shape(
            label, is_rle_known=state.base is not None and is_shape_kept
        )
        box = None
        if state.detection is not None and (is_shape_kept or shape is None):
            box = self._box(state.detection, original)
        area = label.get("annotated_area")
        if not is_shape_kept or box is None:
            own_box, own_area = self._measured(shape, box)
            if box is None or (shape is not None and not is_shape_kept):
                box = own_box
            if not is_shape_kept:
                area = own_area if self._fields.area == "mask" else box[2] * box[3]
                original = {}
        elif "area" in original:
            area = original["area"]
        geometry: dict[str, Any] = {"bbox": [int(v) if v == int(v) else v for v in box]}
        if area is not None or "area" in original:
            geometry["area"] = _number(area)
        geometry["segmentation"] = self._segmentation(shape, original)
        return geometry

    def _prepared(
        self,
        label: Document,
        detection: Document,
        places: Sequence[tuple[int, int]],
        original: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Returns the geometry of an annotation whose shape is as it was."""
        box = self._box(detection, original)
        if box is None:
            raise UnwritableLabelError("its box is not four numbers")
        geometry: dict[str, Any] = {"bbox": [int(v) if v == int(v) else v for v in box]}
        area = original["area"] if "area" in original else label.get("annotated_area")
        if area is not None or "area" in original:
            geometry["area"] = _number(area)
        rings = [self._numbers[start:stop] for start, stop in places]
        geometry["segmentation"] = numbers(rings)
        return geometry

    def _shape(
        self, label: Document, *, is_rle_known: bool
    ) -> list[np.ndarray] | MaskObject | None:
        """Returns rings in pixels as shown, an RLE or mask, or None for a box."""
        if "points" in label:
            rle = label.get("rle")
            if rle and is_rle_known:
                return MaskObject(rle=rle)
            if rle:
                found = mask_objects({"polylines": [label]}, self._width, self._height)
                if found and found[0].geometry.rle is not None:
                    return found[0].geometry
            return self._rings(label)
        if label.get("mask") is None and not label.get("mask_path"):
            return None
        found = mask_objects({"detections": [label]}, self._width, self._height)
        if not found:
            raise UnwritableLabelError("its instance mask cannot be read")
        return found[0].geometry

    def _rings(self, label: Document) -> list[np.ndarray]:
        rings = []
        points = label.get("points") or ()
        for shape in points:
            if len(shape) < 3:
                continue
            try:
                flat = np.fromiter(chain.from_iterable(shape), np.float64)
            except (TypeError, ValueError):
                raise UnwritableLabelError(
                    "its points are not pairs of numbers"
                ) from None
            if flat.size != 2 * len(shape):
                raise UnwritableLabelError("its points are not pairs of numbers")
            ring = flat.reshape(-1, 2) * (self._width, self._height)
            if not np.isfinite(flat).all() or not is_drawable(ring):
                raise UnwritableLabelError("its points are far outside any image")
            rings.append(ring)
        if not rings:
            number = sum(map(len, points))
            raise UnwritableLabelError(
                f"it is {'a line' if number else 'a polyline'} of {number} points, "
                "which enclose nothing"
            )
        return rings

    def _box(self, detection: Document, original: Mapping[str, Any]) -> Box | None:
        """Returns a detection's box in the pixels of the JSON."""
        relative = detection.get("bounding_box")
        try:
            x, y, width, height = map(float, relative or ())
        except (TypeError, ValueError):
            return None
        if not all(map(math.isfinite, (x, y, width, height))):
            return None
        bbox = original.get("bbox")
        sides = (self._width, self._height, self._width, self._height)
        if bbox is not None and [b / s for b, s in zip(bbox, sides, strict=True)] == (
            relative
        ):
            return tuple(bbox)
        box = (
            x * self._width,
            y * self._height,
            width * self._width,
            height * self._height,
        )
        if self._turned is not None:
            box = self._turned.box(box)
        left, top, right, bottom = (round(value, _DECIMALS) for value in box)
        return left, top, right, bottom

    def _measured(
        self, shape: list[np.ndarray] | MaskObject | None, box: Box | None
    ) -> tuple[Box, float]:
        """Returns the box and the area of a shape's pixels, in those of the JSON."""
        if shape is None:
            if box is None:
                raise UnwritableLabelError("it has neither a shape nor a box")
            return box, box[2] * box[3]
        geometry = shape
        if isinstance(geometry, list):
            geometry = MaskObject(rings=tuple(geometry))
        if self._canvas is None:
            self._canvas = Canvas(self._height, self._width, "coco")
        patch = self._canvas.patch(geometry)
        found: Box | None = patch_box(patch)
        if found is None:
            if box is not None:
                return box, 0
            if not isinstance(shape, list):
                raise UnwritableLabelError("it has no foreground pixel")
            points = np.concatenate(shape)
            low, high = points.min(axis=0), points.max(axis=0)
            x, y, width, height = np.concatenate([low, high - low]).round(9).tolist()
            found = (x, y, width, height)
        if self._turned is not None:
            found = self._turned.box(found)
        return found, patch.area

    def _segmentation(
        self,
        shape: list[np.ndarray] | MaskObject | None,
        original: Mapping[str, Any],
    ) -> Any:
        if shape is None:
            return []
        if isinstance(shape, list):
            return self._polygons(shape)
        if shape.rle is not None:
            return self._rle(shape.rle, as_list=original.get("counts") == "list")
        if self._canvas is None:
            self._canvas = Canvas(self._height, self._width, "coco")
        patch = self._canvas.patch(shape)
        if not patch.area:
            raise UnwritableLabelError("its mask has no foreground pixel in the image")
        if self._fields.masks == "polygons":
            return self._polygons(mask_outline(patch.mask, patch.x, patch.y))
        return self._rle(patch_rle(patch, self._height, self._width))

    def _polygons(self, rings: Sequence[np.ndarray]) -> Any:
        if self._turned is not None:
            rings = [self._turned.points(ring) for ring in rings]
        return numbers([ring.round(_DECIMALS).ravel().tolist() for ring in rings])

    def _rle(self, rle: RLE, *, as_list: bool = False) -> dict[str, Any]:
        if self._turned is not None:
            rle = self._turned.rle(rle)
        counts: Any = rle["counts"]
        if as_list:
            runs, count = rle_runs([counts])
            counts = runs.ravel()[: count[0]].tolist()
        elif isinstance(counts, bytes):
            counts = counts.decode("ascii")
        return {"size": list(rle["size"]), "counts": counts}


def _is_shape_kept(state: AnnotationState) -> bool:
    """Whether the shape, or the box of an annotation without one, is as it was."""
    if state.base is None or not state.is_shape_changed:
        return True
    # The shape was edited, or the box, or one of them is gone.
    return bool(state.polyline and points_digest(state.polyline) == state.base.points)


def _number(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
