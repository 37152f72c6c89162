"""What masks are never written over: images, and what somebody saved meanwhile."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    export_cutouts,
    export_masks,
    find_mask_issues,
    import_roboflow_coco,
)
from fiftyone_cocomask.datasets.masks import compute
from fiftyone_cocomask.datasets.masks.options import MaskOptions
from fiftyone_cocomask.datasets.masks.plan import plan_masks

from .squares import HEIGHT, LEFT, RIGHT, WIDTH, add, mask_of, polyline, square_mask


@pytest.mark.parametrize("overwrite", [False, True])
def test_no_mask_replaces_an_image(
    new_dataset: Any, images: Any, tmp_path: Path, overwrite: bool
) -> None:
    dataset = new_dataset()
    path, other = images("train/a.png", "train/b.jpg")
    add(dataset, path, polyline(LEFT, "a"), split="train")
    add(dataset, other, polyline(LEFT, "a"), split="train")
    # Another way to the same file, and a picture that is not a sample's.
    (tmp_path / "link").symlink_to(tmp_path / "images", target_is_directory=True)
    (tmp_path / "images/train/b.png").write_bytes(Path(path).read_bytes())
    before = Path(path).read_bytes()
    for folder in ("images", "link"):
        report = compute_masks(
            dataset, output_dir=tmp_path / folder, overwrite=overwrite
        )
        reasons = [item["reason"] for item in report.skipped]
        assert "is the image of a sample" in reasons[0]
        assert "is a picture and not a mask" in reasons[1]
    assert Path(path).read_bytes() == before
    assert (tmp_path / "images/train/b.png").read_bytes() == before


def test_no_mask_replaces_an_image_of_another_dataset(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    path, of_other = images("photos/a.png", "gray/a.png")
    # Nothing but the other dataset tells that it is not a mask.
    cv2.imwrite(of_other, np.full((HEIGHT, WIDTH), 255, np.uint8))
    before = Path(of_other).read_bytes()
    dataset, other = new_dataset("masked"), new_dataset("other")
    add(dataset, path, polyline(LEFT, "a"))
    add(other, of_other)
    (tmp_path / "link").symlink_to(Path(of_other).parent, target_is_directory=True)
    for folder in (Path(of_other).parent, tmp_path / "link"):
        report = compute_masks(dataset, output_dir=folder, overwrite=True)
        assert "is the image of a sample" in report.skipped[0]["reason"]
    assert Path(of_other).read_bytes() == before


def test_no_export_replaces_an_image(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    (path,) = images("a.png")
    add(dataset, path, polyline(LEFT, "a"))
    compute_masks(dataset)
    before = Path(path).read_bytes()
    reports = [
        export_masks(dataset, "mask", beside_images=True, suffix=""),
        export_cutouts(dataset, "mask", Path(path).parent),
    ]
    assert [report.files for report in reports] == [0, 0]
    assert Path(path).read_bytes() == before


def test_a_new_version_gets_its_masks(new_dataset: Any, cases: Path) -> None:
    versions = cases / "28-new-version-replaces"
    dataset, _ = import_roboflow_coco(versions / "v1", "case28")
    assert compute_masks(dataset).num_skipped == 0
    import_roboflow_coco(versions / "v2", dataset, if_exists="replace")
    report = compute_masks(dataset)
    assert (report.images, report.num_skipped) == (2, 0)
    dataset.delete()
    dataset, _ = import_roboflow_coco(versions / "v1", "case28")
    report = compute_masks(dataset)
    assert (report.images, report.num_skipped) == (2, 0)


def test_datasets_of_one_name_never_share_a_file(new_dataset: Any, images: Any) -> None:
    first = new_dataset("twice")
    sample = add(first, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(first)
    first.name = "renamed"
    second = new_dataset("twice")
    add(second, *images("a.jpg"), polyline(RIGHT, "a"))
    compute_masks(second)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


@pytest.mark.parametrize("content", [b"", b"cut", None])
def test_a_file_that_is_not_the_mask_any_more_is_drawn_again(
    new_dataset: Any, images: Any, content: bytes | None
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset)
    sample.reload()
    path = Path(sample.mask.mask_path)
    if content is None:
        cv2.imwrite(str(path), np.zeros((HEIGHT, WIDTH), np.uint8))
    else:
        path.write_bytes(content)
    assert compute_masks(dataset).unchanged == 0
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))
    left = path.with_name(".writing-0123456789abcdef")
    left.write_bytes(b"of a run that was killed long ago")
    os.utime(left, (0, 0))
    assert compute_masks(dataset).unchanged == 1
    assert not left.exists()


def _meanwhile(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Changes something after masks were drawn and before they are saved."""
    save = compute._save

    def changed_first(*arguments: Any) -> None:
        monkeypatch.setattr(compute, "_save", save)
        change()
        save(*arguments)

    monkeypatch.setattr(compute, "_save", changed_first)


