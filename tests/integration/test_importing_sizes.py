"""What a check says can be imported can be imported, however much the JSON says."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from mongoengine.dereference import DeReference
from pycocotools import mask as mask_utils

import fiftyone_cocomask as fcm
from fiftyone_cocomask.coco.issues import IssueCode
from fiftyone_cocomask.datasets.documents import fields
from fiftyone_cocomask.errors import ExportError

from ..unit.coco.exports import (
    annotation,
    document,
    image_entry,
    write_export,
    write_image,
)

# A letter for each byte.
LETTERS = bytes(ord(string.ascii_letters[byte % 52]) for byte in range(256))


def text(length: int) -> str:
    """Returns text that nothing makes shorter: letters, at random."""
    # Drawn letter by letter, those below would take seconds in each process of tests.
    return random.Random(length).randbytes(length).translate(LETTERS).decode()


LONG: dict[str, dict[str, Any]] = {
    "category names": {
        "categories": [
            {"id": n, "name": text(100_000 + n), "supercategory": text(1_000_000)}
            for n in (1, 2)
        ]
    },
    "info": {"info": {"description": text(20_000_000)}},
    "licenses": {"licenses": [{"id": 1, "name": text(3_000_000)}] * 5},
    "facts of an image": {
        "images": [
            image_entry(
                extra={
                    "name": text(2_000_000),
                    "user_tags": [text(100), *(text(5000 + n) for n in range(2000))],
                },
                note=text(9_000_000),
            )
        ]
    },
    "ids of annotations": {
        "annotations": [annotation(id=text(900_000 + n)) for n in range(30)]
    },
    "file names that are missing": {
        "images": [
            image_entry(),
            *(image_entry(id=9 + n, file_name=text(9000 + n)) for n in range(900)),
        ]
    },
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_do_not_end_an_import(
    tmp_path: Path, new_dataset: Callable[..., fo.Dataset], name: str
) -> None:
    entries = [annotation(id=n, category_id=1 + n % 2) for n in range(200)]
    parts = {**document(entries), **LONG[name]}
    folder = write_export(tmp_path / "export", parts)
    checked = fcm.check_export(folder)
    dataset, report = fcm.import_roboflow_coco(folder, "long texts")

    # A check merges nothing.
    imported = report.to_dict()
    imported.pop("merge")
    assert imported == checked.to_dict()
    assert report.accounted == report.annotations
    assert len(dataset) == report.usable_images == 1
    sample = dataset.first()
    assert len(sample.segmentations.polylines) == report.imported > 0
    # It can be read, changed and written again.
    sample.tags.append("seen")
    sample.save()
    dataset.info["more"] = "x" * 100_000
    dataset.save()
    dataset.reload()
    assert dataset.info["coco"]["report"]["counts"] == checked.counts()


def test_more_classes_than_a_dataset_can_list_are_refused(tmp_path: Path) -> None:
    number = 3000
    categories = [{"id": n, "name": f"{n}{'x' * 480}"} for n in range(number)]
    entries = [annotation(id=n, category_id=n) for n in range(number)]
    folder = write_export(tmp_path, document(entries, categories=categories))

    with pytest.raises(ExportError, match="3,000 classes in use"):
        fcm.check_export(folder)


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    parts = {**document([annotation()]), **LONG["info"]}
    report = fcm.check_export(write_export(tmp_path, parts))

    messages = [i.message for i in report.issues if i.code is IssueCode.INFO_TOO_LARGE]
    assert len(messages) == 1
    assert "the 'info' of its JSON is more than a dataset can hold" in messages[0]


def test_a_ragged_rle_is_drawn_exactly(
    tmp_path: Path, new_dataset: Callable[..., fo.Dataset]
) -> None:
    mask = np.random.default_rng(3).integers(0, 2, (700, 900), np.uint8)
    rle = mask_utils.encode(np.asfortranarray(mask))
    segmentation = {"size": [700, 900], "counts": rle["counts"].decode()}
    entry = annotation(segmentation=segmentation, bbox=[0, 0, 900, 700])
    parts = document([entry], images=[image_entry(width=900, height=700)])
    folder = write_export(tmp_path / "export", parts)
    write_image(folder / "a.png", size=(900, 700))
    dataset, report = fcm.import_roboflow_coco(folder, "ragged")
    fcm.compute_masks(dataset)

    sample = dataset.first()
    assert np.array_equal(sample.mask.get_mask() > 0, mask > 0)
    (line,) = sample.segmentations.polylines
    assert sum(map(len, line.points)) <= 10_000
    assert sample.detections.detections[0].bounding_box == [0, 0, 1, 1]
    assert report.counts()["outline_simplified"] == 1


def test_many_attributes_are_declared_without_a_look_through_all_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look_through = DeReference.__call__

    def counted(self: DeReference, *args: Any, **kwargs: Any) -> Any:
        looks[-1] += 1
        return look_through(self, *args, **kwargs)

    monkeypatch.setattr(DeReference, "__call__", counted)
    monkeypatch.setattr(fields, "_MANY_FIELDS", 0)
    for count in (5, 45):
        folder = tmp_path / str(count)
        attributes = {f"attribute_{n}": n for n in range(count)}
        write_image(folder / "a.png")
        write_export(folder, document([annotation(**attributes)]))
        looks.append(0)
        dataset, _ = fcm.import_roboflow_coco(folder, f"attributes {count}")
        assert f"segmentations.polylines.attribute_{count - 1}" in (
            dataset.get_field_schema(flat=True)
        )
    assert looks[1] - looks[0] < 20
