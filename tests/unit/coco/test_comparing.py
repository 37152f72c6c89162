"""What changed between two exports: planted edits are counted exactly."""

from __future__ import annotations

import copy
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fiftyone_cocomask as fcm
from fiftyone_cocomask.errors import CocoMaskError
from fiftyone_cocomask.geometry.boundaries import boundary_px, overlap_of
from fiftyone_cocomask.geometry.patches import Patch

WIDTH, HEIGHT = 200, 150


def box_ring(x: float, y: float, w: float = 20, h: float = 20) -> list[float]:
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def annotation(number: int, image: int, place: int, **changes: Any) -> dict[str, Any]:
    x, y = 30 * (place % 6) + 5, 30 * (place // 6) + 5
    return {
        "id": number,
        "image_id": image,
        "category_id": 1 + place % 2,
        "bbox": [x, y, 20, 20],
        "area": 400,
        "segmentation": [box_ring(x, y)],
        "iscrowd": 0,
        **changes,
    }


def document(images: int = 4, objects: int = 10) -> dict[str, Any]:
    return {
        "info": {},
        "licenses": [],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT}
            for n in range(images)
        ],
        "annotations": [
            annotation(objects * image + place, image, place)
            for image in range(images)
            for place in range(objects)
        ],
    }


def write(folder: Path, **splits: dict[str, Any]) -> Path:
    for split, content in splits.items():
        (folder / split).mkdir(parents=True)
        (folder / split / "_annotations.coco.json").write_text(json.dumps(content))
    return folder


def changed(comparison: Any) -> dict[str, int]:
    return {k: v for k, v in comparison.annotations.items() if v and k != "unchanged"}


def test_an_export_is_the_same_as_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a", train=document(), valid=document(1))
    comparison = fcm.compare_exports(path, path)
    assert comparison.is_same
    assert comparison.annotations["unchanged"] == 50
    assert comparison.images["kept"] == 5
    assert len(comparison.changes()) == 0
    assert "No changes" in comparison.summary()


def test_new_ids_and_another_order_are_not_changes(tmp_path: Path) -> None:
    old, new = document(), document()
    new["annotations"].reverse()
    for number, entry in enumerate(new["annotations"]):
        entry["id"] = 1000 + number
        # A point that closes the ring.
        entry["segmentation"][0] += entry["segmentation"][0][:2]
    comparison = fcm.compare_exports(
        write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    )
    assert comparison.is_same


def test_what_writing_rounds_is_not_a_change(tmp_path: Path) -> None:
    old = document(images=1)
    # Nine decimals are half way between two numbers of six.
    old["annotations"][0]["segmentation"][0][0] = 5.01268850003023
    new = copy.deepcopy(old)
    new["annotations"][0]["segmentation"][0][0] = 5.0126885
    paths = write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    assert fcm.compare_exports(*paths).is_same


def test_planted_edits_are_counted_exactly(tmp_path: Path) -> None:
    old, new = document(), document()
    entries = new["annotations"]
    moved = box_ring(7, 5)
    entries[0].update(segmentation=[moved], bbox=[7, 5, 20, 20])
    entries[1]["category_id"] = 1
    entries[2]["iscrowd"] = 1
    entries[3]["note"] = "checked"
    entries.append(annotation(900, 2, 20))
    del entries[9]
    new["images"].append(
        {"id": 9, "file_name": "9.jpg", "width": WIDTH, "height": HEIGHT}
    )
    entries.append(annotation(901, 9, 0))
    new["images"] = [image for image in new["images"] if image["id"] != 3]
    new["annotations"] = [entry for entry in entries if entry["image_id"] != 3]

    comparison = fcm.compare_exports(
        write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    )

    assert changed(comparison) == {
        "edited": 3,
        "relabelled": 1,
        "added": 2,
        "removed": 11,
    }
    assert comparison.annotations["unchanged"] == 40 - 3 - 1 - 11
    images = comparison.images
    assert (images["kept"], images["added"], images["removed"]) == (3, 1, 1)
    rows = comparison.changes().set_index("old_id")
    # 18 of 22 columns are in both.
    assert rows.loc[0, "iou"] == pytest.approx(18 / 22)
    assert rows.loc[0, "boundary_iou"] < rows.loc[0, "iou"]
    assert (rows.loc[1, "old_label"], rows.loc[1, "new_label"]) == ("dog", "cat")
    table = comparison.per_class().set_index("label")
    assert table.loc["dog", "relabelled"] == 1
    assert table["old"].sum() == 40
    assert table["new"].sum() == 31
    assert not comparison.is_same
    json.dumps(comparison.to_dict())


