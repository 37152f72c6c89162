"""Two versions of an export, compared image by image from their JSONs."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils
from scipy.optimize import linear_sum_assignment

import fiftyone_cocomask as fcm

from ..exports import SIDE
from ..stages import Case
from . import Baseline

# Of an image of 640 x 640 px.
_BOUNDARY = round(0.02 * float(np.hypot(SIDE, SIDE)))


def _compare(case: Case, samples: None) -> list[tuple[float, float]]:
    """Returns the IoU and Boundary IoU of each object that was edited."""
    old, new = (_by_file(folder) for folder in (case.export, case.edited))
    found = []
    for name in old.keys() & new.keys():
        rles = [[_rle(a) for a in anns] for anns in (old[name], new[name])]
        ious = mask_utils.iou(rles[0], rles[1], [0] * len(rles[1]))
        classes = [
            np.array([a["category_id"] for a in anns])
            for anns in (old[name], new[name])
        ]
        is_same = classes[0][:, None] == classes[1]
        for a, b in zip(*linear_sum_assignment(-ious * is_same), strict=True):
            if ious[a, b] >= 0.5 and is_same[a, b]:
                found.append((ious[a, b], _boundary_iou(rles[0][a], rles[1][b])))
    return found


def _by_file(export: Path) -> dict[str, list[Any]]:
    content = json.loads((export / "_annotations.coco.json").read_bytes())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    found: dict[str, list[Any]] = defaultdict(list)
    for annotation in content["annotations"]:
        found[names[annotation["image_id"]]].append(annotation)
    return found


def _rle(annotation: Any) -> Any:
    parts = mask_utils.frPyObjects(annotation["segmentation"], SIDE, SIDE)
    return mask_utils.merge(parts)


def _boundary_iou(one: Any, other: Any) -> float:
    boundaries = [_boundary(mask_utils.decode(rle)) for rle in (one, other)]
    shared = int(np.count_nonzero(boundaries[0] & boundaries[1]))
    either = int(np.count_nonzero(boundaries[0] | boundaries[1]))
    return shared / either if either else 1.0


def _boundary(mask: np.ndarray) -> np.ndarray:
    kernel = np.ones((2 * _BOUNDARY + 1, 2 * _BOUNDARY + 1), np.uint8)
    inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask - inner


def _same_edits(case: Case, samples: None, found: list[tuple[float, float]]) -> None:
    changes = fcm.compare_exports(case.export, case.edited).changes()
    edited = changes[changes["change"] == "edited"]
    assert abs(len(edited) - len(found)) <= 0.01 * len(found)
    for name, values in zip(
        ("iou", "boundary_iou"), zip(*found, strict=True), strict=True
    ):
        assert np.isclose(edited[name].mean(), np.mean(values), atol=0.005)


COMPARISON = Baseline(
    "a loop over both JSONs with pycocotools",
    _compare,
    _same_edits,
    of=None,
    images=None,
)
