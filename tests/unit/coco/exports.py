"""Small exports for the tests of the reader, and what it makes of them.

The one image of most of them is 100 x 80 pixels. Areas are pycocotools' own count of
the pixels of the shapes that the reader returns, next to figures worked out by hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.issues import Action, Issue, IssueCode
from fiftyone_cocomask.coco.records import Annotation, ImageRecord
from fiftyone_cocomask.coco.report import ExportReport

WIDTH, HEIGHT = 100, 80
# 30 x 20 pixels.
SQUARE = [10, 10, 40, 10, 40, 30, 10, 30]
SQUARE_BOX = [10, 10, 30, 20]
CATEGORIES = [
    {"id": 0, "name": "animals", "supercategory": "none"},
    {"id": 1, "name": "cat", "supercategory": "animals"},
    {"id": 2, "name": "dog", "supercategory": "animals"},
]
ABSENT = object()


class Reading(NamedTuple):
    """What the reader made of an export."""

    records: list[ImageRecord]
    report: ExportReport

    @property
    def record(self) -> ImageRecord:
        assert len(self.records) == 1
        return self.records[0]

    @property
    def annotation(self) -> Annotation:
        assert len(self.record.annotations) == 1
        return self.record.annotations[0]

    def issues(self, code: IssueCode) -> list[Issue]:
        return [issue for issue in self.report.issues if issue.code is code]

    def issue(self, code: IssueCode) -> Issue:
        found = self.issues(code)
        assert len(found) == 1, self.report.issues
        return found[0]

    def actions(self) -> set[tuple[IssueCode, Action]]:
        """Codes and actions, without what is said of every small export."""
        usual = {
            IssueCode.CATEGORY_UNUSED,
            IssueCode.AREA_IS_BOX_AREA,
            IssueCode.AREA_DIFFERS,
        }
        return {(i.code, i.action) for i in self.report.issues if i.code not in usual}


def annotation(**changes: Any) -> dict[str, Any]:
    """Returns an annotation of a rectangle, 30 x 20, with changes; ABSENT removes."""
    entry = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": SQUARE_BOX,
        "area": 600,
        "segmentation": [SQUARE],
        "iscrowd": 0,
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not ABSENT}


def image_entry(**changes: Any) -> dict[str, Any]:
    entry = {
        "id": 1,
        "file_name": "a.png",
        "width": WIDTH,
        "height": HEIGHT,
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not ABSENT}


def document(annotations: list[Any], **changes: Any) -> dict[str, Any]:
    """Returns a COCO JSON of one image; ABSENT removes a part of it."""
    parts = {
        "info": {"version": "1"},
        "licenses": [{"id": 1, "name": "CC BY 4.0"}],
        "categories": CATEGORIES,
        "images": [image_entry()],
        "annotations": annotations,
        **changes,
    }
    return {name: value for name, value in parts.items() if value is not ABSENT}


def write_image(path: Path, mode: str = "RGB", size: Any = (WIDTH, HEIGHT)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path)
    return path


def write_export(folder: Path, parts: Any, files: tuple[str, ...] = ("a.png",)) -> Path:
    """Writes an export; ``parts`` is a JSON value, or its text or bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in files:
        write_image(folder / name)
    path = folder / "_annotations.coco.json"
    if isinstance(parts, bytes):
        path.write_bytes(parts)
    else:
        path.write_text(parts if isinstance(parts, str) else json.dumps(parts))
    return folder


def read(path: Path, **options: Any) -> Reading:
    """Reads an export; whatever it holds, every annotation is accounted for."""
    with ExportReader(path, **options) as reader:
        records = list(reader.images())
    report = reader.report
    assert report.accounted == report.annotations
    assert report.imported == sum(len(record.annotations) for record in records)
    assert report.usable_images == len(records)
    return Reading(records, report)


def read_annotation(folder: Path, **changes: Any) -> Reading:
    """Reads an export whose one annotation has these changes."""
    return read(write_export(folder, document([annotation(**changes)])))


def pixels(found: Annotation, width: int = WIDTH, height: int = HEIGHT) -> int:
    """Returns pycocotools' number of pixels of an annotation."""
    rle: Any = found.rle
    if rle is None:
        flat = [ring.ravel().tolist() for ring in found.rings]
        rle = mask_utils.merge(mask_utils.frPyObjects(flat, height, width))
    return int(mask_utils.area(rle))


def mask_of(found: Annotation) -> np.ndarray:
    """Returns pycocotools' mask of an annotation that is an RLE."""
    return mask_utils.decode(found.rle)


def read_with_image(
    folder: Path, name: str, write: Callable[[Path], Any], **changes: Any
) -> Reading:
    """Reads an export of one image that a function writes."""
    parts = document([annotation()], images=[image_entry(file_name=name, **changes)])
    write_export(folder, parts, files=())
    write(folder / name)
    return read(folder)


def encoded(kind: str, **options: Any) -> bytes:
    """Returns an image whose data is long enough to be cut."""
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


def read_parts(folder: Path, annotations: list[Any], **changes: Any) -> Reading:
    """Reads an export of some annotations, other parts of which are changed."""
    return read(write_export(folder, document(annotations, **changes)))