def test_images_that_move_are_recognised(tmp_path: Path) -> None:
    train, valid = document(2), document(1)
    valid["images"][0]["file_name"] = "v.jpg"
    old = write(tmp_path / "old", train=train, valid=valid)
    new_valid = copy.deepcopy(train)
    new_valid["images"] = new_valid["images"][:1]
    new_valid["annotations"] = new_valid["annotations"][:10]
    new_train = copy.deepcopy(train)
    new_train["images"] = new_train["images"][1:]
    new_train["annotations"] = new_train["annotations"][10:]
    new = write(tmp_path / "new", train=new_train, valid=new_valid)
    comparison = fcm.compare_exports(old, new)
    images = {k: v for k, v in comparison.images.items() if v}
    assert images == {"kept": 1, "moved": 1, "removed": 1}
    assert changed(comparison) == {"removed": 10}


def test_copies_with_new_tokens_are_the_same_images(tmp_path: Path) -> None:
    old, new = document(2), document(2)
    for token, content in (("a" * 32, old), ("b" * 32, new)):
        for image in content["images"]:
            image["file_name"] = f"{image['id']}_jpg.rf.{token}.jpg"
    comparison = fcm.compare_exports(
        write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    )
    assert comparison.images["renamed"] == 2
    assert changed(comparison) == {}


@pytest.mark.parametrize("folder", ["..\\..\\upload\\4\\", "/data/upload/4/", "a/"])
def test_images_are_the_same_behind_the_folders_of_another_program(
    tmp_path: Path, folder: str
) -> None:
    old = document()
    for image in old["images"]:
        image["file_name"] = folder + image["file_name"]
    comparison = fcm.compare_exports(
        write(tmp_path / "old", train=old), write(tmp_path / "new", train=document())
    )
    assert changed(comparison) == {}
    assert comparison.images["renamed"] == 4


def test_files_of_other_content_are_replaced(tmp_path: Path) -> None:
    paths = []
    for name, shade in (("old", 1), ("new", 200)):
        paths.append(write(tmp_path / name, train=document(2)))
        for number in range(2):
            picture = np.full((HEIGHT, WIDTH, 3), shade * number, np.uint8)
            cv2.imwrite(str(paths[-1] / "train" / f"{number}.jpg"), picture)
    comparison = fcm.compare_exports(*paths)
    assert comparison.images["replaced"] == 1
    assert list(comparison.image_changes()["file_name"]) == ["1.jpg"]


