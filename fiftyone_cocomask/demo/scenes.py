"""The seven source pictures of the demo export."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from .backgrounds import BACKGROUNDS
from .insects import (
    BLUE,
    BROWN_MOTH,
    MONARCH,
    PALE_MOTH,
    SWALLOWTAIL,
    Insect,
    paint_insect,
)

# Larger than what the copies show, so that no copy reaches past its edge.
SOURCE_SIDE = 1400


@dataclass(frozen=True)
class Scene:
    """A source picture.

    Attributes:
        name: its name, as it would have been uploaded
        split: where its copies go
        background: one of :data:`BACKGROUNDS`
        insects: those in it, later ones on top
    """

    name: str
    split: str
    background: str
    insects: list[Insect] = field(default_factory=list)


SCENES = [
    Scene(
        "monarch-in-the-meadow", "train", "meadow", [Insect(MONARCH, 700, 700, 270, 20)]
    ),
    Scene(
        "two-on-flowers",
        "train",
        "flowers",
        [Insect(SWALLOWTAIL, 610, 650, 230, -30), Insect(MONARCH, 850, 790, 190, 35)],
    ),
    Scene(
        "torn-wing",
        "train",
        "leaf",
        [Insect(BLUE, 700, 690, 260, -15, hole=(0.52, -0.30, 0.13))],
    ),
    Scene(
        "three-in-the-sky",
        "train",
        "sky",
        [
            Insect(BLUE, 520, 560, 120, 40),
            Insect(MONARCH, 860, 620, 150, -25),
            Insect(SWALLOWTAIL, 660, 880, 135, 10),
        ],
    ),
    Scene(
        "moths-on-bark",
        "train",
        "bark",
        [Insect(BROWN_MOTH, 640, 660, 200, 15), Insect(PALE_MOTH, 830, 770, 170, -40)],
    ),
    Scene(
        "lavender-visitors",
        "valid",
        "lavender",
        [
            Insect(SWALLOWTAIL, 600, 600, 180, 15),
            Insect(PALE_MOTH, 840, 640, 140, -30),
            Insect(BLUE, 700, 840, 170, 60),
        ],
    ),
    # So far out that the copy that is zoomed in shows nothing of it.
    Scene(
        "edge-of-the-field", "test", "meadow", [Insect(BROWN_MOTH, 1020, 930, 110, -20)]
    ),
]


def paint_scene(scene: Scene, random: np.random.Generator) -> np.ndarray:
    """Returns a source picture, of shape (1400, 1400, 3), uint8, red, green, blue."""
    picture = BACKGROUNDS[scene.background](random, SOURCE_SIDE)
    picture = np.ascontiguousarray(picture)
    for insect in scene.insects:
        paint_insect(picture, insect)
    grain = random.normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def outline(insect: Insect) -> np.ndarray:
    """Returns the outline of wings and body as an annotator would draw it.

    Returns:
        an array of shape (n, 2), in pixels of the source picture; about 60 to 180
        points
    """
    factor = 4
    large = Insect(
        insect.species,
        (insect.x - 0.5) * factor + 0.5,
        (insect.y - 0.5) * factor + 0.5,
        insect.span * factor,
        insect.angle,
    )
    side = SOURCE_SIDE * factor
    mask = large.silhouette(side, side)
    contours, _ = cv2.findContours(
        (mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    contour = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(contour, 0.35 * factor, closed=True).reshape(-1, 2)
    return (simple + 0.5) / factor
