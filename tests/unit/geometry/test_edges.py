"""How well an outline lies on an edge: discs that are drawn, and real outlines."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.geometry.edges import EdgeImage

CENTRE, RADIUS = (60.0, 50.0), 25.0


def circle(radius: float, at: tuple[float, float] = CENTRE) -> np.ndarray:
    angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius + at


def disc() -> EdgeImage:
    y, x = np.mgrid[:100, :120] + 0.5
    inside = np.hypot(x - CENTRE[0], y - CENTRE[1]) < RADIUS
    return EdgeImage(np.where(inside, 180, 60).astype(np.uint8))


def test_an_outline_on_its_edge_beats_one_beside_it() -> None:
    edges = disc()
    right = edges.fit([circle(RADIUS)])
    assert right is not None
    assert right.edge > 5
    assert right.offset <= 1.5
    assert right.contrast == pytest.approx(120, abs=20)
    for wrong in (circle(RADIUS - 5), circle(RADIUS + 5), circle(RADIUS, (66, 50))):
        fit = edges.fit([wrong])
        assert fit is not None
        assert fit.edge < right.edge / 2


@pytest.mark.parametrize("move", [(5, 0), (0, -5), (3, 4), (-4, 3)])
def test_a_moved_outline_is_told_by_how_far(move: tuple[int, int]) -> None:
    fit = disc().fit([circle(RADIUS, (CENTRE[0] + move[0], CENTRE[1] + move[1]))])
    assert fit is not None
    assert fit.offset == pytest.approx(5, abs=1)


def test_the_contrast_of_parts_does_not_depend_on_which_way_they_wind() -> None:
    gray = np.full((100, 200), 60, np.uint8)
    gray[30:70, 30:70] = gray[30:70, 130:170] = 180
    square = np.array([[30, 30], [70, 30], [70, 70], [30, 70]], float)
    other = square + np.array([100, 0])
    for parts in ([square, other], [square, other[::-1]], [square[::-1], other]):
        fit = EdgeImage(gray).fit(parts)
        assert fit is not None
        # Of 180 and 60; the image is smoothed, which takes a little.
        assert fit.contrast == pytest.approx(120, abs=20)


def test_outside_of_the_image_there_is_nothing_to_measure() -> None:
    assert disc().fit([circle(10, (500, 500))]) is None
    assert disc().fit([]) is None


def test_in_an_image_of_one_brightness_an_outline_lies_on_nothing() -> None:
    fit = EdgeImage(np.full((100, 120), 90, np.uint8)).fit([circle(20)])
    assert fit is not None
    assert (fit.edge, fit.contrast) == (1, 0)
    # Nowhere it would lie better.
    assert fit.offset == 0


def test_of_equally_good_moves_the_shortest_counts() -> None:
    # Stripes from left to right: it makes no difference how far it is moved along them.
    gray = np.tile(np.where(np.arange(100) % 20 < 10, 60, 180), (120, 1)).T
    square = np.array([[40, 30], [80, 30], [80, 70], [40, 70]], float)
    fit = EdgeImage(np.ascontiguousarray(gray, np.uint8)).fit([square])
    assert fit is not None
    assert fit.offset == 0


def auroc(worse: list[float], better: list[float]) -> float:
    """The share of pairs in which the worse one has the lower value."""
    below = np.array(worse)[:, None] - np.array(better)
    return float(((below < 0) + 0.5 * (below == 0)).mean())


def resized(pixels: int) -> Callable[[np.ndarray], np.ndarray]:
    def grown(ring: np.ndarray) -> np.ndarray:
        mask = np.zeros((700, 700), np.uint8)
        cv2.fillPoly(mask, [np.rint(ring).astype(np.int32) + 20], 1)
        kernel = cv2.getStructuringElement(
            cv2.MORPH_ELLIPSE, (2 * abs(pixels) + 1,) * 2
        )
        changed = (cv2.dilate if pixels > 0 else cv2.erode)(mask, kernel)
        contours, _ = cv2.findContours(
            changed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        longest = max(contours, key=len, default=np.zeros((0, 1, 2)))
        return longest.reshape(-1, 2).astype(float) - 20

    return grown


def test_planted_errors_in_real_outlines_rank_below_the_real_ones(
    exports: Path,
) -> None:
    planted: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as it is": lambda ring: ring,
        "shifted": lambda ring: ring + np.array([3.0, 4.0]),
        "shrunk": resized(-4),
        "grown": resized(4),
    }
    found: dict[str, list[float]] = {name: [] for name in planted}
    offsets = []
    with ExportReader(exports / "mushrooms", splits=["valid"]) as reader:
        for record in list(reader.images())[:6]:
            gray = cv2.imread(str(record.path), cv2.IMREAD_GRAYSCALE)
            edges = EdgeImage(gray)
            for annotation in record.annotations[:30]:
                for name, change in planted.items():
                    fit = edges.fit([change(ring) for ring in annotation.rings])
                    if fit is not None:
                        found[name].append(fit.edge)
                        if name == "shifted":
                            offsets.append(fit.offset)
    assert len(offsets) > 100
    right = found.pop("as it is")
    scores = {name: auroc(values, right) for name, values in found.items()}
    assert min(scores.values()) >= 0.85, scores
    assert np.mean(offsets) == pytest.approx(5, abs=0.5)