@pytest.mark.parametrize("planted", ["files", "pipe", 0, ["x"], {"a": 1}])
def test_an_export_cannot_say_that_its_images_are_files_elsewhere(
    tmp_path: Path, planted: Any
) -> None:
    """The keys of exports that are made of datasets mean nothing in others."""
    paths = []
    for name, shade in (("old", 1), ("new", 200)):
        secret = tmp_path / f"{name}.png"
        cv2.imwrite(str(secret), np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
        content = document(1)
        value = str(secret) if planted == "files" else planted
        if planted == "pipe":
            value = str(tmp_path / f"{name}.pipe")
            os.mkfifo(value)
        del content["images"][0]["width"]
        keys = {"fiftyone_filepath": value, "fiftyone_sample_id": value}
        content["images"][0] |= keys
        content["annotations"][0]["fiftyone_label_id"] = planted
        content["annotations"][0]["category_id"] = 1 + (name == "new")
        paths.append(write(tmp_path / name, train=content))
    comparison = fcm.compare_exports(*paths)
    assert comparison.images["replaced"] == 0
    assert changed(comparison) == {"relabelled": 1}
    [change] = comparison.to_dict()["changes"]
    assert (change["sample_id"], change["label_id"]) == (None, None)


def test_objects_that_become_a_crowd_are_matched_with_it(tmp_path: Path) -> None:
    old, new = document(1), document(1)
    crowd = annotation(
        99, 0, 0, iscrowd=1, segmentation=[box_ring(0, 0, 150, 30)],
        bbox=[0, 0, 150, 30],
    )  # fmt: skip
    new["annotations"] = [*new["annotations"][5:], crowd]
    comparison = fcm.compare_exports(
        write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    )
    assert changed(comparison) == {"into_crowd": 5}
    back = fcm.compare_exports(tmp_path / "new", tmp_path / "old")
    assert changed(back) == {"out_of_crowd": 5}


def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    old = document(images=40)
    new = copy.deepcopy(old)
    for number, item in enumerate(new["annotations"]):
        if number % 7 == 0:
            item["segmentation"][0][0] += 5
        if number % 11 == 0:
            item["category_id"] = 3 - item["category_id"]
    paths = write(tmp_path / "old", train=old), write(tmp_path / "new", train=new)
    alone, shared = (
        fcm.compare_exports(*paths, num_workers=number).to_dict() for number in (1, 2)
    )
    assert shared == alone
    # 400 / 7 and 400 / 11, rounded up; the 400 / 77 of both kinds are edited.
    counts = shared["annotations"]
    assert (counts["edited"], counts["relabelled"]) == (58, 37 - 6)
    with pytest.raises(CocoMaskError, match="num_workers"):
        fcm.compare_exports(*paths, num_workers=-1)


def test_a_wrong_source_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CocoMaskError, match="no export at"):
        fcm.compare_exports(tmp_path / "nothing", tmp_path)
    with pytest.raises(CocoMaskError, match="old must be"):
        fcm.compare_exports(3, tmp_path)


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        *(((100_000, 100_000), s) for s in (("old", "new"), ("old",), ("new",))),
        *(((10_000_000, 10_000_000), s) for s in (("old", "new"), ("old",), ("new",))),
        ((3_000_000, 100), ("old", "new")),
    ],
)
def test_a_size_that_no_image_has_costs_the_comparison_nothing(
    tmp_path: Path, size: tuple[int, int], sides: tuple[str, ...]
) -> None:
    paths = []
    for name in ("old", "new"):
        content = document(1)
        if name == "new":
            content["annotations"][0]["segmentation"][0][0] += 5
        if name in sides:
            content["images"][0].update(width=size[0], height=size[1])
        paths.append(write(tmp_path / name, train=content))
    with limited_memory(2**31):
        comparison = fcm.compare_exports(*paths)
    assert changed(comparison) == {"edited": 1}
    assert comparison.annotations["unchanged"] == 9


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Lets this process have so many bytes more than it has, and no others."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    size = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def naive_boundary(mask: np.ndarray, distance: int) -> np.ndarray:
    """Returns the pixels within a distance of the background, one by one."""
    height, width = mask.shape
    padded = np.zeros((height + 2 * distance, width + 2 * distance), bool)
    padded[distance:-distance, distance:-distance] = mask
    found = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        window = padded[y : y + 2 * distance + 1, x : x + 2 * distance + 1]
        found[y, x] = not window.all()
    return found


@settings(max_examples=40)
@given(st.data())
def test_boundary_iou_equals_a_naive_computation(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(8, 40)), data.draw(st.integers(8, 40))
    distance = data.draw(st.integers(1, 14))
    masks, patches = [], []
    for _ in range(2):
        mask = np.zeros((height, width), bool)
        for _ in range(2):
            x, y = data.draw(st.integers(0, width)), data.draw(st.integers(0, height))
            mask[y : y + data.draw(st.integers(1, 25)), x : x + 15] = True
        masks.append(mask)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if rows.size:
            window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            patches.append(Patch(int(columns[0]), int(rows[0]), mask[window]))
        else:
            patches.append(Patch(0, 0, np.zeros((0, 0), bool)))
    iou, boundary_iou = overlap_of(patches[0], patches[1], distance)
    first, second = masks
    union = (first | second).sum()
    assert iou == ((first & second).sum() / union if union else 1)
    first, second = (naive_boundary(mask, distance) for mask in masks)
    union = (first | second).sum()
    assert boundary_iou == ((first & second).sum() / union if union else 1)


def test_a_boundary_is_two_percent_of_the_diagonal() -> None:
    assert boundary_px(480, 640) == 16
    assert boundary_px(10, 10) == 1
