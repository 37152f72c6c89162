"""Exports to measure with: images of 640 px with 10 polygons of 20 points each."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIDE = 640
POLYGONS = 10
POINTS = 20


def blob(random: np.random.Generator) -> np.ndarray:
    """Returns a ring of 20 points around a random place, like an annotated object."""
    center = random.random(2) * SIDE
    angles = np.sort(random.random(POINTS)) * 2 * np.pi
    radii = SIDE / 12 * (0.6 + 0.4 * random.random(POINTS))
    ring = center[:, None] + radii * np.stack([np.cos(angles), np.sin(angles)])
    return np.clip(ring.T, 0, SIDE).round(3)


def write_export(folder: Path, images: int) -> Path:
    """Writes an export of one split: one JPEG under many names, 10 polygons on each."""
    random = _random()
    folder.mkdir(parents=True)
    picture = folder / "picture.tmp.jpg"
    noise = random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    # As smooth as photographs are: plain noise takes twice as long to decode.
    cv2.imwrite(str(picture), _stretched(cv2.GaussianBlur(noise, (0, 0), 4)))
    for number, name in enumerate(_names(images)):
        # A file of ext4 has at most 65,000 names.
        if number % 50_000 == 0:
            shutil.copy(picture, folder / name)
            linked = folder / name
        else:
            os.link(linked, folder / name)
    picture.unlink()
    _write_json(folder, images, _annotations(images, random))
    return folder


def _stretched(picture: np.ndarray) -> np.ndarray:
    """Returns a picture with its darkest place black, and its brightest white."""
    values = picture.astype(np.float32) - picture.min()
    stretched: np.ndarray = (values * (255 / values.max())).astype(np.uint8)
    return stretched


def write_edited_export(folder: Path, images: int) -> None:
    """Writes a later version of :func:`write_export`'s, without its images.

    All annotations have other ids and another first vertex.
    """
    random = _random()
    random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    folder.mkdir(parents=True)
    _write_json(folder, images, _edited(_annotations(images, random), images))


def _edited(
    annotations: Iterator[dict[str, Any]], images: int
) -> Iterator[dict[str, Any]]:
    for number, annotation in enumerate(annotations):
        annotation["id"] = images * POLYGONS - number
        ring = annotation["segmentation"][0]
        ring[:2] = ring[0] * 0.99 + 1, ring[1] * 0.99 + 1
        yield annotation


def _random() -> np.random.Generator:
    return np.random.default_rng(7)


def _names(images: int) -> list[str]:
    return [f"{number:06}_jpg.rf.{number:032x}.jpg" for number in range(images)]


def _write_json(
    folder: Path, images: int, annotations: Iterator[dict[str, Any]]
) -> None:
    categories = [
        {"id": 0, "name": "object", "supercategory": "none"},
        {"id": 1, "name": "blob", "supercategory": "object"},
        {"id": 2, "name": "spot", "supercategory": "object"},
    ]
    size = {"width": SIDE, "height": SIDE}
    entries = (
        {"id": number, "file_name": name, **size}
        for number, name in enumerate(_names(images))
    )
    # Written as it is made: a million annotations do not fit into memory.
    with open(folder / "_annotations.coco.json", "w") as file:
        file.write('{"info": {}, "licenses": [], "categories": ')
        file.write(json.dumps(categories))
        for key, values in (("images", entries), ("annotations", annotations)):
            file.write(f', "{key}": [')
            for place, value in enumerate(values):
                file.write(("," if place else "") + json.dumps(value))
            file.write("]")
        file.write("}")


def _annotations(images: int, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in range(images * POLYGONS):
        ring = blob(random)
        low, size = ring.min(axis=0), np.ptp(ring, axis=0)
        yield {
            "id": number,
            "image_id": number // POLYGONS,
            "category_id": 1 + number % 2,
            "bbox": [*low.tolist(), *size.tolist()],
            "area": float(size.prod()),
            "segmentation": [ring.ravel().tolist()],
            "iscrowd": 0,
        }
