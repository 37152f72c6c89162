"""One sample looked at closely: its numbers by hand, and what is missing.

Images are 40 x 30 pixels, so 1,200; objects are rectangles of whole pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import compute_masks, import_roboflow_coco
from fiftyone_cocomask.coco.issues import IssueCode
from fiftyone_cocomask.datasets.inspection.inspect import inspect_sample, label_field_of
from fiftyone_cocomask.datasets.inspection.issues import sample_issues
from fiftyone_cocomask.datasets.inspection.result import (
    ClassArea,
    MaskState,
    ObjectArea,
    SampleInspection,
)
from fiftyone_cocomask.datasets.label_fields import mask_fields
from fiftyone_cocomask.errors import CocoMaskError

from ..evaluations.conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline
from ..small_export import annotation, image_name, write_split
from .looking import inspect, pixels


def areas_by_class(found: SampleInspection) -> dict[str, tuple[Any, ...]]:
    return {
        area.name: (area.objects, area.px, area.visible_px, round(area.ratio, 6))
        for area in found.classes
    }


def areas_by_object(found: SampleInspection) -> dict[str, tuple[Any, ...]]:
    return {
        item.name: (item.label, item.px, item.visible_px, round(item.ratio, 6))
        for item in found.objects
    }


def test_areas_by_class_and_by_object_are_those_of_the_rectangles(
    samples: Samples,
) -> None:
    sample = samples.add(
        "a.png",
        lines=[
            polyline((0, 0, 10, 10), "wing", coco_id=7),
            polyline((5, 0, 25, 10), "wing", coco_id=8),
            polyline((30, 20, 40, 26), None),
        ],
    )
    compute_masks(samples.dataset)
    found = inspect(samples, sample)
    assert found.size == (WIDTH, HEIGHT)
    assert found.foreground_px == 250 + 60
    assert found.coverage == pytest.approx(310 / 1200)
    assert found.overlap_px == 50
    assert found.hidden == []
    # The smaller one is on top.
    assert areas_by_object(found) == {
        "8": ("wing", 200, 150, round(200 / 1200, 6)),
        "7": ("wing", 100, 100, round(100 / 1200, 6)),
        "3": ("(no label)", 60, 60, 0.05),
    }
    assert [item.name for item in found.objects] == ["8", "7", "3"]
    assert areas_by_class(found) == {
        "wing": (2, 300, 250, round(250 / 1200, 6)),
        "(no label)": (1, 60, 60, 0.05),
    }
    assert found.notes == []


def test_hidden_objects_are_those_without_a_visible_pixel(samples: Samples) -> None:
    sample = samples.add(
        "a.png",
        lines=[
            polyline((2, 2, 8, 8), "under"),
            polyline((0, 0, 10, 10), "over"),
            polyline((39, 29, 39, 29), "nothing"),
        ],
    )
    compute_masks(samples.dataset, overlap="annotation_order")
    found = inspect(samples, sample)
    assert [(item.label, item.px) for item in found.hidden] == [
        ("under", 36),
        ("nothing", 0),
    ]
    labels = samples.dataset.first().segmentations.polylines
    assert found.hidden[0].label_id == labels[0].id
    assert areas_by_class(found)["under"] == (1, 36, 0, 0.0)


def test_labels_that_have_changed_are_measured_anew_and_the_mask_is_said_to_differ(
    samples: Samples,
) -> None:
    sample = samples.add("a.png", lines=[polyline((0, 0, 10, 10), "wing")])
    compute_masks(samples.dataset)
    sample.reload()
    sample.segmentations.polylines.append(polyline((20, 20, 30, 30), "wing"))
    sample.save()
    found = inspect(samples, sample)
    assert [item.visible_px for item in found.objects] == [100, 100]
    assert found.foreground_px == 100
    assert [note for note in found.notes if "covers 100 px, the objects" in note]


def test_a_negative_image_has_an_empty_mask_and_no_objects(samples: Samples) -> None:
    sample = samples.add("a.png", mask=mask_of_boxes(), lines=[])
    found = inspect(samples, sample)
    assert found.state is MaskState.SHOWN
    assert (found.foreground_px, found.coverage) == (0, 0.0)
    assert (found.classes, found.objects, found.hidden) == ([], [], [])
    assert not pixels(found.pictures.mask).any()
    assert not pixels(found.pictures.cutout)[..., 3].any()


@pytest.mark.parametrize(
    ("breaks", "state", "says"),
    [
        ("no_mask", MaskState.NONE, "This sample has no mask in 'mask'"),
        ("no_file", MaskState.UNREADABLE, "cannot be read: No such file"),
        ("no_image", MaskState.UNREADABLE, "it is not an image"),
        ("colours", MaskState.UNREADABLE, "it must be grayscale"),
    ],
)
def test_a_missing_or_broken_mask_is_told_and_the_rest_is_shown(
    samples: Samples, breaks: str, state: MaskState, says: str
) -> None:
    lines = [polyline((0, 0, 10, 10), "wing")]
    sample = samples.add("a.png", mask=mask_of_boxes((0, 0, 10, 10)), lines=lines)
    path = Path(sample.mask.mask_path)
    if breaks == "no_mask":
        sample.mask = None
        sample.save()
    elif breaks == "no_file":
        path.unlink()
    elif breaks == "no_image":
        path.write_bytes(b"not a PNG")
    else:
        cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 9, np.uint8))
    found = inspect(samples, sample)
    assert found.state is state
    assert says in str(found.problem)
    assert found.foreground_px is None
    assert found.pictures.image is not None
    assert found.pictures.mask is None
    assert areas_by_class(found) == {"wing": (1, 100, 100, round(100 / 1200, 6))}


def test_a_missing_image_leaves_the_mask_and_the_numbers(samples: Samples) -> None:
    sample = samples.add("a.png", lines=[polyline((0, 0, 10, 10), "wing")])
    samples.dataset.compute_metadata()
    compute_masks(samples.dataset)
    Path(sample.filepath).unlink()
    found = inspect(samples, sample)
    assert np.count_nonzero(pixels(found.pictures.mask)) == 100
    assert found.pictures.image is None
    assert found.pictures.overlay is None
    assert [item.px for item in found.objects] == [100]
    assert "No such file" in found.notes[0]


def test_a_16_bit_semantic_mask_is_counted_by_class(samples: Samples) -> None:
    mask = mask_of_boxes().astype(np.uint16)
    mask[0:10, 0:10] = 300
    mask[20:25, 0:10] = 4
    mask[29, 39] = 999
    sample = samples.add("a.png", mask=mask)
    samples.dataset.mask_targets = {"mask": {300: "wing", 4: "body", 5: "leg"}}
    samples.dataset.save()
    found = inspect(samples, sample)
    assert found.classes == [
        ClassArea("wing", 300, None, None, 100, 100 / 1200),
        ClassArea("body", 4, None, None, 50, 50 / 1200),
        ClassArea("999", 999, None, None, 1, 1 / 1200),
    ]
    assert (found.label_field, found.objects) == (None, [])
    drawn = pixels(found.pictures.mask)
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 4


def test_classes_of_a_semantic_mask_and_of_its_objects_agree(samples: Samples) -> None:
    lines = [polyline((0, 0, 10, 10), "wing"), polyline((5, 0, 25, 10), "body")]
    sample = samples.add("a.png", lines=lines)
    compute_masks(samples.dataset, mode="semantic")
    compute_masks(samples.dataset, mask_field="instances", mode="instance")
    for mask_field in ("mask", "instances"):
        found = inspect(samples, sample, mask_field=mask_field)
        assert areas_by_class(found) == {
            "wing": (1, 100, 100, round(100 / 1200, 6)),
            "body": (1, 200, 150, round(150 / 1200, 6)),
        }


def test_an_rle_object_counts_the_pixels_of_its_rle(
    new_dataset: Callable[..., fo.Dataset], tmp_path: Path
) -> None:
    # Column by column: 90 of background, 12 of foreground, the rest background.
    rle = {"size": [HEIGHT, WIDTH], "counts": [90, 12, 1098]}
    export = write_split(
        tmp_path / "train",
        [image_name("a")],
        [annotation(3, 0, segmentation=rle, bbox=[3, 0, 1, 12], iscrowd=1)],
    )
    dataset, _ = import_roboflow_coco(export.parent, "rle")
    compute_masks(dataset)
    found = inspect_sample(dataset, dataset.first().id)
    assert found.objects == [
        ObjectArea(
            label_id=dataset.first().segmentations.polylines[0].id,
            name="3",
            label="wing",
            px=12,
            visible_px=12,
            ratio=0.01,
        )
    ]
    assert found.foreground_px == 12


def test_the_import_says_what_happened_to_which_annotation(
    new_dataset: Callable[..., fo.Dataset], tmp_path: Path
) -> None:
    export = write_split(
        tmp_path / "train",
        [image_name("a"), image_name("b")],
        [annotation(1, 0, segmentation=[[1, 1, 5]]), annotation(2, 1)],
    )
    dataset, report = import_roboflow_coco(export.parent, "issues")
    told = [issue for issue in report.issues if issue.annotation_id == 1]
    first, second = (inspect_sample(dataset, sample.id) for sample in dataset)
    assert second.issues == []
    assert {(issue.code, issue.annotation_id) for issue in first.issues} >= {
        (issue.code.value, 1) for issue in told if issue.severity.value != "info"
    }
    assert all(issue.message[0].isupper() for issue in first.issues)
    dataset.info = {}
    dataset.save()
    first = inspect_sample(dataset, first.sample_id)
    assert {issue.code for issue in first.issues} == set(dataset.first().import_issues)


def test_every_issue_code_has_an_explanation_where_the_report_has_none() -> None:
    codes = [code.value for code in IssueCode]
    found = sample_issues(codes, {}, None, None)
    assert sorted(issue.code for issue in found) == sorted(codes)
    for issue in found:
        assert " " in issue.message
        assert issue.message != issue.code.replace("_", " ").capitalize()
    assert [issue.severity for issue in found] == sorted(
        (issue.severity for issue in found), key=["error", "warning", "info"].index
    )


def test_boxes_without_a_mask_have_no_area_and_that_is_said(samples: Samples) -> None:
    boxes = [fo.Detection(label="wing", bounding_box=[0.1, 0.1, 0.5, 0.5])]
    sample = samples.add(
        "a.png", mask=mask_of_boxes((0, 0, 4, 4)), boxes=fo.Detections(detections=boxes)
    )
    found = inspect(samples, sample)
    assert found.label_field == "boxes"
    assert [item.px for item in found.objects] == [None]
    assert found.classes == []
    assert "1 of 1 label in 'boxes' has no outline" in found.notes[0]


def test_fields_are_found_by_what_the_masks_were_drawn_from(samples: Samples) -> None:
    lines = fo.Polylines(polylines=[polyline((0, 0, 4, 4), "wing")])
    samples.add("a.png", lines=[polyline((0, 0, 10, 10), "wing")], more=lines)
    dataset = samples.dataset
    assert mask_fields(dataset) == []
    compute_masks(dataset, "segmentations", "first")
    compute_masks(dataset, "more", "second")
    assert mask_fields(dataset) == ["first", "second"]
    assert label_field_of(dataset, "first") == "segmentations"
    assert label_field_of(dataset, "second") == "more"
    assert inspect_sample(dataset, dataset.first().id).foreground_px == 100


def test_a_dataset_without_masks_shows_the_image_and_the_objects(
    samples: Samples,
) -> None:
    sample = samples.add("a.png", lines=[polyline((0, 0, 10, 10), "wing")])
    found = inspect(samples, sample)
    assert (found.mask_field, found.state) == (None, MaskState.NO_FIELD)
    assert found.pictures.image is not None
    assert [item.px for item in found.objects] == [100]


def test_what_cannot_be_inspected_is_refused_in_a_sentence(
    samples: Samples, new_dataset: Callable[..., fo.Dataset]
) -> None:
    sample = samples.add("a.png", mask=mask_of_boxes())
    with pytest.raises(CocoMaskError, match="no Segmentation field 'masks'; it has"):
        inspect(samples, sample, mask_field="masks")
    samples.dataset.delete_samples([sample.id])
    for sample_id in (sample.id, "no id"):
        with pytest.raises(CocoMaskError, match=f"no sample {sample_id} any more"):
            inspect_sample(samples.dataset, sample_id)
    videos = new_dataset()
    video = fo.Sample(filepath="/no/such/video.mp4")
    videos.add_sample(video)
    with pytest.raises(CocoMaskError, match="of media type video; masks are of images"):
        inspect_sample(videos, video.id)


def test_images_of_every_slice_of_a_group_are_shown(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    line = polyline((0, 0, 10, 10), "wing")
    for name in ("left", "right"):
        dataset.add_sample(
            fo.Sample(
                filepath=samples.image(f"{name}.png"),
                group=group.element(name),
                segmentations=fo.Polylines(polylines=[line.copy()]),
            )
        )
    scene = fo.Sample(filepath="/no/such/video.mp4", group=group.element("video"))
    dataset.add_sample(scene)
    ids = dataset.select_group_slices(["left", "right"]).values("id")
    assert len(ids) == 2
    for sample_id in ids:
        found = inspect_sample(dataset, sample_id)
        assert [item.px for item in found.objects] == [100]
    with pytest.raises(CocoMaskError, match="open a sample that is an image"):
        inspect_sample(dataset, scene.id)
