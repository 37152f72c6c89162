"""Small exports for tests, written as Roboflow writes them."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fiftyone_cocomask.datasets.import_base.base import DEFAULT_FIELDS, SampleBase

WIDTH, HEIGHT = 40, 30
SQUARE = [5, 5, 20, 5, 20, 15, 5, 15]


def annotation(number: int | str, image: int, **changes: Any) -> dict[str, Any]:
    """Returns an annotation: a rectangle of 15 x 10 pixels unless changed."""
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [5, 5, 15, 10],
        "area": 150,
        "segmentation": [SQUARE],
        "iscrowd": 0,
        **changes,
    }


def image_name(source: str, token: str = "0a") -> str:
    return f"{source}_jpg.rf.{token * 16}.jpg"


def write_split(
    folder: Path,
    names: list[str],
    annotations: list[dict[str, Any]],
    **changes: Any,
) -> Path:
    """Writes a folder of images with its JSON; images have the ids 0, 1, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        # Images of one content in two splits would be an issue of their own.
        shade = 60 + zlib.crc32(name.encode()) % 128
        cv2.imwrite(str(folder / name), np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
    export = {
        "info": {"year": "2026", "version": "3", "date_created": "2026-01-31"},
        "licenses": [{"id": 1, "url": "", "name": "CC BY 4.0"}],
        "categories": [
            {"id": 0, "name": "wing", "supercategory": "none"},
            {"id": 1, "name": "wing", "supercategory": "wing"},
            {"id": 2, "name": "body", "supercategory": "wing"},
        ],
        "images": [
            {
                "id": number,
                "license": 1,
                "file_name": name,
                "width": WIDTH,
                "height": HEIGHT,
                "extra": {"name": name.split("_jpg")[0] + ".jpg"},
            }
            for number, name in enumerate(names)
        ],
        "annotations": annotations,
        **changes,
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(export))
    return folder


def write_small_export(folder: Path) -> Path:
    """Writes an export of two splits, three images and four annotations."""
    write_split(
        folder / "train",
        [image_name("a"), image_name("b")],
        [
            annotation(0, 0),
            annotation(
                1,
                0,
                category_id=2,
                segmentation=[[0, 0, 10, 0, 10, 10]],
                bbox=[0, 0, 10, 10],
            ),
            annotation(2, 1),
        ],
    )
    write_split(folder / "valid", [image_name("c")], [annotation(0, 0)])
    return folder


def say_project(folder: Path, name: str) -> None:
    """Writes the file by which Roboflow says of which project an export is."""
    address = f"https://universe.roboflow.com/someone/{name}\n"
    (folder / "README.dataset.txt").write_text(address)


def write_changing_export(folder: Path) -> Path:
    """Writes an export in which each image differs from those before it."""
    names = [image_name(f"{number:02}") for number in range(11)]
    stranger = {"segmentation": [[1, 2]], "category_id": 9, "bbox": [-9, 0, 60, 99]}
    annotations = [
        annotation(0, 0, depth=3, attributes={"seen": True}),
        annotation(1, 2, depth="deep", **stranger),
        annotation(2, 3, depth=2.5, attributes={"seen": "no"}),
        annotation(3, 4, seen="twice", is_crowd=[1]),
        annotation(4, 6, keypoints=[1, 2, 3], depth_text=7),
        annotation(5, 7, segmentation=[SQUARE, [0, 0, 4, 0, 4, 4]]),
        annotation(5, 8, id="eight", area="150"),
        annotation(6, 10, bbox=[0, 0, 0, 0], segmentation=[]),
        annotation(7, 99),
    ]
    del annotations[0]["iscrowd"]
    write_split(folder / "train", names, annotations)
    path = folder / "train" / "_annotations.coco.json"
    content = json.loads(path.read_text())
    (folder / "train" / names[1]).rename(folder / "train" / "odd.jpg")
    (folder / "train" / names[9]).write_text("not a picture")
    for number, name in ((1, "ODD.jpg"), (5, "Odd.JPG"), (8, "no.jpg")):
        content["images"][number]["file_name"] = name
    path.write_text(json.dumps(content))
    write_split(folder / "valid", [image_name("z")], [annotation(0, 0, depth=None)])
    return folder


def imported_content(dataset: Any) -> list[dict[str, Any]]:
    """Returns everything that an import decides, in an order of its own."""
    dropped = ("id", "_id", "_rand", "_dataset_id", "created_at", "last_modified_at")
    rows = []
    for sample in dataset:
        row = sample.to_dict(include_private=True)
        for label_field in ("segmentations", "detections"):
            (labels,) = (
                value for value in row[label_field].values() if isinstance(value, list)
            )
            for label in labels:
                label.pop("_id")
        base = SampleBase.from_document(row["import_base"], DEFAULT_FIELDS)
        assert base is not None
        # All but the labels' ids.
        row["import_base"] = [annotation[2:] for annotation in base.annotations]
        rows.append({k: v for k, v in row.items() if k not in dropped})
    return sorted(rows, key=lambda row: row["filepath"])
