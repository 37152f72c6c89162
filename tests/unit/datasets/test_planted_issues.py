"""Errors planted into real labels are found, and few real labels count as errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.datasets.issues.dataset_rules import log_density, scores_in_class
from fiftyone_cocomask.datasets.issues.image_rules import ImageLabels
from fiftyone_cocomask.datasets.issues.rules import IssueLimits, MaskIssue
from fiftyone_cocomask.datasets.masks.options import MaskOptions
from fiftyone_cocomask.datasets.measuring.measure import measure_labels
from fiftyone_cocomask.geometry.objects import Canvas
from fiftyone_cocomask.geometry.ring_shapes import RingBatch

Ring = np.ndarray
# The rings of a label, and its class.
Shape = tuple[list[Ring], str]
Image = tuple[int, int, list[Shape]]

OPTIONS = MaskOptions()
LIMITS = IssueLimits()
# Smaller ones have no room for an error.
LEAST_PX = 400


def read(folder: Path, images: int) -> list[Image]:
    found: list[Image] = []
    with ExportReader(folder) as reader:
        for record in reader.images():
            shapes = [
                ([np.asarray(ring, float) for ring in item.rings], item.label)
                for item in record.annotations
                if item.rings
            ]
            found.append((record.width, record.height, shapes))
            if len(found) == images:
                break
    return found


def label(image: Image) -> dict[str, Any]:
    """The labels as FiftyOne stores them."""
    width, height, shapes = image
    lines = [
        {
            "_id": ObjectId(),
            "label": name,
            "points": [(ring / (width, height)).tolist() for ring in rings],
            "closed": True,
            "filled": True,
        }
        for rings, name in shapes
    ]
    return {"polylines": lines}


def looked_at(image: Image) -> ImageLabels:
    width, height, _ = image
    document = label(image)
    figures = measure_labels(document, width, height, OPTIONS)
    objects = OPTIONS.objects(document, width, height)
    labels = ImageLabels(objects, figures, Canvas(height, width, "coco"), LIMITS)
    labels.look()
    return labels


def moved(rings: list[Ring]) -> list[Ring]:
    """The same object labelled again by another hand: half a pixel off."""
    noise = np.random.default_rng(len(rings[0])).normal(0, 0.3, rings[0].shape)
    return [rings[0] + noise, *rings[1:]]


def inside(rings: list[Ring]) -> list[Ring]:
    """A part of the object labelled once more: its middle."""
    centre = rings[0].mean(axis=0)
    return [centre + (rings[0] - centre) * 0.4]


def lies_in(part: list[Ring], whole: list[Ring], height: int, width: int) -> bool:
    """Whether 95% of a part's pixels are the object's, as pycocotools counts them."""
    rles = [
        mask_utils.merge(
            mask_utils.frPyObjects(
                [ring.ravel().tolist() for ring in rings], height, width
            )
        )
        for rings in (part, whole)
    ]
    return bool(mask_utils.iou(rles[:1], rles[1:], [True])[0, 0] >= 0.95)


def with_speck(rings: list[Ring]) -> list[Ring]:
    """The object with a click that went astray, beside it."""
    x, y = np.maximum(rings[0].min(axis=0) - 6, 0)
    return [*rings, np.array([(x, y), (x + 2, y), (x + 2, y + 2), (x, y + 2)])]


def boxed(rings: list[Ring]) -> list[Ring]:
    """The object's box."""
    (x0, y0), (x1, y1) = rings[0].min(axis=0), rings[0].max(axis=0)
    return [np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])]


def shrunk(rings: list[Ring]) -> list[Ring]:
    """A click for an object."""
    x, y = rings[0].mean(axis=0)
    return [np.array([(x, y), (x + 2, y), (x, y + 2)])]


def pushed_out(rings: list[Ring]) -> list[Ring]:
    """An outline that goes on where the image has ended."""
    ring = rings[0].copy()
    ring[ring[:, 0].argmin()] = (-20, ring[:, 1].mean())
    return [ring]


