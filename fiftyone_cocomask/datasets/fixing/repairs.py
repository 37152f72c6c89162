"""The safe repair of each issue: from the labels of an image to what changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import fiftyone.core.utils as fou
import numpy as np
from pycocotools import mask as mask_utils

from ...geometry.clipping import clip_ring
from ...geometry.objects import Canvas, MaskObject
from ...geometry.outlines import mask_outline, rle_outline
from ...geometry.patches import Patch, patch_rle
from ...geometry.ring_shapes import RingBatch, cross_themselves, spike_tips
from ...geometry.rings import to_relative
from ..documents import Document
from ..issues.image_rules import covered_by_rings
from ..issues.rules import IssueLimits, MaskIssue

# A repair of a shape may change at most this share of its pixels.
MAX_CHANGE = 0.01
# But stray parts are meant to go: as long as they are this share together. An object of
# nothing but small parts, as leaves and veins are, has none that is astray.
MAX_STRAY = 0.1
# How far, in pixels, an outline that is drawn anew may be from the exact one.
_TOLERANCES = (1.0, 0.5, 0.0)


class NotRepairableError(Exception):
    """Why a label is left as it is."""


class ShapeRepair:
    """Repairs the shape of one label.

    Args:
        document: the label's document
        geometry: what it draws
        canvas: draws it
        limits: the numbers in the rules
    """

    def __init__(
        self,
        document: Document,
        geometry: MaskObject,
        canvas: Canvas,
        limits: IssueLimits,
    ) -> None:
        self._document = document
        self._geometry = geometry
        self._canvas = canvas
        self._limits = limits

    def repaired(self, issues: Sequence[MaskIssue]) -> MaskObject:
        """Returns the geometry without some issues.

        Raises:
            NotRepairableError: if it would change too much
        """
        geometry = self._geometry
        if MaskIssue.OUTSIDE in issues:
            geometry = self._changed_rings(geometry, self._clipped)
        if MaskIssue.STRAY_PART in issues:
            geometry = self._without_stray_parts(geometry)
        if MaskIssue.SELF_CROSSING in issues:
            geometry = self._without_crossing(geometry)
        if MaskIssue.SPIKE in issues:
            geometry = self._changed_rings(geometry, self._without_spikes)
        return geometry

    def change(self, geometry: MaskObject) -> tuple[int, int, float]:
        """Returns the pixels before and after, and the share of them that changes."""
        before, after = self._canvas.rles([self._geometry, geometry])
        px_before, px_after = int(mask_utils.area(before)), int(mask_utils.area(after))
        both = int(mask_utils.area(mask_utils.merge([before, after], intersect=True)))
        changed = px_before + px_after - 2 * both
        return px_before, px_after, changed / max(px_before, 1)

    def attributes(self, geometry: MaskObject) -> Document:
        """Returns the attributes of the label that say its new geometry."""
        width, height = self._canvas.width, self._canvas.height
        if geometry.mask is not None:
            return {"mask": fou.serialize_numpy_array(geometry.mask)}
        attributes: Document = {}
        rings: Sequence[np.ndarray] = geometry.rings
        if geometry.rle is not None:
            outline = rle_outline(geometry.rle)
            rings = outline.rings
            counts = geometry.rle["counts"]
            attributes["rle"] = {
                "size": list(geometry.rle["size"]),
                "counts": counts.decode() if isinstance(counts, bytes) else counts,
            }
            if outline.iou < 1:
                attributes["outline_iou"] = outline.iou
        attributes["points"] = [
            to_relative(ring, width, height).tolist() for ring in rings
        ]
        return attributes

    def _changed_rings(self, geometry: MaskObject, change: Any) -> MaskObject:
        rings = [change(ring) for ring in geometry.rings]
        kept = tuple(ring for ring in rings if len(ring) > 2)
        if not kept:
            raise NotRepairableError("nothing would be left of it")
        return MaskObject(
            rings=kept, line_width=geometry.line_width, closed=geometry.closed
        )

    def _clipped(self, ring: np.ndarray) -> np.ndarray:
        return clip_ring(ring, self._canvas.width, self._canvas.height)

    def _without_spikes(self, ring: np.ndarray) -> np.ndarray:
        """Removes the tips of spikes, the one that encloses least first."""
        batch = RingBatch.of([ring])
        while len(tips := np.flatnonzero(self._tips(batch))):
            without = RingBatch.of([np.delete(batch.points, t, axis=0) for t in tips])
            least = int(np.argmin(np.abs(without.areas() - batch.areas()[0])))
            batch = RingBatch.of([np.delete(batch.points, tips[least], axis=0)])
        return batch.points

    def _tips(self, rings: RingBatch) -> np.ndarray:
        return spike_tips(rings, self._limits.spike_degrees, self._limits.spike_side)

    def _without_crossing(self, geometry: MaskObject) -> MaskObject:
        """Goes round the pixels that are covered, with as few vertices as fit."""
        patch = self._canvas.patch(geometry)
        exact = mask_outline(patch.mask, patch.x, patch.y)
        for tolerance in _TOLERANCES:
            rings = exact
            if tolerance:
                rings = [
                    cv2.approxPolyDP(r.astype(np.float32), tolerance, True)
                    .reshape(-1, 2)
                    .astype(np.float64)
                    for r in exact
                ]
                rings = [ring for ring in rings if len(ring) > 2]
            made = MaskObject(rings=tuple(rings))
            batch = RingBatch.of(rings)
            good = rings and not cross_themselves(batch).any()
            good = good and not self._tips(batch).any()
            if good and self._changes_little(geometry, made):
                return made
        raise NotRepairableError("no outline without a crossing covers its pixels")

    def _changes_little(self, geometry: MaskObject, made: MaskObject) -> bool:
        repair = ShapeRepair(self._document, geometry, self._canvas, self._limits)
        return repair.change(made)[2] <= MAX_CHANGE

    def _without_stray_parts(self, geometry: MaskObject) -> MaskObject:
        share = self._limits.stray_share
        if geometry.rings:
            px = self._canvas.patch(geometry).area
            areas = covered_by_rings(RingBatch.of(geometry.rings), self._canvas)
            kept = tuple(
                ring
                for ring, area in zip(geometry.rings, areas, strict=True)
                if area >= share * px
            )
            return MaskObject(rings=kept)
        if geometry.mask is not None and "mask_path" in self._document:
            raise NotRepairableError("its mask is a file of its own")
        patch = self._canvas.patch(geometry)
        mask = _without_small_parts(patch.mask, share)
        if geometry.mask is not None:
            return self._instance_mask(geometry.mask, share)
        height, width = self._canvas.height, self._canvas.width
        return MaskObject(rle=patch_rle(Patch(patch.x, patch.y, mask), height, width))

    def _instance_mask(self, drawn: np.ndarray, share: float) -> MaskObject:
        mask = fou.deserialize_numpy_array(self._document["mask"])
        if mask.shape != drawn.shape:
            raise NotRepairableError("its mask has another size than its box")
        kept = _without_small_parts(mask > 0, share)
        return MaskObject(
            mask=np.where(kept, mask, 0).astype(mask.dtype),
            offset=self._geometry.offset,
        )


def pixel_box(geometry: MaskObject, canvas: Canvas) -> list[float]:
    """Returns FiftyOne's relative box around the pixels that an object covers."""
    (rle,) = canvas.rles([geometry])
    x, y, width, height = mask_utils.toBbox(rle).tolist()
    return [
        x / canvas.width,
        y / canvas.height,
        width / canvas.width,
        height / canvas.height,
    ]


def _without_small_parts(mask: np.ndarray, share: float) -> np.ndarray:
    """Returns a mask without connected parts below a share of its pixels."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(
        np.ascontiguousarray(mask).view(np.uint8), connectivity=8
    )
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    keeps = areas >= share * areas[1:].sum()
    keeps[0] = False
    kept: np.ndarray = keeps[numbers] if count > 1 else mask
    return kept
