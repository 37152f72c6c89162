"""Butterflies and moths: their wings as curves, and how they are painted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .curves import Points, smooth_ring

Color = tuple[int, int, int]  # red, green, blue

_SHIFT = 4  # cv2 draws at sixteenths of a pixel


@dataclass(frozen=True)
class Species:
    """A species, in units of its wing span; the body lies along y, the head at -y.

    Attributes:
        category: ``"butterfly"`` or ``"moth"``
        forewing: the right forewing's outline, from the body and back to it
        hindwing: the right hindwing's
        color: of the wings near the body
        edge: of the wings' edges and veins
        spots: of the dots along the edges
        feathered: whether its antennae are
    """

    category: str
    forewing: Points
    hindwing: Points
    color: Color
    edge: Color
    spots: Color
    feathered: bool = False


_ROUND_FORE: Points = (
    (0.03, -0.16), (0.25, -0.42), (0.62, -0.66), (0.88, -0.70), (0.94, -0.56),
    (0.82, -0.30), (0.72, -0.06), (0.40, 0.02), (0.05, 0.02),
)  # fmt: skip
_ROUND_HIND: Points = (
    (0.04, -0.02), (0.40, -0.06), (0.70, 0.06), (0.74, 0.28), (0.58, 0.52),
    (0.36, 0.60), (0.16, 0.46), (0.05, 0.20),
)  # fmt: skip
_TAILED_HIND: Points = (
    (0.04, -0.02), (0.40, -0.04), (0.66, 0.10), (0.64, 0.32), (0.50, 0.48),
    (0.46, 0.66), (0.42, 0.84), (0.35, 0.82), (0.35, 0.58), (0.18, 0.46), (0.05, 0.22),
)  # fmt: skip
_MOTH_FORE: Points = (
    (0.03, -0.14), (0.30, -0.26), (0.66, -0.30), (0.92, -0.20), (0.90, 0.02),
    (0.72, 0.22), (0.40, 0.16), (0.05, 0.04),
)  # fmt: skip
_MOTH_HIND: Points = (
    (0.04, 0.00), (0.36, 0.08), (0.62, 0.22), (0.60, 0.42), (0.36, 0.50),
    (0.12, 0.40), (0.04, 0.20),
)  # fmt: skip

MONARCH = Species(
    "butterfly", _ROUND_FORE, _ROUND_HIND, (238, 128, 26), (32, 20, 16), (252, 240, 214)
)
SWALLOWTAIL = Species(
    "butterfly",
    _ROUND_FORE,
    _TAILED_HIND,
    (248, 214, 92),
    (38, 34, 44),
    (120, 170, 232),
)
BLUE = Species(
    "butterfly", _ROUND_FORE, _ROUND_HIND, (62, 140, 226), (26, 34, 70), (226, 240, 252)
)
BROWN_MOTH = Species(
    "moth", _MOTH_FORE, _MOTH_HIND, (168, 132, 96), (86, 62, 44), (224, 202, 168), True
)
PALE_MOTH = Species(
    "moth",
    _MOTH_FORE,
    _MOTH_HIND,
    (214, 220, 190),
    (136, 142, 110),
    (184, 108, 96),
    True,
)


@dataclass(frozen=True)
class Insect:
    """One animal in a picture.

    Attributes:
        species: what it is
        x: where its body's middle is, in pixels
        y: likewise
        span: half its wing span, in pixels
        angle: how far it is turned, in degrees
        hole: where a piece is torn out of a wing, as x, y and radius in units of
            ``span``, or None
    """

    species: Species
    x: float
    y: float
    span: float
    angle: float
    hole: tuple[float, float, float] | None = None

    def place(self, ring: np.ndarray) -> np.ndarray:
        """Returns a ring of the species' units in pixels of the picture."""
        angle = np.deg2rad(self.angle)
        turn = np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        )
        return ring @ turn * self.span + (self.x, self.y)

    def wings(self) -> list[np.ndarray]:
        """Returns the hindwings and, above them, the forewings."""
        rings = []
        for points in (self.species.hindwing, self.species.forewing):
            right = smooth_ring(points)
            rings += [self.place(right), self.place(right * (-1, 1))]
        return rings

    def body(self) -> np.ndarray:
        """Returns the outline of the body."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        width = 0.055 + 0.02 * np.cos(2 * t)
        return self.place(
            np.stack([width * np.sin(t), 0.40 * np.cos(t) + 0.04], axis=1)
        )

    def hole_ring(self) -> np.ndarray | None:
        """Returns the outline of the torn out piece, if there is one."""
        if self.hole is None:
            return None
        x, y, radius = self.hole
        t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        r = radius * (1 + 0.12 * np.sin(3 * t))
        return self.place(np.stack([x + r * np.cos(t), y + r * np.sin(t)], axis=1))

    def silhouette(self, height: int, width: int) -> np.ndarray:
        """Returns the pixels of wings and body, without the hole, as a uint8 mask."""
        mask = np.zeros((height, width), np.uint8)
        for ring in [*self.wings(), self.body()]:
            fill(mask, ring, 255)
        return mask


def paint_insect(picture: np.ndarray, insect: Insect) -> None:
    """Paints an insect and its shadow into a picture, in place.

    Args:
        picture: an array of shape (height, width, 3), uint8, red, green and blue
        insect: the insect
    """
    background = picture.copy()
    _paint_shadow(picture, insect)
    _paint_antennae(picture, insect)
    for ring in insect.wings():
        _paint_wing(picture, ring, insect)
    fill(picture, insect.body(), insect.species.edge)
    light = tuple(min(255, c + 60) for c in insect.species.edge)
    for y in np.linspace(0.0, 0.34, 6):
        ends = insect.place(np.array([(-0.04, y), (0.04, y)]))
        _line(picture, ends, light, max(1, round(insect.span / 110)))
    hole = insect.hole_ring()
    if hole is not None:
        torn = np.zeros(picture.shape[:2], np.uint8)
        fill(torn, hole, 255)
        picture[torn > 127] = background[torn > 127]
        _line(picture, np.vstack([hole, hole[:1]]), insect.species.edge, 1)


def fill(image: np.ndarray, ring: np.ndarray, color: int | tuple[int, ...]) -> None:
    """Fills a ring with smooth edges, in place.

    cv2 puts a pixel's middle at whole numbers, annotations at halves.
    """
    points = np.rint((ring - 0.5) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(image, [points], color, cv2.LINE_AA, _SHIFT)


def _line(
    image: np.ndarray, points: np.ndarray, color: tuple[int, ...], thickness: int
) -> None:
    shifted = np.rint((points - 0.5) * 2**_SHIFT).astype(np.int32)
    cv2.polylines(image, [shifted], False, color, thickness, cv2.LINE_AA, _SHIFT)


def _paint_shadow(picture: np.ndarray, insect: Insect) -> None:
    mask = insect.silhouette(*picture.shape[:2])
    offset = insect.span * 0.08
    moved = cv2.warpAffine(
        mask, np.array([[1, 0, offset], [0, 1, offset]], np.float32), mask.shape[::-1]
    )
    soft = cv2.GaussianBlur(moved, (0, 0), insect.span * 0.05)[..., None] / 255.0
    picture[:] = (picture * (1 - 0.45 * soft)).astype(np.uint8)


def _paint_wing(picture: np.ndarray, ring: np.ndarray, insect: Insect) -> None:
    species, span = insect.species, insect.span
    fill(picture, ring, species.edge)
    root = ring[0]
    inner = root + (ring - root) * 0.93
    # From the edge's darker shade to the full colour near the body.
    for share in np.linspace(1.0, 0.25, 12):
        mix = 0.72 + 0.28 * (1 - share)
        shade = tuple(
            int(mix * c + (1 - mix) * e)
            for c, e in zip(species.color, species.edge, strict=True)
        )
        fill(picture, root + (inner - root) * share * 0.97, shade)
    vein = max(1, round(span / 90))
    for index in range(len(ring) // 6, len(ring) * 5 // 6, len(ring) // 9):
        bend = (root + inner[index]) / 2 + (inner[index] - root)[::-1] * (-0.05, 0.05)
        _line(picture, np.array([root, bend, inner[index]]), species.edge, vein)
    for index in range(len(ring) // 4, len(ring) * 3 // 4, max(2, len(ring) // 16)):
        spot = root + (ring[index] - root) * 0.90
        radius = span * 0.018
        t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        circle = spot + radius * np.stack([np.cos(t), np.sin(t)], axis=1)
        fill(picture, circle, species.spots)
    eye = root + (ring.mean(axis=0) - root) * 1.15
    for radius, color in ((0.055, species.edge), (0.035, species.spots)):
        t = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = eye + span * radius * np.stack([np.cos(t), np.sin(t)], axis=1)
        fill(picture, circle, color)


def _paint_antennae(picture: np.ndarray, insect: Insect) -> None:
    thickness = max(1, round(insect.span / 80))
    for side in (-1, 1):
        t = np.linspace(0, 1, 12)
        curve = np.stack([side * (0.02 + 0.22 * t**1.3), -0.34 - 0.34 * t], axis=1)
        points = insect.place(curve)
        _line(picture, points, insect.species.edge, thickness)
        if insect.species.feathered:
            for x, y in curve[3:]:
                barb = np.array(
                    [(x - 0.035, y - 0.01), (x, y + 0.02), (x + 0.035, y - 0.01)]
                )
                _line(picture, insect.place(barb), insect.species.edge, 1)
        else:
            t = np.linspace(0, 2 * np.pi, 16, endpoint=False)
            club = points[-1] + insect.span * 0.022 * np.stack(
                [np.cos(t), np.sin(t)], 1
            )
            fill(picture, club, insect.species.edge)
