"""RLE annotations: masks that are the geometry themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco import annotations as reading_annotations
from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    HEIGHT,
    WIDTH,
    annotation,
    document,
    image_entry,
    mask_of,
    pixels,
    read,
    read_annotation,
    write_export,
    write_image,
)

# 30 x 20 pixels from column 10 and row 10 on, with a hole of 10 x 10.
RECTANGLE = np.zeros((HEIGHT, WIDTH), np.uint8)
RECTANGLE[10:30, 10:40] = 1
RING_WITH_HOLE = RECTANGLE.copy()
RING_WITH_HOLE[15:25, 20:30] = 0


def compressed(mask: np.ndarray) -> dict[str, Any]:
    rle = mask_utils.encode(np.asfortranarray(mask))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode()}


def uncompressed(mask: np.ndarray) -> dict[str, Any]:
    """Run lengths column by column, background first, counted one by one."""
    counts = [0]
    current = 0
    for value in mask.T.ravel().tolist():
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


@pytest.mark.parametrize("form", [compressed, uncompressed])
@pytest.mark.parametrize("iscrowd", [0, 1])
def test_rle_is_kept_with_its_holes(tmp_path: Path, form: Any, iscrowd: int) -> None:
    found = read_annotation(
        tmp_path, segmentation=form(RING_WITH_HOLE), iscrowd=iscrowd, area=500
    )

    assert found.annotation.rings == []
    assert found.annotation.rle == compressed(RING_WITH_HOLE)
    assert pixels(found.annotation) == 600 - 100
    assert found.annotation.iscrowd == iscrowd
    assert found.annotation.box == (10, 10, 30, 20)
    crowd = {(IssueCode.CROWD, Action.KEPT)} if iscrowd else set()
    assert found.actions() == crowd


def test_box_of_an_rle_is_taken_from_its_pixels(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=compressed(RECTANGLE), bbox=None)

    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.BOX_MISSING, Action.REPAIRED)}


BROKEN_RLES = {
    "counts cut off": {
        **compressed(RECTANGLE),
        "counts": compressed(RECTANGLE)["counts"][:-1],
    },
    "counts cut off in a number": {"size": [HEIGHT, WIDTH], "counts": "P"},
    "counts of another size": {**compressed(RECTANGLE), "size": [HEIGHT, WIDTH + 1]},
    "too many": {"size": [HEIGHT, WIDTH], "counts": [0, 8001]},
    "too few": {"size": [HEIGHT, WIDTH], "counts": [10, 20]},
    "negative": {"size": [HEIGHT, WIDTH], "counts": [9000, -1000]},
    "terabytes of counts": {"size": [HEIGHT, WIDTH], "counts": [10**13]},
    "terabytes of size": {"size": [10**7, 10**7], "counts": [10**14]},
    "fractions": {"size": [HEIGHT, WIDTH], "counts": [4000.5, 3999.5]},
    "text in counts": {"size": [HEIGHT, WIDTH], "counts": ["4000", "4000"]},
    "true in counts": {"size": [HEIGHT, WIDTH], "counts": [True, 7999]},
    "null counts": {"size": [HEIGHT, WIDTH], "counts": None},
    "no counts": {"size": [HEIGHT, WIDTH]},
    "no size": {"counts": [8000]},
    "size of three": {"size": [HEIGHT, WIDTH, 1], "counts": [8000]},
    "size of text": {"size": ["80", "100"], "counts": [8000]},
    "negative size": {"size": [-HEIGHT, -WIDTH], "counts": [8000]},
    "size of nothing": {"size": [0, 0], "counts": []},
    "signs outside the alphabet": {"size": [HEIGHT, WIDTH], "counts": "\u00e9\x01 ~"},
    "empty": {},
}


@pytest.mark.parametrize("name", BROKEN_RLES)
def test_broken_rle_leaves_a_box(tmp_path: Path, name: str) -> None:
    found = read_annotation(tmp_path, segmentation=BROKEN_RLES[name])

    assert found.annotation.rle is None
    assert found.annotation.rings == []
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.RLE_INVALID, Action.BOX_ONLY)}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400"])
def test_rle_of_what_are_not_numbers_leaves_a_box(tmp_path: Path, number: str) -> None:
    rle = {"size": [HEIGHT, WIDTH], "counts": ["?"]}
    text = json.dumps(document([annotation(segmentation=rle)]))
    found = read(write_export(tmp_path, text.replace('"?"', number)))

    assert found.actions() == {(IssueCode.RLE_INVALID, Action.BOX_ONLY)}


def test_rle_of_another_size_than_the_image_leaves_a_box(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=compressed(RECTANGLE[:, :90]))

    assert found.annotation.rle is None
    assert found.actions() == {(IssueCode.RLE_SIZE_DIFFERS, Action.BOX_ONLY)}


def test_rle_of_half_the_size_is_scaled(tmp_path: Path) -> None:
    found = read_annotation(tmp_path, segmentation=compressed(RECTANGLE[::2, ::2]))

    # Each pixel becomes 2 x 2.
    assert np.array_equal(mask_of(found.annotation), RECTANGLE)
    assert found.annotation.box == (10, 10, 30, 20)
    assert found.actions() == {(IssueCode.RLE_RESIZED, Action.REPAIRED)}


def test_rle_is_scaled_with_its_image(tmp_path: Path) -> None:
    parts = document([annotation(segmentation=compressed(RECTANGLE))])
    folder = write_export(tmp_path, parts)
    write_image(folder / "a.png", size=(2 * WIDTH, 2 * HEIGHT))
    found = read(folder)

    mask = mask_of(found.annotation)
    assert np.array_equal(mask, RECTANGLE.repeat(2, axis=0).repeat(2, axis=1))
    assert found.annotation.box == (20, 20, 60, 40)
    assert found.actions() == {(IssueCode.IMAGE_RESIZED, Action.REPAIRED)}


def test_rle_of_the_files_size_is_kept_where_the_json_says_another(
    tmp_path: Path,
) -> None:
    parts = document(
        [annotation(segmentation=compressed(RECTANGLE), bbox=[5, 5, 15, 10])],
        images=[image_entry(width=WIDTH // 2, height=HEIGHT // 2)],
    )
    found = read(write_export(tmp_path, parts))

    assert np.array_equal(mask_of(found.annotation), RECTANGLE)
    assert found.annotation.box == (10, 10, 30, 20)


def test_rle_without_foreground_is_kept(tmp_path: Path) -> None:
    found = read_annotation(
        tmp_path, segmentation={"size": [80, 100], "counts": [8000]}
    )

    assert found.annotation.rle is not None
    assert pixels(found.annotation) == 0
    assert found.actions() == {(IssueCode.ZERO_AREA, Action.KEPT)}


def ragged(height: int, width: int) -> np.ndarray:
    """A mask of noise in blocks of 1 x 2 pixels: an RLE of many short runs."""
    rng = np.random.default_rng(7)
    mask: np.ndarray = rng.integers(0, 2, (height // 2, width), np.uint8)
    return mask.repeat(2, axis=0)


def test_large_rle_is_kept_exactly_with_an_outline_that_fits(tmp_path: Path) -> None:
    mask = ragged(1200, 1000)
    rle = compressed(mask)
    assert len(rle["counts"]) > 300_000
    entry = annotation(segmentation=rle, bbox=[0, 0, 1000, 1200])
    whole_image = compressed(np.ones_like(mask))
    small = annotation(id=2, segmentation=whole_image, bbox=entry["bbox"])
    images = [image_entry(width=1000, height=1200)]
    folder = write_export(tmp_path, document([entry, small], images=images))
    write_image(folder / "a.png", size=(1000, 1200))
    found = read(folder)

    large, whole = found.record.annotations
    assert np.array_equal(mask_of(large), mask)
    assert large.box == (0, 0, 1000, 1200)
    assert large.outline is not None
    assert 4 <= sum(map(len, large.outline.rings)) <= 10_000
    assert found.issue(IssueCode.OUTLINE_SIMPLIFIED).annotation_id == 1
    assert found.report.dropped == 0
    assert whole.issues == []


def test_rles_that_are_too_many_keep_their_boxes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_annotations, "MAX_STORED_BYTES", 200_000)
    mask = ragged(500, 500)
    mask[0] = mask[:, 0] = mask[:, -1] = mask[-1] = 1
    counts = compressed(mask)["counts"]
    assert 50_000 < len(counts) < 66_000
    entries = [
        annotation(id=number, segmentation=compressed(mask), bbox=[0, 0, 500, 500])
        for number in range(5)
    ]
    images = [image_entry(width=500, height=500)]
    folder = write_export(tmp_path, document(entries, images=images))
    write_image(folder / "a.png", size=(500, 500))
    found = read(folder)

    kept = found.record.annotations
    assert {a.coco_id: (a.rle is not None, a.box) for a in kept} == {
        number: (number < 3, (0, 0, 500, 500)) for number in range(5)
    }
    assert len(found.issues(IssueCode.IMAGE_FULL)) == 2


def test_large_noise_takes_no_time_to_be_outlined(tmp_path: Path) -> None:
    rle = compressed(ragged(3000, 3000))
    assert len(rle["counts"]) > 2_000_000
    entry = annotation(segmentation=rle, bbox=[0, 0, 3000, 3000])
    images = [image_entry(width=3000, height=3000)]
    folder = write_export(tmp_path, document([entry], images=images))
    write_image(folder / "a.png", size=(3000, 3000))
    found = read(folder)

    assert found.annotation.rle == rle
    outline = found.annotation.outline
    assert outline is not None
    points = np.concatenate(outline.rings)
    assert 4 <= len(points) <= 10_000
    assert points.min() >= 0
    assert points.max() <= 3000
