"""The law: an export that is imported and written back untouched is the same export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.documents import stream_documents
from tests.conftest import REPOSITORY

from ..small_export import write_small_export
from .exports import (
    JSON_NAME,
    assert_same_export,
    comparable,
    read_json,
    rle_of,
    write_cocos_own,
    write_image,
    write_json,
)

CASE_16 = REPOSITORY.parent / "shared" / "cases" / "16-export-back"


def written_back(source: Path, tmp_path: Path, **options: Any) -> tuple[Path, Any]:
    dataset, _ = fcm.import_roboflow_coco(source, source.name)
    report = fcm.export_roboflow_coco(dataset, tmp_path / "back", **options)
    return tmp_path / "back", report


def contents(dataset: Any) -> list[dict[str, Any]]:
    """Returns what samples hold but their ids, paths and times."""
    names = ["tags", "metadata", "coco_id", "coco_id_text", "split", "file_name"]
    names += ["source_name", "coco_original", "segmentations", "detections"]
    found = []
    for batch in stream_documents(dataset, names):
        for document in batch:
            for field, labels in (("segmentations", "polylines"), ("detections",) * 2):
                for label in document[field][labels]:
                    label.pop("_id")
                    label["coco_original"] = json.loads(label.get("coco_original", "0"))
            document["coco_original"] = json.loads(document.get("coco_original", "0"))
            del document["_id"]
            found.append(document)
    return found


@pytest.mark.parametrize("name", ["leaf_veins", "bacteria", "fetal_brain", "mushrooms"])
def test_real_exports_come_back_as_they_were(
    new_dataset: Any, exports: Path, tmp_path: Path, name: str
) -> None:
    back, report = written_back(exports / name, tmp_path, images="link")

    assert_same_export(back, exports / name)
    assert report.annotations == report.unchanged > 0
    assert report.edited == report.added == report.deleted == report.num_losses == 0


def test_an_export_with_categories_of_one_name_comes_back(
    new_dataset: Any, exports: Path, tmp_path: Path
) -> None:
    source = tmp_path / "butterflies"
    source.mkdir()
    shutil.copy(exports / "butterflies" / JSON_NAME, source)
    for image in read_json(source)["images"]:
        write_image(source / image["file_name"], image["width"], image["height"])
    assert_same_export(written_back(source, tmp_path)[0], source)


@pytest.mark.skipif(not CASE_16.is_dir(), reason=f"no {CASE_16}")
def test_holes_parts_crowds_and_fractions_come_back(
    new_dataset: Any, tmp_path: Path
) -> None:
    assert_same_export(written_back(CASE_16, tmp_path)[0], CASE_16)


def test_what_others_write_into_an_rle_comes_back(
    new_dataset: Any, tmp_path: Path
) -> None:
    mask = np.zeros((60, 80), np.uint8)
    mask[5:33, 10:80] = 1
    rles = [rle_of(mask, as_list=as_list) for as_list in (False, True)]
    more = {"note": "by hand", "scores": [0.5, 1], "of": {"tool": None}}
    write_image(tmp_path / "source" / "a.png", 80, 60)
    common = {"image_id": 0, "category_id": 1, "bbox": [10, 5, 70, 28], "iscrowd": 0}
    write_json(
        tmp_path / "source",
        {
            "categories": [{"id": 1, "name": "cat"}],
            "images": [{"id": 0, "file_name": "a.png", "width": 80, "height": 60}],
            "annotations": [
                {**common, "id": i, "area": 1960, "segmentation": {**more, **rle}}
                for i, rle in enumerate(rles)
            ],
        },
    )
    back, _ = written_back(tmp_path / "source", tmp_path)
    found = [a["segmentation"] for a in read_json(back)["annotations"]]
    assert found == [{**more, **rle} for rle in rles]


def test_an_rle_whose_outline_is_simplified_comes_back(
    new_dataset: Any, tmp_path: Path
) -> None:
    width, height = 200, 150
    write_image(tmp_path / "source" / "a.png", width, height)
    mask = np.zeros((height, width), np.uint8)
    # Each of 7,500 pixels by itself has four corners.
    mask[::2, ::2] = 1
    write_json(
        tmp_path / "source",
        {
            "info": {},
            "licenses": [],
            "categories": [{"id": 1, "name": "cat"}],
            "images": [{"id": 0, "file_name": "a.png", "width": 200, "height": 150}],
            "annotations": [
                {
                    "id": 0,
                    "image_id": 0,
                    "category_id": 1,
                    "bbox": [0, 0, 199, 149],
                    "area": 7500,
                    "iscrowd": 0,
                    "segmentation": rle_of(mask),
                }
            ],
        },
    )
    back, report = written_back(tmp_path / "source", tmp_path)
    assert_same_export(back, tmp_path / "source")
    assert report.unchanged == 1
    dataset = fo.load_dataset("source")
    assert dataset.first().segmentations.polylines[0].outline_iou < 1
    assert fcm.compare_exports(tmp_path / "source", dataset).is_same


@pytest.mark.parametrize("values", [(0.5, 0.75), ("high", {"a": 1}), (None, [])])
def test_an_attribute_that_is_named_as_our_own_comes_back(
    new_dataset: Any, tmp_path: Path, values: tuple[Any, Any]
) -> None:
    # Earlier versions wrote it into exports.
    noise = np.random.default_rng(0).random((150, 200)) > 0.5
    square = [[5, 5, 20, 5, 20, 15, 5, 15]]
    shapes = [(rle_of(noise), [0, 0, 200, 150]), (square, [5, 5, 15, 10])]
    common = {"image_id": 0, "category_id": 1, "iscrowd": 0, "area": 150}
    source = tmp_path / "source"
    write_image(source / "a.png", 200, 150)
    write_json(
        source,
        {
            "info": {},
            "licenses": [],
            "categories": [{"id": 1, "name": "cat"}],
            "images": [{"id": 0, "file_name": "a.png", "width": 200, "height": 150}],
            "annotations": [
                {
                    **common,
                    "id": n,
                    "segmentation": shape,
                    "bbox": box,
                    "outline_iou": v,
                }
                for n, ((shape, box), v) in enumerate(zip(shapes, values, strict=True))
            ],
        },
    )
    back, report = written_back(source, tmp_path)
    assert_same_export(back, source)
    assert report.unchanged == 2
    dataset = fo.load_dataset("source")
    noisy, plain = dataset.first().segmentations.polylines
    assert noisy.outline_iou < 1
    assert not plain.has_field("outline_iou") or plain.outline_iou is None
    assert fcm.compare_exports(source, dataset).is_same


def test_the_demo_comes_back_but_for_what_its_broken_ring_loses(
    new_dataset: Any, demo_export: Path, tmp_path: Path
) -> None:
    source = demo_export
    back, report = written_back(source, tmp_path)
    lost = {(loss["split"], loss["annotation_id"]) for loss in report.losses}
    assert len(lost) == 1

    for path in sorted(source.rglob(JSON_NAME)):
        before = comparable(json.loads(path.read_text()))
        after = comparable(json.loads((back / path.relative_to(source)).read_text()))
        for old, new in zip(before["annotations"], after["annotations"], strict=True):
            if (path.parent.name, old["id"]) in lost:
                old["segmentation"] = []
                old["bbox"] = [float(number) for number in old["bbox"]]
            assert new == old
        assert {**after, "annotations": 0} == {**before, "annotations": 0}


def test_an_export_as_coco_and_other_tools_write_it_comes_back(
    new_dataset: Any, tmp_path: Path
) -> None:
    source = write_cocos_own(tmp_path / "coco")
    back, _ = written_back(source, tmp_path)
    assert_same_export(back, source)

    again, _ = fcm.import_roboflow_coco(back, "again")
    assert contents(again) == contents(fcm.import_roboflow_coco(source, "first")[0])


@pytest.mark.parametrize("orientation", [3, 5, 6, 7, 8])
def test_annotations_of_images_that_exif_turns_are_turned_back(
    new_dataset: Any, tmp_path: Path, orientation: int
) -> None:
    folder = tmp_path / "turned" / "train"
    width, height = 80, 60
    write_image(folder / "a.jpg", width, height, orientation)
    mask = np.zeros((height, width), bool)
    mask[5:20, 10:50] = mask[30:33, 70:80] = True
    ring = [10.5, 5, 30.5, 5, 30.5, 35.25, 10.5, 35.25]
    common = {"image_id": 0, "category_id": 1, "area": 600, "iscrowd": 0}
    write_json(
        folder,
        {
            "info": {},
            "licenses": [],
            "categories": [{"id": 1, "name": "cat"}],
            "images": [{"id": 0, "file_name": "a.jpg", "width": 80, "height": 60}],
            "annotations": [
                {"id": 0, "bbox": [10.5, 5, 20, 30.25], "segmentation": [ring]}
                | common,
                {"id": 1, "bbox": [10, 5, 70, 28], "segmentation": rle_of(mask)}
                | common,
            ],
        },
    )
    back, _ = written_back(tmp_path / "turned", tmp_path)
    assert_same_export(back, tmp_path / "turned")


def test_areas_are_those_of_the_file_where_coordinates_are(
    new_dataset: Any, tmp_path: Path
) -> None:
    source = write_small_export(tmp_path / "source")
    for path in (source / "train").glob("*.jpg"):
        # The JSON says 40 x 30.
        write_image(path, 60, 45)
    dataset, _ = fcm.import_roboflow_coco(source)
    fcm.export_roboflow_coco(dataset, tmp_path / "back")
    found = read_json(tmp_path / "back" / "train")
    assert {(i["width"], i["height"]) for i in found["images"]} == {(60, 45)}
    first = found["annotations"][0]
    # Of 15 x 10 and 150 before.
    assert (first["bbox"], first["area"]) == ([7.5, 7.5, 22.5, 15], 337.5)
    (plain,) = read_json(tmp_path / "back" / "valid")["annotations"]
    assert plain["area"] == 150
    # Again, nothing is scaled any more.
    again, _ = fcm.import_roboflow_coco(tmp_path / "back")
    fcm.export_roboflow_coco(again, tmp_path / "again", images="none")
    assert read_json(tmp_path / "again" / "train") == found


NUMBERS = st.one_of(
    st.integers(0, 60), st.floats(0, 60).map(lambda x: round(x, 9)), st.just(24.5)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["_cls", "$a", "b.c", "d"]), inner)
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    ["score", "occluded", "_cls", "_id", "a.b", "$x", "label", "tags", "points", "ü"]
)


@st.composite
def exports_of_one_split(draw: st.DrawFn) -> dict[str, Any]:
    ids: list[Any] = draw(
        st.lists(st.integers(0, 10**12), min_size=3, max_size=3, unique=True)
    )
    # 0 and 0.0 are one id, and an image of an id that is taken is not imported.
    others = st.sampled_from(["text", 0.0, "-7", 2**70])
    ids.append(draw(others.filter(lambda other: other not in ids)))
    own = st.fixed_dictionaries(
        {},
        optional={
            "license": st.integers(1, 3),
            "date_captured": st.just("2024-02-30"),
            "extra": st.fixed_dictionaries(
                {"name": st.just("a.png")}, optional={"user_tags": st.just(["x"])}
            ),
        },
    )
    images = [
        {
            "id": number,
            "file_name": f"{number}.jpg",
            "width": 80,
            "height": 60,
            **draw(own),
            **draw(st.dictionaries(KEYS, VALUES, max_size=2)),
        }
        for number in ids
    ]
    lacking = draw(st.sampled_from([None, "area", "iscrowd"]))
    annotations = []
    numbers = draw(
        st.lists(
            st.integers(0, 10**12) | st.sampled_from([2**63, -(2**70), "7", "text"]),
            max_size=10,
            unique_by=str,
        )
    )
    for number in numbers:
        annotation: dict[str, Any] = {
            "id": number,
            "image_id": draw(st.sampled_from(ids)),
            "category_id": draw(st.sampled_from([0, 7, 90])),
            "iscrowd": draw(st.integers(0, 1)),
            "area": draw(st.floats(0, 4000)),
        }
        x0, y0 = draw(NUMBERS), draw(NUMBERS)
        # Numbers come back to nine decimals.
        x1, y1 = round(x0 + 1 + draw(st.integers(0, 20)), 9), round(y0 + 3.25, 9)
        annotation["bbox"] = [x0, y0, x1 - x0, y1 - y0]
        ring = [x0, y0, x1, y0, x1, y1, x0, y1]
        kind = draw(st.sampled_from(["ring", "closed", "rings", "rle", "box"]))
        mask = np.zeros((60, 80), bool)
        mask[int(y0) : int(y0) + 4, int(x0) : int(x0) + 4] = True
        shapes: dict[str, Any] = {
            "ring": [ring],
            "closed": [[*ring, x0, y0]],
            "rings": [ring, [x0, y0, x1, y0, x0, y1]],
            "box": [],
        }
        if kind == "rle":
            annotation["segmentation"] = rle_of(mask, as_list=draw(st.booleans()))
            annotation["bbox"] = [int(x0), int(y0), 4, min(4, 60 - int(y0))]
        else:
            annotation["segmentation"] = shapes[kind]
        if draw(st.booleans()):
            annotation["attributes"] = draw(st.dictionaries(KEYS, VALUES, max_size=2))
        annotation |= draw(st.dictionaries(KEYS, VALUES, max_size=2))
        annotations.append({k: v for k, v in annotation.items() if k != lacking})
    return {
        "info": draw(st.dictionaries(KEYS, VALUES, max_size=2)),
        "licenses": draw(st.lists(st.dictionaries(KEYS, VALUES), max_size=2)),
        "categories": [
            {"id": 0, "name": "root", "supercategory": "none"},
            {"id": 7, "name": "cat", "supercategory": "root"},
            {"id": 90, "name": "dog", "note": draw(VALUES)},
            {"id": 91, "name": "never used", **draw(st.dictionaries(KEYS, VALUES))},
        ],
        "images": images,
        "annotations": annotations,
        "more": draw(VALUES),
    }


# Few and large: each is imported twice.
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(exports_of_one_split())
def test_generated_exports_come_back(
    new_dataset: Any, tmp_path_factory: Any, document: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("generated")
    for image in document["images"]:
        write_image(folder / "export" / image["file_name"], 80, 60)
    source = write_json(folder / "export", document)
    dataset, _ = fcm.import_roboflow_coco(source)
    fcm.export_roboflow_coco(dataset, folder / "back", images="link")
    again, _ = fcm.import_roboflow_coco(folder / "back")
    before, after = contents(dataset), contents(again)
    dataset.delete()
    again.delete()
    assert_same_export(folder / "back", source)
    assert after == before
