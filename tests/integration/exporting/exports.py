"""Exports with all that the exports of COCO and of other tools have; comparisons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

import fiftyone_cocomask as fcm

JSON_NAME = "_annotations.coco.json"


def rle_of(mask: np.ndarray, *, as_list: bool = False) -> dict[str, Any]:
    """Returns pycocotools' RLE of a mask, compressed or as a list of run lengths."""
    height, width = mask.shape
    if as_list:
        flat = mask.ravel(order="F").astype(int)
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
        return {
            "size": [height, width],
            "counts": [0, *counts] if flat[0] else counts,
        }
    encoded = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [height, width], "counts": encoded["counts"].decode()}


def stop_export(dataset: fo.Dataset, out: Path, **options: Any) -> None:
    """Begins an export, and stops it at its first image, as Ctrl-C does."""

    def stop(bar: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fcm.export_roboflow_coco(dataset, out, progress=stop, **options)
    assert not list(out.rglob(JSON_NAME))


def write_json(folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON_NAME).write_text(json.dumps(document))
    return folder


def write_image(path: Path, width: int, height: int, orientation: int = 1) -> None:
    """Writes an image; with an EXIF orientation, it is a JPEG that viewers turn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(len(path.name)).integers(
        0, 255, (height, width, 3), np.uint8
    )
    if orientation == 1:
        cv2.imwrite(str(path), picture)
        return
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(path, exif=exif)


def read_json(folder: Path) -> dict[str, Any]:
    return json.loads((folder / JSON_NAME).read_text())


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Returns a document without what may differ: the points that close rings."""
    annotations = [
        {**a, "segmentation": _opened(a.get("segmentation"))}
        for a in document["annotations"]
    ]
    return {**document, "annotations": annotations}


def _opened(segmentation: Any) -> Any:
    if not isinstance(segmentation, list):
        return segmentation
    rings = []
    for ring in segmentation:
        while len(ring) > 6 and ring[:2] == ring[-2:]:
            ring = ring[:-2]
        rings.append([round(n, 9) if isinstance(n, float) else n for n in ring])
    return rings


def assert_same_export(new: Path, old: Path) -> None:
    """Asserts that two exports have the same JSONs and the same images."""
    jsons = sorted(path.relative_to(old) for path in old.rglob(JSON_NAME))
    assert jsons == sorted(path.relative_to(new) for path in new.rglob(JSON_NAME))
    for name in jsons:
        before = comparable(json.loads((old / name).read_text()))
        after = comparable(json.loads((new / name).read_text()))
        assert after.keys() == before.keys()
        for key in before:
            assert after[key] == before[key], key
        for image in before["images"]:
            path = name.parent / image["file_name"]
            assert (new / path).read_bytes() == (old / path).read_bytes()


def write_cocos_own(folder: Path) -> Path:
    """Writes an export as COCO's own files and other tools' are.

    Ids from anywhere, annotations in any order, crowds with lists of run lengths,
    holes, parts, numbers with many decimals, attributes beside and in ``attributes``,
    names that a database cannot take, keys that nobody knows, text in place of ids.
    """
    height, width = 60, 80
    ring = np.zeros((height, width), np.uint8)
    ring[10:40, 10:50] = 1
    ring[20:30, 20:30] = 0
    crowd = np.zeros((height, width), np.uint8)
    crowd[0:60:2, 0:30] = 1
    names = ["000000397133.jpg", "sub/b c.jpg", "ü#1.png", "last.jpg"]
    for name in names:
        write_image(folder / name, width, height)
    images: list[dict[str, Any]] = [
        {
            "license": 3,
            "file_name": names[0],
            "coco_url": "http://images.example.org/val2017/000000397133.jpg",
            "height": height,
            "width": width,
            "date_captured": "2013-11-14 17:02:52",
            "flickr_url": "",
            "id": 397133,
        },
        {"id": "x7", "file_name": names[1], "height": height, "width": width},
        {"id": 5, "file_name": names[2], "width": width, "height": height,
         "meta": {"_cls": "Sample", "a.b": {"$set": 1}}, "big": 2**70},
        {"id": 2**64, "file_name": names[3], "width": width, "height": height},
    ]  # fmt: skip
    square = [50.25, 10.5, 70, 10.5, 70, 30.125, 50.25, 30.125, 50.25, 10.5]
    far = [5, 40, 20.123456789, 40, 20.1, 55.7]
    annotations: list[dict[str, Any]] = [
        {"id": 900100397133, "image_id": 397133, "category_id": 44, "iscrowd": 1,
         "segmentation": rle_of(crowd, as_list=True), "area": 900.0,
         "bbox": [0.0, 0.0, 30.0, 59.0]},
        {"id": 82445, "image_id": 5, "category_id": 1, "iscrowd": 0,
         "segmentation": [square, far], "area": 1234.5678901234567,
         "bbox": [5.000000000000001, 10.5, 64.99999999999999, 45.2],
         "attributes": {"occluded": False, "a.b": {"_cls": "x", "$y": [1]}, "id": 7},
         "score": None},
        {"id": 17, "image_id": "x7", "category_id": 44, "iscrowd": 0,
         "segmentation": rle_of(ring), "area": 1100, "bbox": [10, 10, 40, 30],
         "attributes": {}},
        {"id": 16, "image_id": 397133, "category_id": 1, "iscrowd": 0,
         "segmentation": [square], "area": 387.59, "bbox": [50.25, 10.5, 19.75, 19.625],
         "attributes": {"occluded": True}, "_private": 1, "label": "no"},
        {"id": 2**70, "image_id": 5, "category_id": 1, "iscrowd": 0, "segmentation": [],
         "area": 20.0, "bbox": [1, 2, 4, 5], "attributes": {"occluded": True}},
        {"id": 8, "image_id": 5, "category_id": 90, "iscrowd": 0,
         "segmentation": [square], "area": None, "bbox": [50.25, 10.5, 19.75, 19.625],
         "attributes": {"occluded": True}},
        {"id": 9, "image_id": 5, "category_id": 1, "iscrowd": 0, "area": 0,
         "segmentation": rle_of(np.zeros((height, width), np.uint8)),
         "bbox": [3, 60, 4, 0], "attributes": {"occluded": True}},
    ]  # fmt: skip
    return write_json(
        folder,
        {
            "info": {"description": "COCO 2017", "_cls": "Info", "a.b": 1},
            "licenses": [{"url": "http://x", "id": 3, "name": "CC-é😀"}],
            "images": images,
            "annotations": annotations,
            "categories": [
                {"supercategory": "person", "id": 1, "name": "person"},
                {"supercategory": "kitchen", "id": 44, "name": "bottle",
                 "keypoints": ["nose"], "skeleton": [[1, 2]]},
                {"id": 90, "name": "person"},
                {"supercategory": "kitchen", "id": 46, "name": "never used"},
            ],
            "unknown": {"$key": [{"_id": 1}], "a.b": None},
            "type": "instances",
        },
    )  # fmt: skip
