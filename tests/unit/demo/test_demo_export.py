"""The drawn export has what the demo is to show, and its outlines fit the pictures."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from fiftyone_cocomask import CocoMaskError, check_export
from fiftyone_cocomask.demo import write_demo_export
from fiftyone_cocomask.demo.curves import clip_ring
from fiftyone_cocomask.demo.scenes import SCENES, SOURCE_SIDE, outline


@pytest.fixture
def export(demo_export: Path) -> Path:
    return demo_export


@pytest.fixture(scope="module")
def splits(demo_export: Path) -> dict[str, Any]:
    return {
        path.parent.name: json.loads(path.read_text())
        for path in demo_export.glob("*/_annotations.coco.json")
    }


def test_seven_sources_have_three_copies_each_in_one_split(splits: Any) -> None:
    places: dict[str, Counter[str]] = {}
    for split, coco in splits.items():
        for image in coco["images"]:
            places.setdefault(image["extra"]["name"], Counter())[split] += 1
            assert ".rf." in image["file_name"]
    assert len(places) == 7
    assert all(list(counts.values()) == [3] for counts in places.values())
    assert set(splits) == {"train", "valid", "test"}


def test_the_root_category_has_the_name_of_a_class_and_no_annotation(
    splits: Any,
) -> None:
    for coco in splits.values():
        assert coco["categories"][0]["name"] == coco["categories"][1]["name"]
        used = {annotation["category_id"] for annotation in coco["annotations"]}
        assert 0 not in used
    train = {annotation["category_id"] for annotation in splits["train"]["annotations"]}
    assert train == {1, 2}


def test_the_report_names_the_broken_annotation_the_rle_and_the_empty_image(
    export: Path, splits: Any
) -> None:
    report = check_export(export)
    assert report.accounted == report.annotations == 38
    broken = [issue for issue in report.issues if issue.action.value == "box_only"]
    assert [issue.split for issue in broken] == ["train"]
    annotations = [a for coco in splits.values() for a in coco["annotations"]]
    rles = [a for a in annotations if isinstance(a["segmentation"], dict)]
    assert len(rles) == 1
    images = sum(len(coco["images"]) for coco in splits.values())
    with_objects = {
        (split, a["image_id"])
        for split, coco in splits.items()
        for a in coco["annotations"]
    }
    assert images - len(with_objects) == 1


def test_the_rle_has_a_hole(splits: Any) -> None:
    (rle,) = (
        a["segmentation"]
        for a in splits["train"]["annotations"]
        if isinstance(a["segmentation"], dict)
    )
    mask = mask_utils.decode(rle)
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    inner = [c for c, node in zip(contours, tree[0], strict=True) if node[3] >= 0]
    assert max(cv2.contourArea(contour) for contour in inner) > 500


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_outlines_are_those_of_what_is_painted(scene: Any) -> None:
    for insect in scene.insects:
        painted = insect.silhouette(SOURCE_SIDE, SOURCE_SIDE) > 127
        ring = outline(insect)
        assert 40 <= len(ring) <= 200
        rle = mask_utils.frPyObjects([ring.ravel()], SOURCE_SIDE, SOURCE_SIDE)
        drawn = mask_utils.decode(rle)[..., 0] > 0
        shared = np.count_nonzero(painted & drawn)
        assert shared / np.count_nonzero(painted | drawn) > 0.95


def test_copies_show_the_insect_inside_its_outline(export: Path, splits: Any) -> None:
    image = splits["train"]["images"][0]
    ring = splits["train"]["annotations"][0]["segmentation"][0]
    picture = cv2.imread(str(export / "train" / image["file_name"])).astype(float)
    rle = mask_utils.frPyObjects([ring], 640, 640)
    inside = mask_utils.decode(rle)[..., 0] > 0
    # An orange insect in green grass: red over green inside, green over red outside.
    red_over_green = picture[..., 2] - picture[..., 1]
    assert np.mean(red_over_green[inside] > 0) > 0.95
    assert np.mean(red_over_green[~inside] < 0) > 0.97


def test_the_same_seed_draws_the_same_and_replaces_what_was_there(
    export: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(export, folder)
    (folder / "train" / "_annotations.coco.json").unlink()
    (folder / "old.txt").write_text("")
    write_demo_export(folder)
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert files == {p.relative_to(export) for p in export.rglob("*") if p.is_file()}
    for path in files:
        assert (folder / path).read_bytes() == (export / path).read_bytes()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "pictures" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    for folder in (mine.parent, mine):
        with pytest.raises(CocoMaskError, match="give another folder"):
            write_demo_export(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["pictures", "mine.txt"]


@pytest.mark.parametrize(
    ("ring", "area"),
    [
        ([(2, 2), (8, 2), (8, 8), (2, 8)], 36),
        ([(-5, 2), (5, 2), (5, 8), (-5, 8)], 30),
        ([(-5, -5), (15, -5), (15, 15), (-5, 15)], 100),
        ([(20, 20), (30, 20), (30, 30)], 0),
        ([(5, -5), (15, 5), (5, 15), (-5, 5)], 100),
    ],
)
def test_rings_are_clipped_to_the_image(
    ring: list[tuple[float, float]], area: float
) -> None:
    clipped = clip_ring(np.array(ring, float), 10, 10)
    found = cv2.contourArea(clipped.astype(np.float32)) if len(clipped) else 0
    assert found == pytest.approx(area)