@pytest.mark.parametrize("has_mask", [False, True])
def test_a_mask_that_a_person_saves_meanwhile_stays(
    new_dataset: Any, images: Any, monkeypatch: pytest.MonkeyPatch, has_mask: bool
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    if has_mask:
        compute_masks(dataset)
        sample.segmentations.polylines[0].points = polyline(RIGHT, "a").points
        sample.save()
    else:
        dataset.add_sample_field(
            "mask", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation
        )

    def person() -> None:
        sample.reload()
        sample["mask"] = fo.Segmentation(mask=np.full((HEIGHT, WIDTH), 7, np.uint8))
        sample.save()

    _meanwhile(monkeypatch, person)
    report = compute_masks(dataset)
    assert report.num_skipped == 1
    assert "somebody else saved its mask" in report.skipped[0]["reason"]
    assert (mask_of(sample) == 7).all()


def test_two_runs_with_other_options_do_not_mix(
    new_dataset: Any, images: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = new_dataset()
    monkeypatch.setattr(compute, "BATCH_OF_ONE", 1)
    for path in images("a.jpg", "b.jpg", "c.jpg"):
        add(dataset, path, polyline(LEFT, "a"), polyline(RIGHT, "b"))

    def with_other_options() -> None:
        said = "another computation of masks in 'mask' going on, of process"
        with pytest.raises(CocoMaskError, match=said):
            compute_masks(dataset, mode="instance")

    _meanwhile(monkeypatch, with_other_options)
    compute_masks(dataset)
    for sample in dataset:
        assert set(np.unique(sample.mask.get_mask())) == {0, 255}

    def declared_by_a_delegated_run() -> None:
        field = dataset.get_field("mask")
        made = {**field.info["cocomask"], "mode": "instance"}
        field.info = {"cocomask": made}
        field.save()

    _meanwhile(monkeypatch, declared_by_a_delegated_run)
    with pytest.raises(CocoMaskError, match="with other options by somebody else"):
        compute_masks(dataset, overwrite=True)
    compute_masks(dataset, mode="instance")
    for sample in dataset:
        assert set(np.unique(sample.mask.get_mask())) == {0, 1, 2}


def test_something_in_the_way_of_one_mask_costs_that_mask(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    for path in images("a.jpg", "b.jpg"):
        add(dataset, path, polyline(LEFT, "a"))
    (tmp_path / "masks/a.png").mkdir(parents=True)
    report = compute_masks(dataset, output_dir=tmp_path / "masks", overwrite=True)
    assert (report.images, report.num_skipped) == (1, 1)
    assert "a.png" in report.skipped[0]["reason"]
    export = export_masks(dataset, "mask", tmp_path / "masks", suffix="")
    assert (export.files, export.num_skipped) == (1, 1)


def test_names_that_are_too_long_together_cost_their_cutout(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    add(dataset, *images("n" * 200 + ".jpg"), polyline(LEFT, "c" * 200))
    compute_masks(dataset)
    assert export_cutouts(dataset, "segmentations", tmp_path / "cut").files == 1
    report = export_masks(dataset, "mask", tmp_path / "long", suffix="s" * 200)
    assert (report.files, report.num_skipped) == (0, 1)


def test_views_of_copies_are_refused(new_dataset: Any, cases: Path) -> None:
    dataset, _ = import_roboflow_coco(cases / "37-generated-views", "case37")
    compute_masks(dataset)
    patches = dataset.to_patches("detections")
    for function, arguments in (
        (compute_masks, ("detections",)),
        (export_masks, ("mask", "/nowhere")),
        (export_cutouts, ("detections", "/nowhere")),
    ):
        with pytest.raises(CocoMaskError, match="holds copies of samples"):
            function(patches, *arguments)
    assert not patches.has_field("mask") or patches.count("mask") == 0


def test_a_view_chooses_samples_and_never_labels(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"), polyline(RIGHT, "b"))
    whole = square_mask(5, 5, 20, 15) | square_mask(15, 5, 30, 15)
    view = dataset.filter_labels("segmentations", fo.ViewField("label") == "a")
    dataset.save_view("only a", view)
    saved = dataset.load_saved_view("only a")
    assert compute_masks(saved).objects == 2
    np.testing.assert_array_equal(mask_of(sample) > 0, whole)
    assert compute_masks(saved, classes=["a"]).objects == 1
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


@pytest.mark.parametrize("argument", ["classes", "overlap"])
def test_a_mistyped_class_is_refused_with_the_list(
    new_dataset: Any, images: Any, argument: str
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "wing"), polyline(RIGHT, "body"))
    given: Any = {argument: ["wing", "wnig"]}
    with pytest.raises(CocoMaskError, match="'wnig'; 'segmentations' has body, wing"):
        compute_masks(dataset, **given)
    assert not dataset.has_field("mask")


def test_boxes_without_a_mask_are_said_drawn_or_refused(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    box = [5 / WIDTH, 5 / HEIGHT, 15 / WIDTH, 10 / HEIGHT]
    detections = [fo.Detection(label="a", bounding_box=box)]
    sample = fo.Sample(
        filepath=images("a.jpg")[0], objects=fo.Detections(detections=detections)
    )
    dataset.add_sample(sample)
    with pytest.raises(CocoMaskError, match="Boxes without a shape: 1"):
        compute_masks(dataset, "objects", boxes="error")
    report = compute_masks(dataset, "objects")
    assert (report.objects, report.boxes) == (0, 1)
    assert "Boxes without a shape: 1" in report.summary()
    report = compute_masks(dataset, "objects", boxes="draw")
    assert (report.objects, report.boxes) == (1, 0)
    np.testing.assert_array_equal(mask_of(sample) > 0, square_mask(5, 5, 20, 15))


def test_evaluations_and_searches_through_a_filtered_view_take_all_labels(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    tiny = polyline([(1, 1), (2, 1), (2, 2), (1, 2)], "b")
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"), tiny)
    compute_masks(dataset)
    view = dataset.filter_labels("segmentations", fo.ViewField("label") == "a")
    dataset.save_view("only a", view)
    saved = dataset.load_saved_view("only a")
    evaluate_mask_area(saved, label_field="segmentations", eval_key="area")
    sample.reload()
    assert sample["area_px"] == 151
    areas = [line["area_px"] for line in sample.segmentations.polylines]
    assert areas == [150, 1]
    report = find_mask_issues(saved)
    assert (report.labels, report.counts["tiny"]) == (2, 1)


def test_a_mask_that_is_not_an_array_and_an_image_that_is_too_large_cost_their_file(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    for path in images("a.jpg", "b.jpg"):
        add(dataset, path, polyline(LEFT, "a"))
    compute_masks(dataset, storage="database")
    collection = fo.core.odm.get_db_conn()[dataset._sample_collection_name]
    collection.update_one({}, {"$set": {"mask.mask": b"not an array"}})
    report = export_masks(dataset, "mask", tmp_path / "masks")
    assert (report.files, report.num_skipped) == (1, 1)
    assert "is not an array" in report.skipped[0]["reason"]
    assert evaluate_mask_area(dataset).summary()["images"] == 1

    header = (b"\x89PNG\r\n\x1a\n", 13, b"IHDR", 65535, 65535, 8, 2, 0, 0, 0)
    huge = struct.pack(">8sI4sII5BI", *header, 0)
    crc = struct.pack(">I", zlib.crc32(huge[12:29]))
    Path(dataset.values("filepath")[0]).write_bytes(huge[:29] + crc + bytes(100))
    report = export_cutouts(dataset, "segmentations", tmp_path / "cut")
    assert (report.files, report.num_skipped) == (1, 1)
    assert "its image cannot be read" in report.skipped[0]["reason"]


def test_other_masks_begin_once_the_tasks_at_work_are_done(
    new_dataset: Any, images: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fiftyone_cocomask.datasets.locks._WAITS_S", 0)
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"), polyline(RIGHT, "b"))
    binary, instances = (
        plan_masks(dataset, "segmentations", "mask", MaskOptions.asked(mode=mode))
        for mode in ("binary", "instance")
    )
    said = []

    def disturb(bar: Any) -> None:
        for act in (
            lambda: compute.begin_tasks(dataset, instances),
            lambda: compute_masks(dataset, mode="instance"),
        ):
            with pytest.raises(CocoMaskError) as raised:
                act()
            said.append(str(raised.value))

    compute.begin_tasks(dataset, binary)
    compute.draw_part(dataset, binary, 1, disturb)
    assert len(said) >= 2
    assert all("another computation of masks in 'mask' going on" in s for s in said)
    assert set(np.unique(mask_of(sample))) == {0, 255}
    compute.begin_tasks(dataset, instances)
    with pytest.raises(CocoMaskError, match="other options"):
        compute.draw_part(dataset, binary, 1, None)
    compute.draw_part(dataset, instances, 1, None)
    assert set(np.unique(mask_of(sample))) == {0, 1, 2}