def large_ones(image: Image) -> Iterator[int]:
    """Yields the places of labels that are large enough for an error."""
    for place, (rings, _) in enumerate(image[2]):
        areas = RingBatch.of(rings).areas()
        if len(rings) == 1 and areas[0] >= LEAST_PX:
            yield place


@pytest.fixture(scope="module", params=["mushrooms", "fetal_brain"])
def images(request: pytest.FixtureRequest, exports: Path) -> list[Image]:
    return read(exports / request.param, 2 if request.param == "mushrooms" else 8)


@pytest.mark.parametrize(
    ("error", "issue", "is_added"),
    [
        (lambda rings: rings, MaskIssue.DUPLICATE, True),
        (moved, MaskIssue.NEAR_DUPLICATE, True),
        (inside, MaskIssue.CONTAINED, True),
        (with_speck, MaskIssue.STRAY_PART, False),
        (boxed, MaskIssue.RECTANGLE, False),
        (shrunk, MaskIssue.TINY, False),
        (pushed_out, MaskIssue.OUTSIDE, False),
    ],
)
def test_planted_errors_are_found(
    images: list[Image],
    error: Callable[[list[Ring]], list[Ring]],
    issue: MaskIssue,
    is_added: bool,
) -> None:
    hits: list[bool] = []
    for width, height, shapes in images:
        changed = list(shapes)
        at_fault = []
        for place in large_ones((width, height, shapes)):
            rings, name = shapes[place]
            if error is inside and not lies_in(error(rings), rings, height, width):
                # The middle of a crescent lies beside it.
                continue
            if is_added:
                at_fault.append(len(changed))
                changed.append((error(rings), name))
            else:
                at_fault.append(place)
                changed[place] = (error(rings), name)
        issues = looked_at((width, height, changed)).issues
        hits += [issue in issues[place] for place in at_fault]
    assert len(hits) >= 20
    assert np.mean(hits) >= 0.95


def test_few_real_labels_have_issues(images: list[Image]) -> None:
    counts: Counter[MaskIssue] = Counter()
    number = 0
    for image in images:
        issues = looked_at(image).issues
        number += len(issues)
        for found in issues.values():
            counts.update(found)
    rare = [
        MaskIssue.DUPLICATE,
        MaskIssue.NEAR_DUPLICATE,
        MaskIssue.TWO_CLASSES,
        MaskIssue.CONTAINED,
        MaskIssue.SELF_CROSSING,
        MaskIssue.SPIKE,
        MaskIssue.STRAY_PART,
        MaskIssue.OUTSIDE,
        MaskIssue.HUGE,
        MaskIssue.EMPTY,
    ]
    assert {
        issue: counts[issue] for issue in rare if counts[issue] > 0.02 * number
    } == {}


def test_coarse_outlines_score_below_the_real_ones(images: list[Image]) -> None:
    by_class: dict[str, list[Ring]] = {}
    for image in images:
        for rings, name in image[2]:
            if len(rings) == 1 and len(rings[0]) >= 12:
                by_class.setdefault(name, []).append(rings[0])
    pairs = won = 0.0
    for rings in by_class.values():
        if len(rings) < LIMITS.min_class_size:
            continue
        densities = []
        # Every fifth vertex of each outline, beside all real ones.
        for ring in [*rings, *(ring[::5] for ring in rings)]:
            batch = RingBatch.of([ring])
            densities.append(log_density(len(ring), float(batch.perimeters()[0])))
        scores = scores_in_class(densities, LIMITS)
        real, coarse = scores[: len(rings)], scores[len(rings) :]
        won += (coarse[:, None] < real[None]).sum() + (
            coarse[:, None] == real[None]
        ).sum() / 2
        pairs += coarse.size * real.size
    assert pairs
    assert won / pairs > 0.95
