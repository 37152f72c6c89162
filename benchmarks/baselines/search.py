"""The rules of issues, one object and one pair of objects after the other."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from fiftyone import ViewField as F

import fiftyone_cocomask as fcm

from ..stages import LABELS, Case
from . import Baseline
from .objects import Drawn, drawn_objects, size_of, visible_px

_LIMITS = fcm.IssueLimits()
# The share of an image, or the density of an outline, of each label by its class.
_Values = dict[str, list[tuple[str, float]]]


def _search(case: Case, dataset: Any) -> dict[str, int]:
    """Tags labels and samples, and saves a view of each issue."""
    shares: _Values = defaultdict(list)
    densities: _Values = defaultdict(list)
    found: Counter[str] = Counter()
    for sample in dataset.iter_samples(autosave=True):
        objects = drawn_objects(sample)
        issues = _issues(objects, *size_of(sample))
        for item, names in zip(objects, issues, strict=True):
            item.label.tags += [f"loop:{name}" for name in names]
            found.update(names)
            label = item.label.label
            if item.px:
                share = math.log(item.px / item.mask.size)
                shares[label].append((item.label.id, share))
            vertices = sum(len(_open(ring)) for ring in item.rings)
            length = sum(_lengths(_open(ring)).sum() for ring in item.rings)
            if length:
                density = math.log(vertices / math.sqrt(length))
                densities[label].append((item.label.id, density))
        if objects and not sample.mask.get_mask().any():
            sample.tags.append("loop:empty_mask")
            found["empty_mask"] += 1
    chosen = {
        "class_outlier": [
            i for v in shares.values() for i, s in _scores(v) if abs(s) > 3.5
        ],
        "coarse": [i for v in densities.values() for i, s in _scores(v) if s < -3.5],
    }
    for name, ids in chosen.items():
        dataset.select_labels(ids=ids).tag_labels(f"loop:{name}", label_fields=LABELS)
        found[name] += len(ids)
    for name in found:
        marked = F("tags").contains(f"loop:{name}")
        dataset.save_view(f"loop {name}", dataset.filter_labels(LABELS, marked))
    return {name: number for name, number in found.items() if number}


def _issues(objects: list[Drawn], width: int, height: int) -> list[set[str]]:
    visible = visible_px(objects, (height, width))
    found = [
        set(_of_object(item, seen, width, height))
        for item, seen in zip(objects, visible, strict=True)
    ]
    for a, b in combinations(range(len(objects)), 2):
        for place, issue in _of_pair(objects[a], objects[b]):
            found[(a, b)[place]].add(issue)
    return found


def _of_object(item: Drawn, visible: int, width: int, height: int) -> Iterator[str]:
    for ring in item.rings:
        if (ring < -1).any() or (ring > (width + 1, height + 1)).any():
            yield "outside"
    if not item.px:
        yield "empty"
        return
    if item.px < _LIMITS.tiny_px:
        yield "tiny"
    if item.px >= _LIMITS.huge_share * width * height:
        yield "huge"
    if not visible:
        yield "hidden"
    rows, columns = np.nonzero(item.mask)
    sides = np.ptp(rows) + 1, np.ptp(columns) + 1
    if item.px == sides[0] * sides[1] and min(sides) >= 3:
        yield "rectangle"
    rings = [_open(ring) for ring in item.rings]
    if len(rings) == 1 and _is_rectangle(rings[0]):
        yield "rectangle"
    for ring in rings:
        if _crosses_itself(ring):
            yield "self_crossing"
        if len(spikes(ring)):
            yield "spike"
        area = cv2.contourArea(ring.astype(np.float32))
        if len(rings) > 1 and area < _LIMITS.stray_share * item.px:
            yield "stray_part"


def _of_pair(one: Drawn, other: Drawn) -> Iterator[tuple[int, str]]:
    """Yields which of two is at fault, and for what."""
    shared = int(np.count_nonzero(one.mask & other.mask))
    if not shared:
        return
    is_same = one.label.label == other.label.label
    iou = shared / (one.px + other.px - shared)
    if shared == one.px == other.px:
        yield 1, "duplicate" if is_same else "two_classes"
        if not is_same:
            yield 0, "two_classes"
    elif iou >= (_LIMITS.near_iou if is_same else _LIMITS.near_iou_across):
        yield 1, "near_duplicate"
        if not is_same:
            yield 0, "near_duplicate"
    elif is_same and shared >= _LIMITS.contained_share * min(one.px, other.px):
        yield int(one.px >= other.px), "contained"


def _open(ring: np.ndarray) -> np.ndarray:
    """Returns a ring without points that repeat the one before."""
    differs = (ring != np.roll(ring, 1, axis=0)).any(axis=1)
    return ring[differs] if differs.any() else ring[:1]


def _lengths(ring: np.ndarray) -> np.ndarray:
    return np.hypot(*(np.roll(ring, -1, axis=0) - ring).T)


def spikes(ring: np.ndarray) -> np.ndarray:
    """Returns the points of a ring with a sharp angle between two long sides."""
    side = np.roll(ring, -1, axis=0) - ring
    before = np.roll(side, 1, axis=0)
    length, length_before = np.hypot(*side.T), np.hypot(*before.T)
    least = _LIMITS.spike_side * length.sum()
    cosine = -(side * before).sum(axis=1)
    sharp = math.cos(math.radians(_LIMITS.spike_degrees)) * length * length_before
    is_spike = (cosine > sharp) & (length > least) & (length_before > least)
    return np.flatnonzero(is_spike & (len(ring) > 2))


def _is_rectangle(ring: np.ndarray) -> bool:
    if len(ring) != 4:
        return False
    side = np.roll(ring, -1, axis=0) - ring
    length = np.hypot(*side.T)
    after, length_after = np.roll(side, -1, axis=0), np.roll(length, -1)
    cosine = np.abs((side * after).sum(axis=1)) / (length * length_after)
    return bool(length.min() >= 3 and cosine.max() <= 0.02)


def _crosses_itself(ring: np.ndarray) -> bool:
    start, end = ring, np.roll(ring, -1, axis=0)
    for a, b in combinations(range(len(ring)), 2):
        if _parts(start[a], end[a], start[b], end[b]) and _parts(
            start[b], end[b], start[a], end[a]
        ):
            return True
    return False


def _parts(start: Any, end: Any, one: Any, other: Any) -> bool:
    """Whether two points lie on different sides of a line, and not on it."""
    x, y = end - start
    reach = 1e-6 * math.hypot(x, y)
    a = x * (one[1] - start[1]) - y * (one[0] - start[0])
    b = x * (other[1] - start[1]) - y * (other[0] - start[0])
    return bool((a > reach and b < -reach) or (a < -reach and b > reach))


def _scores(values: list[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    """Yields the modified z-score of each label of a class."""
    numbers = np.array([number for _, number in values])
    deviations = numbers - np.median(numbers)
    scale = np.median(np.abs(deviations))
    if len(values) >= _LIMITS.min_class_size and scale:
        scores = (0.6745 * deviations / scale).tolist()
        yield from zip([label_id for label_id, _ in values], scores, strict=True)


def _same_issues(case: Case, dataset: Any, found: dict[str, int]) -> None:
    report = fcm.find_mask_issues(dataset, key="ours")
    assert {name: n for name, n in report.counts.items() if n} == found


SEARCH = Baseline("a loop over objects and pairs", _search, _same_issues)
