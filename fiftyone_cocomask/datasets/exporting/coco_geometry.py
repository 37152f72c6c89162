"""The shapes and boxes of a sample's labels, in the pixels that a COCO JSON counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from ...coco.frames import TurnedBack
from ...coco.records import Box
from ...coco.writing import numbers, numbers_of_each
from ...geometry.objects import Canvas, MaskObject, is_drawable
from ...geometry.outlines import mask_outline
from ...geometry.patches import patch_box, patch_rle
from ...geometry.rings import point_pairs
from ...geometry.runs import RLE, rle_runs
from ...words import count
from ..documents import Document
from ..import_base.digests import points_digest
from ..importing.states import AnnotationState
from ..labels import mask_objects
from .coco_fields import LabelFields

# Relative coordinates give back what the JSON had to this many decimals.
_DECIMALS = 9
_CERTAINLY_DRAWABLE = 1e6


class UnwritableLabelError(Exception):
    """A label that no annotation can be made of; the message says why."""


class SampleGeometry:
    """The geometry of one sample's labels, in the pixels that the JSON counts.

    Args:
        fields: where the labels are
        size: the width and height of the image as it is shown, in pixels
        turned: how coordinates are turned back, if they were turned
        area_factor: what areas that the import found are multiplied by
    """

    def __init__(
        self,
        fields: LabelFields,
        size: tuple[int, int],
        turned: TurnedBack | None,
        area_factor: float = 1.0,
    ) -> None:
        self._fields = fields
        self._area_factor = area_factor
        self._width, self._height = size
        self._turned = turned
        self._canvas: Canvas | None = None
        self._rings: dict[int, msgspec.Raw] = {}
        self._boxes: dict[int, msgspec.Raw] = {}

    def prepare(self, labels: Sequence[Document], boxes: Sequence[Document]) -> None:
        """Computes all rings and boxes at once, which is several times as fast.

        Labels that have none, or broken ones, are left to be looked at one by one.

        Args:
            labels: the labels of the objects
            boxes: the labels of their boxes
        """
        if self._turned is None:
            self._prepare_rings(labels)
            self._prepare_boxes(boxes)

    def _prepare_rings(self, labels: Sequence[Document]) -> None:
        with_rings = [x for x in labels if x.get("points") and not x.get("rle")]
        try:
            rings = [ring for label in with_rings for ring in label["points"]]
            lengths = list(map(len, rings))
            pairs = point_pairs(list(chain.from_iterable(rings)))
        except (TypeError, ValueError):
            return
        if not rings or min(lengths) < 3:
            return
        points = pairs * (self._width, self._height)
        # Far from what `is_drawable` looks at more closely; NaN fails it.
        if not np.abs(points).max() * max(lengths) < _CERTAINLY_DRAWABLE:
            return
        in_pixels = points.round(_DECIMALS).ravel().tolist()
        found: list[list[list[float]]] = []
        start = 0
        for label in with_rings:
            own = []
            for ring in label["points"]:
                stop = start + 2 * len(ring)
                own.append(in_pixels[start:stop])
                start = stop
            found.append(own)
        texts = numbers_of_each(found)
        self._rings = dict(zip(map(id, with_rings), texts, strict=True))

    def _prepare_boxes(self, boxes: Sequence[Document]) -> None:
        try:
            relative = np.array([x["bounding_box"] for x in boxes], np.float64)
        except (KeyError, TypeError, ValueError):
            return
        if relative.shape != (len(boxes), 4) or not boxes:
            return
        found = relative * (self._width, self._height, self._width, self._height)
        # Beyond it, NumPy rounds differently from Python, by which boxes were checked.
        if not np.abs(found).max() < _CERTAINLY_DRAWABLE:
            return
        texts = numbers_of_each((found.round(_DECIMALS) + 0.0).tolist())
        self._boxes = dict(zip(map(id, boxes), texts, strict=True))

    def add_geometry(
        self,
        entry: dict[str, Any],
        state: AnnotationState,
        original: Mapping[str, Any],
        *,
        is_new: bool,
    ) -> None:
        """Adds ``bbox``, ``area`` and ``segmentation`` to the entry of an annotation.

        Raises:
            UnwritableLabelError: if it has no shape or box that can be written
        """
        label = state.polyline or state.detection
        assert label is not None
        is_shape_kept = not is_new and _is_shape_kept(state)
        rings = self._rings.get(id(label)) if is_shape_kept else None
        if rings is not None and state.detection is not None:
            bbox: Any = self._own_box(state.detection, original)
            if bbox is None:
                bbox = self._boxes.get(id(state.detection))
            if bbox is not None:
                entry["bbox"] = bbox
                area = self._stated_area(label)
                if "area" in original:
                    entry["area"] = _number(original["area"])
                elif area is not None:
                    entry["area"] = _number(area)
                entry["segmentation"] = rings
                return
        shape = self._shape(
            label, is_rle_known=state.base is not None and is_shape_kept
        )
        box = None
        if state.detection is not None and (is_shape_kept or shape is None):
            box = self._box(state.detection, original)
        elif state.detection is None and is_shape_kept:
            box = original.get("empty_bbox")
        area = self._stated_area(label)
        if not is_shape_kept or box is None:
            own_box, own_area = self._measured(shape, box)
            if box is None or (shape is not None and not is_shape_kept):
                box = own_box
            if not is_shape_kept:
                area = own_area if self._fields.area == "mask" else box[2] * box[3]
                original = {}
        elif "area" in original:
            area = original["area"]
        entry["bbox"] = [int(v) if v == int(v) else v for v in box]
        if area is not None or "area" in original:
            entry["area"] = _number(area)
        entry["segmentation"] = self._segmentation(shape, original)

    def _stated_area(self, label: Document) -> Any:
        """Returns the area that the import found, in the pixels of the file."""
        area = label.get("annotated_area")
        if self._area_factor == 1 or not isinstance(area, (int, float)):
            return area
        return round(area * self._area_factor, _DECIMALS)

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
            return self._rings_of(label)
        if label.get("mask") is None and not label.get("mask_path"):
            return None
        found = mask_objects({"detections": [label]}, self._width, self._height)
        if not found:
            raise UnwritableLabelError("its instance mask cannot be read")
        return found[0].geometry

    def _rings_of(self, label: Document) -> list[np.ndarray]:
        rings = []
        points = label.get("points") or []
        if not isinstance(points, list) or not all(
            isinstance(shape, list) for shape in points
        ):
            raise UnwritableLabelError("its points are not lists of pairs of numbers")
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
                f"it is {'a line' if number else 'a polyline'} of "
                f"{count(number, 'point')}, which enclose nothing"
            )
        return rings

    def _box(
        self, detection: Document, original: Mapping[str, Any]
    ) -> Sequence[float] | None:
        """Returns a detection's box in the pixels of the JSON."""
        relative = detection.get("bounding_box")
        try:
            x, y, width, height = map(float, relative or ())
        except (TypeError, ValueError):
            return None
        if not all(map(math.isfinite, (x, y, width, height))):
            return None
        own = self._own_box(detection, original)
        if own is not None:
            return own
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

    def _own_box(
        self, detection: Document, original: Mapping[str, Any]
    ) -> list[float] | None:
        """Returns the box as the JSON had it, if it was kept and is still that."""
        bbox = original.get("bbox")
        if bbox is None:
            return None
        sides = self._width, self._height
        try:
            x, y, width, height = bbox
            relative = [x / sides[0], y / sides[1], width / sides[0], height / sides[1]]
        except (TypeError, ValueError):
            return None
        return bbox if relative == detection.get("bounding_box") else None

    def _measured(
        self, shape: list[np.ndarray] | MaskObject | None, box: Sequence[float] | None
    ) -> tuple[Sequence[float], float]:
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
            rle = self._rle(shape.rle, as_list=original.get("counts") == "list")
            return {**(original.get("rle") or {}), **rle}
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
