"""How outlines lie on edges, one place beside the outline after the other."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import cv2
import numpy as np

from ..stages import LABELS, Case
from . import Baseline
from .objects import size_of

_DISC = sorted(
    ((x, y) for y in range(-8, 9) for x in range(-8, 9) if x * x + y * y <= 64),
    key=lambda move: math.hypot(*move),
)


def _rank(case: Case, dataset: Any) -> None:
    edges: dict[str, list[float]] = defaultdict(list)
    for sample in dataset.iter_samples(autosave=True):
        gray = cv2.imread(sample.filepath, cv2.IMREAD_GRAYSCALE)
        assert gray is not None
        smooth = cv2.GaussianBlur(gray, (0, 0), 1.5).astype(np.float32)
        dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
        dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        for line in sample[LABELS].polylines:
            (points,) = line.points
            fit = _fit(smooth, dx, dy, np.array(points) * size_of(sample))
            line["loop_edge"], line["loop_offset"], line["loop_contrast"] = fit
            edges[line.label].append(math.log(fit[0]))
    scales = {}
    for name, values in edges.items():
        median = np.median(values)
        scales[name] = median, np.median(np.abs(np.array(values) - median))
    for sample in dataset.iter_samples(autosave=True):
        for line in sample[LABELS].polylines:
            median, deviation = scales[line.label]
            score = 0.6745 * (math.log(line["loop_edge"]) - median) / deviation
            line["loop_score"] = float(score)
        scores = [line["loop_score"] for line in sample[LABELS].polylines]
        sample["loop_worst"] = min(scores)


def _fit(
    smooth: np.ndarray, dx: np.ndarray, dy: np.ndarray, ring: np.ndarray
) -> tuple[float, float, float]:
    """Returns how sharp the edge is, how far off it lies, and its contrast."""
    places, normals = _along(ring)
    height, width = smooth.shape
    inside = ((places >= 0) & (places <= (width, height))).all(axis=1)
    places, normals = places[inside], normals[inside]

    def at(values: np.ndarray, moved: np.ndarray) -> np.ndarray:
        x = moved[:, 0].astype(int).clip(0, width - 1)
        y = moved[:, 1].astype(int).clip(0, height - 1)
        return values[y, x]

    def strength(moved: np.ndarray) -> float:
        across = at(dx, moved) * normals[:, 0] + at(dy, moved) * normals[:, 1]
        return float(np.abs(across).mean())

    beside = [strength(places + d * normals) for d in range(-8, 9) if abs(d) >= 4]
    edge = (strength(places) + 1e-3) / (np.mean(beside) + 1e-3)
    best = max(_DISC, key=lambda offset: strength(places + np.array(offset)))
    rings = [
        np.mean([at(smooth, places + d * normals).mean() for d in distances])
        for distances in (range(-6, 0), range(1, 7))
    ]
    return float(edge), math.hypot(*best), float(abs(rings[0] - rings[1]))


def _along(ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns places every 2 px along a ring, at most 256, and the normals there."""
    sides = np.roll(ring, -1, axis=0) - ring
    lengths = np.hypot(*sides.T)
    starts = [
        (start, side, length)
        for start, side, length in zip(ring, sides, lengths, strict=True)
        if length
    ]
    step = max(2.0, lengths.sum() / 256)
    places, normals, at = [], [], step / 2
    for start, side, length in starts:
        while at < length:
            places.append(start + side * at / length)
            normals.append((side[1] / length, -side[0] / length))
            at += step
        at -= length
    return np.array(places), np.array(normals)


def _same_ranking(case: Case, dataset: Any, found: None) -> None:
    ours = case.dataset().limit(len(dataset))
    # A place on the border of two pixels may fall to either, which is worth a tenth of
    # the 0 to 255 of a contrast.
    for name, apart in (("edge", 0.02), ("offset", 0.02), ("contrast", 0.1)):
        path = f"{LABELS}.polylines.{{}}_{name}"
        one = np.concatenate(ours.values(path.format("outline")))
        other = np.concatenate(dataset.values(path.format("loop")))
        assert np.isclose(one, other, rtol=0.02, atol=apart).mean() > 0.99


RANKING = Baseline("a loop over places beside each outline", _rank, _same_ranking)
