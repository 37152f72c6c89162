"""Masks and cut-outs as files, and as a training set for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId
from fiftyone import ViewField as F

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.exporting.mask_values import MaskValues

from .small_export import HEIGHT, WIDTH, write_small_export


@pytest.fixture
def dataset(new_dataset: Any, tmp_path: Path) -> fo.Dataset:
    dataset, _ = fcm.import_roboflow_coco(write_small_export(tmp_path / "export"))
    fcm.compute_masks(dataset, mode="semantic")
    return dataset


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_masks_are_written_as_0_and_255_below_their_split(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    report = fcm.export_masks(dataset, "mask", tmp_path / "out")
    assert (report.files, report.skipped) == (3, [])
    names = files(tmp_path / "out")
    assert [name.split("/")[0] for name in names] == ["train", "train", "valid"]
    assert all(name.endswith("_mask.png") for name in names)
    mask = cv2.imread(str(tmp_path / "out" / names[0]), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255}
    # 15 x 10 pixels, and of the triangle what pycocotools draws outside of them.
    semantic = dataset.match({"source_name": "a.jpg"}).first().mask.get_mask()
    np.testing.assert_array_equal(mask > 0, semantic > 0)


@pytest.mark.parametrize(
    ("link", "write"),
    [
        ("train", lambda d, out: fcm.export_masks(d, "mask", out)),
        ("body", lambda d, out: fcm.export_masks(d, "mask", out, per_class=True)),
        ("body/valid", lambda d, out: fcm.export_masks(d, "mask", out, per_class=True)),
        ("train", lambda d, out: fcm.export_cutouts(d, "segmentations", out)),
        ("valid", lambda d, out: fcm.compute_masks(d, output_dir=out, overwrite=True)),
        ("train", lambda d, out: fcm.export_roboflow_coco(d, out, overwrite=True)),
    ],
)
def test_links_out_of_the_folder_are_refused_before_anything_is_written(
    dataset: fo.Dataset, tmp_path: Path, link: str, write: Callable[..., Any]
) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(elsewhere)
    before = dataset.values("mask.mask_path")
    with pytest.raises(fcm.CocoMaskError, match="is a link that leads out of"):
        write(dataset, out)
    assert list(elsewhere.iterdir()) == []
    assert dataset.values("mask.mask_path") == before
    # A folder that is a link itself is where the caller wants the files.
    (tmp_path / "linked").symlink_to(elsewhere)
    write(dataset, tmp_path / "linked")
    assert files(elsewhere)


def test_masks_can_lie_beside_their_images_and_again(dataset: fo.Dataset) -> None:
    first = fcm.export_masks(dataset, "mask", beside_images=True)
    again = fcm.export_masks(dataset, "mask", beside_images=True)
    assert (first.files, again.files) == (3, 3)
    for path in map(Path, dataset.values("filepath")):
        assert path.with_name(f"{path.stem}_mask.png").is_file()


def test_a_file_of_other_content_is_reported_and_kept(dataset: fo.Dataset) -> None:
    path = Path(dataset.first().filepath)
    foreign = path.with_name(f"{path.stem}_mask.png")
    foreign.write_bytes(b"somebody's")
    report = fcm.export_masks(dataset, "mask", beside_images=True)
    assert report.files == 2
    assert str(foreign) in report.skipped[0]["reason"]
    assert foreign.read_bytes() == b"somebody's"


def test_two_samples_never_share_a_file(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    other = Path(sample.filepath).with_suffix(".png")
    cv2.imwrite(str(other), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    dataset.add_sample(
        fo.Sample(filepath=str(other), split="train", mask=sample.mask.copy())
    )
    report = fcm.export_masks(dataset, "mask", beside_images=True)
    assert report.files == 3
    assert "another sample" in report.skipped[0]["reason"]


def test_a_view_that_hides_fields_has_the_same_files(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fcm.export_masks(dataset, "mask", tmp_path / "whole")
    fcm.export_cutouts(dataset, "mask", tmp_path / "whole")
    view = dataset.select_fields("mask")
    fcm.export_masks(view, "mask", tmp_path / "hidden")
    fcm.export_cutouts(view, "mask", tmp_path / "hidden")
    found = [
        sorted(p.relative_to(tmp_path / name) for p in (tmp_path / name).rglob("*"))
        for name in ("whole", "hidden")
    ]
    assert found[0] == found[1]
    assert any(len(path.parts) > 1 for path in found[0])


def test_cutouts_are_the_objects_on_a_transparent_background(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    report = fcm.export_cutouts(dataset, "segmentations", tmp_path / "out")
    assert report.files == 4
    names = files(tmp_path / "out")
    (body,) = (name for name in names if name.endswith("_1_body.png"))
    (wing,) = (n for n in names if n.endswith("_0_wing.png") and "a_jpg" in n)
    image = cv2.imread(str(tmp_path / "out" / wing), cv2.IMREAD_UNCHANGED)
    assert image.shape == (10, 15, 4)
    assert (image[..., 3] == 255).all()
    image = cv2.imread(str(tmp_path / "out" / body), cv2.IMREAD_UNCHANGED)
    transparent = image[..., 3] == 0
    assert transparent.any()
    assert not image[transparent].any()


def test_cutouts_of_a_mask_field_are_whole_images(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    report = fcm.export_cutouts(dataset, "mask", tmp_path / "out", crop=False)
    assert report.files == 3
    for name in files(tmp_path / "out"):
        image = cv2.imread(str(tmp_path / "out" / name), cv2.IMREAD_UNCHANGED)
        assert image.shape == (HEIGHT, WIDTH, 4)


def test_missing_masks_and_images_are_named(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    Path(sample.mask.mask_path).unlink()
    Path(dataset.last().filepath).unlink()
    masks = fcm.export_masks(dataset, "mask", tmp_path / "masks")
    assert masks.files == 2
    assert "cannot be read" in masks.skipped[0]["reason"]
    cutouts = fcm.export_cutouts(dataset, "segmentations", tmp_path / "cutouts")
    assert "image cannot be read" in cutouts.skipped[0]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_field": "segmentations"}, "no Segmentation field"),
        ({"mask_field": "nothing"}, "no Segmentation field"),
        ({"output_dir": None}, "either output_dir"),
        ({"beside_images": True}, "either output_dir"),
        ({"suffix": "/../x"}, "suffix must be"),
    ],
)
def test_a_wrong_argument_is_named(
    dataset: fo.Dataset, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    given = {"mask_field": "mask", "output_dir": tmp_path / "out", **arguments}
    with pytest.raises(fcm.CocoMaskError, match=message):
        fcm.export_masks(dataset, **given)
    assert not (tmp_path / "out").exists()


def test_masks_become_a_training_set_with_fiftyones_own_export(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    dataset.export(
        export_dir=str(tmp_path / "set"),
        dataset_type=fo.types.ImageSegmentationDirectory,
        label_field="mask",
    )
    images = sorted((tmp_path / "set" / "data").iterdir())
    assert len(images) == 3
    values = set()
    for image in images:
        mask = cv2.imread(
            str(tmp_path / "set" / "labels" / f"{image.stem}.png"), cv2.IMREAD_UNCHANGED
        )
        assert mask.shape == cv2.imread(str(image)).shape[:2]
        values |= set(np.unique(mask).tolist())
    assert values == {0, *dataset.mask_targets["mask"]}


def rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()]


def test_class_values_are_written_with_a_table(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = fcm.export_masks(dataset, "mask", out, values="class")
    assert (report.files, report.num_skipped) == (4, 0)
    table = [["value", "class"], ["1", "wing"], ["2", "body"]]
    assert rows(out / "classes.csv") == table
    for sample in dataset:
        (path,) = out.glob(f"*/{Path(sample.filepath).stem}_mask.png")
        written = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(written, sample.mask.get_mask())


def test_each_class_has_a_folder_of_binary_masks(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    fcm.export_masks(dataset, "mask", out, per_class=True)
    table = [["1", "wing", "wing"], ["2", "body", "body"]]
    assert rows(out / "classes.csv")[1:] == table
    names = [name for name in files(out) if name.endswith(".png")]
    assert [name.split("/")[:2] for name in names] == [
        ["body", "train"],
        ["wing", "train"],
        ["wing", "train"],
        ["wing", "valid"],
    ]
    written = cv2.imread(str(out / names[0]), cv2.IMREAD_UNCHANGED)
    semantic = dataset.match({"source_name": "a.jpg"}).first().mask.get_mask()
    np.testing.assert_array_equal(written, np.where(semantic == 2, 255, 0))


def test_classes_whose_names_are_one_for_a_file_system_have_folders_of_their_own() -> (
    None
):
    names = {1: "cat-3", 2: "Cat", 3: "cat", 4: "a/b", 5: "a:b"}
    folders = MaskValues("binary", True, names).folders()
    assert len({folder.casefold() for folder in folders.values()}) == 5
    assert not any("/" in folder for folder in folders.values())


def test_instance_numbers_are_written_with_their_labels(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fcm.compute_masks(dataset, mask_field="numbers", mode="instance")
    out = tmp_path / "out"
    fcm.export_masks(dataset, "numbers", out, values="instance")
    sample = dataset.match({"source_name": "a.jpg"}).first()
    table = [row for row in rows(out / "instances.csv") if "/a_jpg" in row[0]]
    labels = sample.segmentations.polylines
    assert [row[1:] for row in table] == [
        [str(n), label.label, label.id] for n, label in enumerate(labels, start=1)
    ]
    written = cv2.imread(str(out / table[0][0]), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(written, sample.numbers.get_mask())
    # Again, the table is the same; of other masks it does not replace that.
    before = (out / "instances.csv").read_bytes()
    fcm.export_masks(dataset, "numbers", out, values="instance")
    report = fcm.export_masks(
        dataset[:1], "numbers", out, suffix="_", values="instance"
    )
    assert (out / "instances.csv").read_bytes() == before
    tables = sorted(path.name for path in out.iterdir() if path.is_file())
    assert tables == ["instances-2.csv", "instances.csv"]
    assert {row[0] for row in rows(out / "instances-2.csv")[1:]} <= {
        path.relative_to(out).as_posix() for path in out.rglob("*_.png")
    }
    assert report.files == 2


def test_instance_numbers_are_not_those_of_labels_that_have_changed(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fcm.compute_masks(dataset, mask_field="numbers", mode="instance")
    several = F("segmentations.polylines").length() > 1
    sample = dataset.match(several).first()
    labels = sample.segmentations.polylines
    expected = [[str(n), x.label, x.id] for n, x in enumerate(labels, start=1)]
    # A view may filter labels, but masks were drawn from all of them.
    last = F("_id") == ObjectId(labels[-1].id)
    view = dataset.filter_labels("segmentations", last)
    fcm.export_masks(view, "numbers", tmp_path / "view", values="instance")
    found = rows(tmp_path / "view" / "instances.csv")[1:]
    assert [row[1:] for row in found] == expected
    # The first number is not the second label's.
    sample.segmentations.polylines = labels[1:]
    sample.save()
    one = dataset.select(sample.id)
    fcm.export_masks(one, "numbers", tmp_path / "edited", values="instance")
    found = rows(tmp_path / "edited" / "instances.csv")[1:]
    assert [row[1:] for row in found] == [[n, "", ""] for n, *_ in expected]


def test_values_that_a_file_cannot_hold_are_reported(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    # As of COCO's panoptic segments, whose ids have 24 bits.
    values = [[0, 70_000], [-1, 5], [0, 65_535]]
    for sample, row in zip(dataset, values, strict=True):
        sample["ids"] = fo.Segmentation(mask=np.array([row], np.int32))
        sample.save()
    report = fcm.export_masks(dataset, "ids", tmp_path / "out", values="instance")
    reasons = [skipped["reason"] for skipped in report.skipped]
    assert ["70000" in reasons[0], "-1" in reasons[1]] == [True, True]
    (written,) = (tmp_path / "out").rglob("*.png")
    assert cv2.imread(str(written), cv2.IMREAD_UNCHANGED).tolist() == [[0, 65_535]]
    assert (report.files, report.num_skipped) == (2, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"values": "instance"}, "mode 'instance'"),
        ({"values": "instance", "per_class": True}, "needs class values"),
        ({"values": "class", "beside_images": True, "output_dir": None}, "output_dir="),
    ],
)
def test_values_that_a_mask_does_not_have_are_refused(
    dataset: fo.Dataset, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(fcm.CocoMaskError, match=words):
        fcm.export_masks(dataset, "mask", **{"output_dir": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists()
