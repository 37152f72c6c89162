"""Datasets from anywhere, and folders that an export must not touch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F
from pycocotools import mask as mask_utils

import fiftyone_cocomask as fcm

from ..small_export import write_small_export
from .exports import JSON_NAME, read_json, stop_export, write_image

MASK = np.zeros((60, 80), bool)
MASK[10:30, 20:50] = True
MASK[15:20, 25:30] = False


def sample(folder: Path, name: str, **fields: Any) -> fo.Sample:
    write_image(folder / name, 80, 60)
    return fo.Sample(filepath=str(folder / name), **fields)


@pytest.fixture
def dataset(new_dataset: Any, tmp_path: Path) -> fo.Dataset:
    """Images of one name in two folders, with the labels of a model."""
    dataset = new_dataset()
    masks = [fo.Detection.from_mask(MASK, label="ü", confidence=0.5, note=7)]
    masks[0].attributes["pose"] = fo.CategoricalAttribute(value="up")
    masks.append(fo.Detection(label="box", bounding_box=[0.25, 0.5, 0.5, 0.25]))
    lines = [
        fo.Polyline(label="cat", points=[[(0.25, 0.5), (0.5, 0.5), (0.5, 0.75)]]),
        fo.Polyline(label="cat", points=[[(0.1, 0.1), (0.9, 0.9)]]),
        fo.Polyline(label="cat", points=[[(0.1, float("nan")), (0, 1), (1, 1)]]),
        fo.Polyline(label=None, points=[[(0, 0), (0.5, 0), (0.5, 0.5)]], filled=True),
    ]
    dataset.add_samples(
        [
            sample(
                tmp_path / "one",
                "a.jpg",
                tags=["train"],
                model=fo.Detections(detections=masks),
                lines=fo.Polylines(polylines=lines),
            ),
            sample(tmp_path / "two", "a.jpg", tags=["val"]),
            sample(tmp_path / "two", "A.jpg", tags=["train", "x"]),
        ]
    )
    return dataset


def drawn(segmentation: Any) -> np.ndarray:
    if isinstance(segmentation, list):
        parts = mask_utils.frPyObjects(segmentation, 60, 80)
        return mask_utils.decode(mask_utils.merge(parts)).astype(bool)
    return mask_utils.decode(segmentation).astype(bool)


@pytest.mark.parametrize("masks", ["rle", "polygons"])
def test_instance_masks_are_written_exactly(
    dataset: fo.Dataset, tmp_path: Path, masks: Any
) -> None:
    report = fcm.export_roboflow_coco(
        dataset, tmp_path / "out", label_field="model", masks=masks
    )
    found = read_json(tmp_path / "out" / "train")
    mask, box = found["annotations"]
    assert (drawn(mask["segmentation"]) == MASK).all()
    assert isinstance(mask["segmentation"], dict if masks == "rle" else list)
    assert (mask["bbox"], mask["area"]) == ([20, 10, 30, 20], MASK.sum())
    assert (mask["score"], mask["note"], mask["iscrowd"]) == (0.5, 7, 0)
    assert mask["pose"] == "up"
    assert (box["segmentation"], box["bbox"]) == ([], [20, 30, 40, 15])
    assert box["area"] == 600
    names = {c["id"]: c["name"] for c in found["categories"]}
    assert [names[a["category_id"]] for a in (mask, box)] == ["ü", "box"]
    assert (report.added, report.num_losses) == (2, 0)
    # In whichever way, an export is the same as the dataset that it was made of.
    comparison = fcm.compare_exports(dataset, tmp_path / "out", label_field="model")
    assert comparison.is_same
    # A reader that does not name an encoding gets the same.
    assert (tmp_path / "out" / "train" / JSON_NAME).read_bytes().isascii()


def test_masks_made_of_imported_polygons_are_written_as_masks(
    new_dataset: Any, tmp_path: Path
) -> None:
    dataset, _ = fcm.import_roboflow_coco(write_small_export(tmp_path / "source"))
    for each in dataset.iter_samples(autosave=True):
        made = [
            p.to_detection(frame_size=(80, 60)) for p in each.segmentations.polylines
        ]
        for detection, polyline in zip(made, each.segmentations.polylines, strict=True):
            detection.mask = np.ones((7, 5), bool)
            detection["coco_id"] = polyline.coco_id
        each["instances"] = fo.Detections(detections=made)
    report = fcm.export_roboflow_coco(
        dataset, tmp_path / "out", label_field="instances"
    )
    kinds = {
        type(annotation["segmentation"])
        for path in (tmp_path / "out").rglob(JSON_NAME)
        for annotation in read_json(path.parent)["annotations"]
    }
    assert kinds == {dict}
    assert report.annotations == dataset.count("instances.detections")


def test_each_image_has_its_own_file_and_name(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = fcm.export_roboflow_coco(dataset, out, label_field="model")
    files = {
        f"{split}/{image['file_name']}"
        for split in ("train", "val")
        for image in read_json(out / split)["images"]
    }
    assert files == {"train/a.jpg", "train/A-2.jpg", "val/a-3.jpg"} or files == {
        "train/a.jpg",
        "train/A-3.jpg",
        "val/a-2.jpg",
    }
    originals = sorted(Path(path).read_bytes() for path in dataset.values("filepath"))
    assert sorted((out / file).read_bytes() for file in files) == originals
    assert any("'val' into train" in warning for warning in report.warnings)


def test_lines_that_enclose_nothing_are_losses(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    report = fcm.export_roboflow_coco(
        dataset, tmp_path / "out", label_field="lines", images="none"
    )
    found = read_json(tmp_path / "out" / "train")
    assert [a["segmentation"] for a in found["annotations"]] == [
        [[20, 30, 40, 30, 40, 45]],
        [[0, 0, 40, 0, 40, 30]],
    ]
    assert [c["name"] for c in found["categories"]] == ["cat", "no category"]
    reasons = [loss["reason"] for loss in report.losses]
    assert len(reasons) == 2
    assert "2 points" in reasons[0]
    assert "far outside" in reasons[1]


def test_all_slices_of_a_grouped_dataset_are_written(
    new_dataset: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    for name in ("left", "right"):
        labels = fo.Detections(
            detections=[fo.Detection.from_mask(MASK, label=x) for x in (name, "both")]
        )
        dataset.add_sample(
            sample(tmp_path / name, "a.jpg", group=group.element(name), model=labels)
        )
    dataset.add_sample(
        fo.Sample(filepath=str(tmp_path / "a.mp4"), group=group.element("film"))
    )
    filtered = dataset.filter_labels("model", F("label") == "both")
    found = {}
    for key, samples in {
        "all": dataset,
        "view": dataset.match(F("filepath").ends_with("a.jpg")),
        "one": dataset.select_group_slices("right"),
        "filtered": filtered,
    }.items():
        report = fcm.export_roboflow_coco(samples, tmp_path / key, label_field="model")
        written = read_json(tmp_path / key)
        names = {c["id"]: c["name"] for c in written["categories"]}
        found[key] = (
            [image["file_name"] for image in written["images"]],
            [names[a["category_id"]] for a in written["annotations"]],
            " ".join(w for w in report.warnings if "slice" in w.lower()),
        )
    both = ["a.jpg", "a-2.jpg"], ["left", "both", "right", "both"]
    assert found["all"][:2] == found["view"][:2] == both
    assert "'film' (video)" in found["all"][2]
    assert found["one"] == (["a.jpg"], ["right", "both"], "")
    # FiftyOne filters the labels of the active slice only.
    assert found["filtered"][:2] == (["a.jpg"], ["both"])
    assert "not right, film" in found["filtered"][2]


def test_roboflows_uploader_finds_every_annotation_in_its_split(
    new_dataset: Any, tmp_path: Path
) -> None:
    import json

    folderparser = pytest.importorskip("roboflow.util.folderparser")
    source = write_small_export(tmp_path / "source")
    dataset, _ = fcm.import_roboflow_coco(source, "uploaded")
    out = tmp_path / "out"
    report = fcm.export_roboflow_coco(dataset, out)
    assert report.warnings == []
    found = folderparser.parsefolder(str(out))["images"]
    assert len(found) == 3
    for split in ("train", "valid"):
        uploaded = [
            annotation
            for image in found
            if image["split"] == split
            for annotation in json.loads(image["annotationfile"]["rawText"])[
                "annotations"
            ]
        ]
        expected = read_json(source / split)["annotations"]
        assert sorted(uploaded, key=lambda a: a["id"]) == expected


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("label_field", "nothing", "no field 'nothing'"),
        ("images", "move", "images must be"),
        ("area", "pixels", "area must be"),
        ("masks", 3, "masks must be"),
        ("output_dir", "", "output_dir"),
    ],
)
def test_a_wrong_argument_writes_nothing(
    dataset: fo.Dataset, tmp_path: Path, option: str, value: Any, words: str
) -> None:
    arguments: dict[str, Any] = {
        "output_dir": tmp_path / "out",
        "label_field": "model",
        option: value,
    }
    with pytest.raises(fcm.CocoMaskError, match=words):
        fcm.export_roboflow_coco(dataset, **arguments)
    assert not (tmp_path / "out").exists()


def test_an_export_never_goes_into_the_folder_that_it_came_from(
    new_dataset: Any, tmp_path: Path
) -> None:
    source = write_small_export(tmp_path / "source")
    dataset, _ = fcm.import_roboflow_coco(source, "same")
    before = sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*"))
    for out in (source, source / "new", source / "train"):
        with pytest.raises(fcm.CocoMaskError, match="came from"):
            fcm.export_roboflow_coco(dataset, out, overwrite=True)
    assert sorted((p, p.stat().st_mtime_ns) for p in source.rglob("*")) == before


def test_files_that_are_there_are_kept(dataset: fo.Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "train").mkdir(parents=True)
    (out / "train" / "a.jpg").write_text("of somebody else")
    with pytest.raises(fcm.CocoMaskError, match="not empty"):
        fcm.export_roboflow_coco(dataset, out, label_field="model")
    fcm.export_roboflow_coco(dataset, out, label_field="model", overwrite=True)
    assert (out / "train" / "a.jpg").read_text() == "of somebody else"
    for image in read_json(out / "train")["images"]:
        assert cv2.imread(str(out / "train" / image["file_name"])) is not None
    before = sorted(out.rglob("*"))
    fcm.export_roboflow_coco(dataset, out, label_field="model", overwrite=True)
    assert sorted(out.rglob("*")) == before


def test_links_out_of_the_folder_are_not_followed(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (out / "train").symlink_to(outside, target_is_directory=True)
    with pytest.raises(fcm.CocoMaskError, match="link"):
        fcm.export_roboflow_coco(dataset, out, label_field="model", overwrite=True)
    assert list(outside.iterdir()) == []


def test_a_stopped_export_leaves_no_json_and_can_be_done_again(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stop_export(dataset, out, label_field="model")
    assert not list(out.rglob(".writing-*"))
    report = fcm.export_roboflow_coco(dataset, out, label_field="model")
    assert report.images == 3
    assert {path.name for path in out.iterdir()} == {"train", "val"}


def test_a_folder_that_cannot_be_written_is_one_sentence(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(fcm.CocoMaskError, match="cannot be written") as raised:
        fcm.export_roboflow_coco(
            dataset, tmp_path / "file" / "out", label_field="model"
        )
    assert "\n" not in str(raised.value)


def test_images_are_linked_where_that_is_possible(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fcm.export_roboflow_coco(
        dataset, tmp_path / "out", label_field="model", images="link"
    )
    first = dataset.first().filepath
    assert os.path.samefile(tmp_path / "out" / "train" / "a.jpg", first)


def test_a_missing_image_is_a_loss_and_its_labels_are_written(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    dataset.compute_metadata()
    first = dataset.first()
    os.unlink(first.filepath)
    report = fcm.export_roboflow_coco(dataset, tmp_path / "out", label_field="model")
    assert (report.images, report.annotations, report.num_losses) == (3, 2, 1)
    assert report.losses[0]["sample_id"] == first.id
