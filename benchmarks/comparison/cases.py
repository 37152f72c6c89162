"""Exports of two images: a plain one, and one with something that real exports have."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils

WIDTH, HEIGHT = 100, 80
PLAIN, SPECIAL = "plain.jpg", "special.jpg"
RING = [10.5, 10.2, 60.3, 12.7, 55.1, 50.4, 20.8, 44.6]
SQUARE: list[float] = [20, 20, 50, 20, 50, 40, 20, 40]
FAR_SQUARE: list[float] = [70, 60, 90, 60, 90, 70, 70, 70]
# Overlaps the square in a quarter of it.
OTHER_SQUARE: list[float] = [35, 30, 65, 30, 65, 50, 35, 50]

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One thing that real exports have.

    Attributes:
        name: what it is, for the table
        annotation: what the special image's annotation has that a plain one has not
        drawn: what its mask is drawn from where that is not the segmentation; an empty
            list if there is nothing to draw
        change: changes the whole export, given as the content of its JSON
        splits: the splits that have the same two images
        has_file: whether the special image's file is there
    """

    name: str
    annotation: Json = field(default_factory=dict)
    drawn: list[list[float]] | None = None
    change: Callable[[Json], None] = lambda content: None
    splits: tuple[str, ...] = ("train",)
    has_file: bool = True

    def write(self, folder: Path) -> None:
        """Writes the export, in the layout of Roboflow's."""
        for split in self.splits:
            (folder / split).mkdir(parents=True)
            content = self._content()
            for image in content["images"]:
                path = folder / split / image["file_name"]
                cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
            self.change(content)
            if not self.has_file:
                (folder / split / SPECIAL).unlink()
            text = json.dumps(content)
            (folder / split / "_annotations.coco.json").write_text(text)

    def expected(self, file_name: str) -> np.ndarray:
        """Returns pycocotools' mask of an image, an array (height, width) of bool."""
        if file_name == PLAIN:
            return _drawn([RING])
        if self.drawn is not None:
            return _drawn(self.drawn)
        segmentation = self.annotation.get("segmentation", [RING])
        if isinstance(segmentation, list):
            return _drawn(segmentation)
        if isinstance(segmentation["counts"], list):
            segmentation = mask_utils.frPyObjects(segmentation, HEIGHT, WIDTH)
        return mask_utils.decode(segmentation).astype(bool)

    def _content(self) -> Json:
        names = (PLAIN, SPECIAL)
        plain = {
            "category_id": 1,
            "bbox": [10.5, 10.2, 49.8, 40.2],
            "area": 1500.0,
            "segmentation": [RING],
            "iscrowd": 0,
        }
        return {
            "info": {},
            "licenses": [],
            "categories": [
                {"id": 0, "name": "things", "supercategory": "none"},
                {"id": 1, "name": "thing", "supercategory": "things"},
                {"id": 2, "name": "other", "supercategory": "things"},
            ],
            "images": [
                {"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT}
                for n, name in enumerate(names)
            ],
            "annotations": [
                {"id": 0, "image_id": 0, **plain},
                {"id": 1, "image_id": 1, **plain, **self.annotation},
            ],
        }


def _drawn(rings: list[list[float]]) -> np.ndarray:
    if not rings:
        return np.zeros((HEIGHT, WIDTH), bool)
    parts = mask_utils.frPyObjects(rings, HEIGHT, WIDTH)
    return mask_utils.decode(mask_utils.merge(parts)).astype(bool)


def _blob() -> np.ndarray:
    """Returns a mask of an object with a hole."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(mask, (50, 40), 25, 1, -1)
    cv2.circle(mask, (50, 40), 10, 0, -1)
    return mask


def _runs(mask: np.ndarray) -> Json:
    """Returns a mask as an uncompressed RLE."""
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels)) + 1
    bounds = np.concatenate([[0], changes, [pixels.size]])
    counts = np.diff(bounds).tolist()
    return {"size": [HEIGHT, WIDTH], "counts": [0, *counts] if pixels[0] else counts}


def _compressed(mask: np.ndarray) -> Json:
    rle = mask_utils.encode(np.asfortranarray(mask))
    return {"size": [HEIGHT, WIDTH], "counts": rle["counts"].decode()}


def _without_annotation(content: Json) -> None:
    content["annotations"].pop()


def _same_name(content: Json) -> None:
    content["categories"][2]["name"] = "thing"


# The box of the blob: a tool that crops the mask to its box must not lose any of it.
BLOB_BOX = [25, 15, 51, 51]


def _listed_twice(content: Json) -> None:
    """Makes two entries of one file, each with a part of its annotations."""
    content["images"].append({**content["images"][1], "id": 2})
    second = {**content["annotations"][1], "id": 2, "image_id": 2}
    second.update(segmentation=[FAR_SQUARE], bbox=[70, 60, 20, 10])
    content["annotations"].append(second)


CASES = (
    Case("a polygon with fractions of pixels"),
    Case(
        "a polygon partly outside of its image",
        {
            "segmentation": [[-20.5, 30, 40, 30, 40, 60, -20.5, 60]],
            "bbox": [-20.5, 30, 60.5, 30],
        },
    ),
    Case(
        "parts that overlap",
        {
            "segmentation": [SQUARE, OTHER_SQUARE],
            "bbox": [20, 20, 45, 30],
        },
    ),
    Case(
        "RLE, as lists of numbers",
        {"segmentation": _runs(_blob()), "bbox": BLOB_BOX, "iscrowd": 1},
    ),
    Case("RLE, compressed", {"segmentation": _compressed(_blob()), "bbox": BLOB_BOX}),
    Case(
        "a flat part beside a good one",
        {
            "segmentation": [[5, 5, 30, 5], SQUARE],
            "bbox": [5, 5, 45, 35],
        },
        drawn=[SQUARE],
    ),
    Case(
        "a polygon of two separate parts",
        {"segmentation": [SQUARE, FAR_SQUARE], "bbox": [20, 20, 70, 50]},
    ),
    Case(
        "nothing but a flat part",
        {"segmentation": [[5, 5, 30, 5]], "bbox": [5, 5, 25, 0]},
        drawn=[],
    ),
    Case(
        "a polygon wholly outside of its image",
        {"segmentation": [[120, 20, 150, 20, 150, 40]], "bbox": [120, 20, 30, 20]},
        drawn=[],
    ),
    Case(
        "a coordinate that is NaN",
        {
            "segmentation": [[10, 10, float("nan"), 10, 30, 30]],
        },
        drawn=[],
    ),
    Case("an unknown category", {"category_id": 77}),
    Case("two categories of one name", {"category_id": 2}, change=_same_name),
    Case("an image without annotations", drawn=[], change=_without_annotation),
    Case("an image that is not there", has_file=False),
    Case("a file name listed twice", drawn=[RING, FAR_SQUARE], change=_listed_twice),
    Case("two splits with the same file names", splits=("train", "valid")),
)
