"""Where masks are kept, and when they are drawn anew."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Literal

import cv2
import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from fiftyone_cocomask import (
    MaskFileError,
    compute_masks,
    evaluate_mask_area,
    export_masks,
    load_mask_evaluation,
    refresh_mask_evaluations,
)

from .squares import (
    HEIGHT,
    LEFT,
    SMALL,
    WIDTH,
    add,
    mask_of,
    polyline,
    square_mask,
)


def test_augmented_copies_and_equal_names_never_share_a_file(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    names = [
        "a_jpg.rf.1111.jpg",
        "a_jpg.rf.2222.jpg",
        "x/same.jpg",
        "y/same.jpg",
        "y/SAME.png",
    ]
    for path in images(*names):
        add(dataset, path, polyline(LEFT, "a"))
    compute_masks(dataset)
    paths = dataset.values("mask.mask_path")
    assert len({path.lower() for path in paths}) == len(names)
    assert {Path(path).name for path in paths[:2]} == {
        "a_jpg.rf.1111.png",
        "a_jpg.rf.2222.png",
    }


def test_two_samples_of_one_image_have_masks_of_their_own(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    """As of two annotators, whose labels are samples of their own."""
    dataset = new_dataset()
    (path,) = images("a.jpg")
    for ring in (LEFT, SMALL):
        add(dataset, path, polyline(ring, "a"))
    compute_masks(dataset)
    masks = [sample.mask.get_mask() for sample in dataset]
    assert list(map(np.count_nonzero, masks)) == [150, 4]
    assert compute_masks(dataset).unchanged == 2
    assert compute_masks(dataset.skip(1)).unchanged == 1
    written = export_masks(dataset, "mask", output_dir=tmp_path / "written")
    assert (written.files, written.skipped) == (2, [])


def test_files_lie_below_the_split_and_are_read_alike_by_other_readers(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.b.jpg"), polyline(LEFT, "a"), split="train")
    compute_masks(dataset, output_dir=tmp_path / "masks")
    path = tmp_path / "masks" / "train" / "a.b.png"
    sample.reload()
    assert sample.mask.mask_path == str(path)
    expected = square_mask(5, 5, 20, 15)
    with Image.open(path) as image:
        assert image.mode == "1"
        np.testing.assert_array_equal(np.asarray(image), expected)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, expected * np.uint8(255))
    np.testing.assert_array_equal(sample.mask.get_mask(), read)


def test_files_are_those_of_the_samples_whatever_fields_a_view_has(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    # One name in two splits.
    for split, ring in (("train", LEFT), ("valid", SMALL)):
        add(dataset, *images(f"{split}/a.jpg"), polyline(ring, "a"), split=split)
    view = dataset.select_fields("segmentations")
    compute_masks(view, output_dir=tmp_path / "masks")
    files = [tmp_path / "masks" / split / "a.png" for split in ("train", "valid")]
    assert dataset.values("mask.mask_path") == list(map(str, files))
    masks = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]
    assert list(map(np.count_nonzero, masks)) == [150, 4]
    assert compute_masks(dataset, output_dir=tmp_path / "masks").unchanged == 2


def test_a_second_run_draws_only_what_changed(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    first, second = images("a.jpg", "b.jpg")
    edited = add(dataset, first, polyline(LEFT, "a"))
    add(dataset, second, polyline(LEFT, "a"))
    compute_masks(dataset)
    untouched = os.stat(dataset.last().mask.mask_path).st_mtime_ns

    edited.segmentations.polylines[0].points = polyline(SMALL, "a").points
    edited.save()
    report = compute_masks(dataset)
    assert (report.images, report.unchanged) == (2, 1)
    assert np.count_nonzero(mask_of(edited)) == 4
    assert os.stat(dataset.last().mask.mask_path).st_mtime_ns == untouched
    # Another option draws all again, a lost file only itself.
    assert compute_masks(dataset, rasterizer="opencv").unchanged == 0
    os.remove(dataset.last().mask.mask_path)
    assert compute_masks(dataset, rasterizer="opencv").unchanged == 1


@pytest.mark.parametrize("storage", ["disk", "database"])
def test_a_mask_goes_with_the_labels_that_it_was_drawn_from(
    new_dataset: Any, images: Any, storage: Literal["disk", "database"]
) -> None:
    dataset = new_dataset()
    paths = images(*(f"{name}.jpg" for name in "abcd"))
    samples = [add(dataset, path, polyline(LEFT, "a")) for path in paths]
    compute_masks(dataset, storage=storage)
    evaluate_mask_area(dataset)
    paths = dataset.values("mask.mask_path")
    for sample in samples[:3]:
        sample.reload()
        sample["segmentations"] = None
    by_hand = fo.Segmentation(mask=np.ones((HEIGHT, WIDTH), np.uint8))
    samples[1]["mask"] = by_hand
    samples[2]["segmentations"] = fo.Polylines(polylines=[])
    for sample in samples[:3]:
        sample.save()
    report = compute_masks(dataset, storage=storage)
    reasons = [(row["sample_id"], row["reason"]) for row in report.skipped]
    without = "it has no labels in 'segmentations'"
    assert reasons == [(sample.id, without) for sample in samples[:2]]
    assert (report.images, report.unchanged) == (2, 1)
    # As if all masks were drawn for the first time; what a person has drawn stays.
    found = dataset.values("mask.id")
    assert found[:2] == [None, by_hand.id]
    assert not mask_of(samples[2]).any()
    if storage == "disk":
        there = [Path(path).exists() for path in paths]
        assert there == [False, True, True, True]
    evaluate_mask_area(dataset)
    assert dataset.values("mask_area_px")[0] is None
    assert load_mask_evaluation(dataset, "mask_area").out_of_date() is None
    assert refresh_mask_evaluations(dataset) == {}


@pytest.mark.parametrize("storage", ["disk", "database"])
def test_masks_of_earlier_versions_stay_and_hide_what_tooltips_would_show(
    new_dataset: Any, images: Any, storage: Literal["disk", "database"]
) -> None:
    """The App's tooltips show a label's texts and numbers, and no dicts."""
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset, storage=storage)
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    names = ("fingerprint", "file_state")
    moved = {f"mask.drawn.{name}": f"mask.{name}" for name in names}
    dataset._sample_collection.update_many({}, {"$rename": moved})
    samples = dataset._sample_collection
    once = samples.find_one()["mask"]
    assert set(names) & set(once)
    assert not set(names) & set(once["drawn"])
    area = evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    assert area.out_of_date() is None
    assert compute_masks(dataset, storage=storage).unchanged == 1
    sample.reload()
    shown = {k for k, v in samples.find_one()["mask"].items() if type(v) in (str, int)}
    own = {"mask_path"} if storage == "disk" else set()
    assert shown == {"_cls", "foreground_px", *own}
    assert area.out_of_date() is None
    assert compute_masks(dataset, storage=storage).unchanged == 1


def test_what_others_add_to_labels_changes_no_mask(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset)
    sample.segmentations.polylines[0]["note"] = "checked"
    sample.segmentations.polylines[0].tags.append("good")
    sample.save()
    assert compute_masks(dataset).unchanged == 1


def two_drawn(new_dataset: Any, images: Any) -> tuple[Any, list[Path]]:
    """Returns a dataset of two images, and the files of their masks."""
    dataset = new_dataset()
    for path in images("a.jpg", "b.jpg"):
        add(dataset, path, polyline(LEFT, "a"))
    compute_masks(dataset)
    return dataset, [Path(path) for path in dataset.values("mask.mask_path")]


def test_no_file_is_left_where_masks_are_kept_elsewhere_from_now_on(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset, own = two_drawn(new_dataset, images)
    compute_masks(dataset.limit(1), storage="database")
    assert [path.exists() for path in own] == [False, True]
    compute_masks(dataset, output_dir=tmp_path / "masks")
    assert [path.exists() for path in own] == [False, False]
    others = [Path(path) for path in dataset.values("mask.mask_path")]
    compute_masks(dataset, storage="database")
    # Those are in a folder of the user's.
    assert [path.exists() for path in others] == [True, True]


def test_no_file_is_left_where_masks_were_stopped_on_their_way_elsewhere(
    new_dataset: Any, images: Any
) -> None:
    dataset, own = two_drawn(new_dataset, images)

    def stop(bar: Any) -> None:
        if bar.iteration:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_masks(dataset, storage="database", progress=stop)
    named = set(filter(None, dataset.values("mask.mask_path")))
    assert {str(path) for path in own if path.exists()} == named == set()


def test_masks_can_be_stored_in_the_database(new_dataset: Any, images: Any) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    report = compute_masks(dataset, storage="database")
    sample.reload()
    assert sample.mask.mask_path is None
    assert report.output_dir is None
    np.testing.assert_array_equal(sample.mask.mask > 0, square_mask(5, 5, 20, 15))
    assert compute_masks(dataset, storage="database").unchanged == 1


def test_a_foreign_file_or_mask_is_replaced_only_when_told(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    path, other = images("a.jpg", "b.jpg")
    add(dataset, path, polyline(LEFT, "a"))
    foreign = tmp_path / "masks" / "a.png"
    foreign.parent.mkdir()
    foreign.write_bytes(b"somebody's")
    mine = fo.Segmentation(mask=np.ones((HEIGHT, WIDTH), np.uint8))
    add(dataset, other, polyline(LEFT, "a"), mask=mine)

    report = compute_masks(dataset, output_dir=tmp_path / "masks")
    assert report.num_skipped == 2
    assert str(foreign) in report.skipped[0]["reason"]
    assert "not computed from labels" in report.skipped[1]["reason"]
    assert foreign.read_bytes() == b"somebody's"
    assert dataset.last().mask.mask.all()

    report = compute_masks(dataset, output_dir=tmp_path / "masks", overwrite=True)
    assert (report.images, report.num_skipped) == (2, 0)


def test_a_file_that_a_killed_run_left_is_taken_over(
    new_dataset: Any, images: Any
) -> None:
    dataset = new_dataset()
    sample = add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset)
    sample.reload()
    path = sample.mask.mask_path
    sample["mask"] = None
    sample.save()
    report = compute_masks(dataset)
    assert (report.images, report.num_skipped) == (1, 0)
    sample.reload()
    assert sample.mask.mask_path == path


def test_a_folder_without_permission_gives_one_error_and_whole_masks(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    for path, split in zip(images("a.jpg", "b.jpg"), ("x", "y"), strict=True):
        add(dataset, path, polyline(LEFT, "a"), split=split)
    folder = tmp_path / "masks"
    folder.mkdir()
    # A file where a folder has to be: also for a user whom no permission stops.
    (folder / "y").write_text("")
    with pytest.raises(MaskFileError, match="cannot be written"):
        compute_masks(dataset, output_dir=folder)
    written = [path for path in dataset.values("mask.mask_path") if path]
    assert written == [str(folder / "x" / "a.png")]
    assert np.count_nonzero(dataset.first().mask.get_mask()) == 150
    assert not list(folder.glob("**/.writing-*"))


def test_mask_files_are_as_readable_as_other_new_files(
    new_dataset: Any, images: Any, tmp_path: Path
) -> None:
    dataset = new_dataset()
    add(dataset, *images("a.jpg"), polyline(LEFT, "a"))
    compute_masks(dataset, output_dir=tmp_path / "masks")
    other = tmp_path / "other"
    other.write_text("")
    modes = {
        stat.S_IMODE(os.stat(p).st_mode) for p in (other, tmp_path / "masks/a.png")
    }
    assert len(modes) == 1
