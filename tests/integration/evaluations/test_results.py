"""What results say beyond totals: objects, stated areas, and splits."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
)
from fiftyone_cocomask.datasets.evaluations import AreaResults, CoverageResults

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

BOX, SMALL = (5, 5, 20, 15), (6, 6, 8, 8)


def triangle(label: str, side: int, **kwargs: object) -> fo.Polyline:
    """Covers half of its box: `side` ** 2 / 2 pixels, up to its diagonal."""
    ring = [(5, 5), (5 + side, 5), (5, 5 + side)]
    points = [(x / WIDTH, y / HEIGHT) for x, y in ring]
    return fo.Polyline(label=label, points=[points], closed=True, filled=True, **kwargs)


def area_of(samples: Samples) -> AreaResults:
    compute_masks(samples.dataset)
    return evaluate_mask_area(
        samples.dataset, label_field="segmentations", eval_key="area"
    )


def coverage_of(samples: Samples) -> CoverageResults:
    return evaluate_mask_coverage(samples.dataset, eval_key="coverage")


def test_each_object_has_a_row_with_its_share_of_the_image(samples: Samples) -> None:
    samples.add(
        "a.jpg", lines=[polyline(BOX, "a"), polyline(SMALL, "b")], tags=["test"]
    )
    samples.add("b.jpg", lines=[])
    table = area_of(samples).per_object()
    assert table["class"].tolist() == ["a", "b"]
    assert table["area_px"].tolist() == [150, 4]
    assert table["visible_px"].tolist() == [146, 4]
    assert table["share_of_image"].tolist() == [150 / 1200, 4 / 1200]
    assert table["split"].tolist() == ["test", "test"]


def test_classes_say_how_many_labels_are_small_hidden_or_empty(
    samples: Samples,
) -> None:
    sliver = fo.Polyline(
        label="a",
        points=[[(5.1 / WIDTH, 0.2), (5.3 / WIDTH, 0.2), (5.1 / WIDTH, 0.201)]],
        closed=True,
        filled=True,
    )
    samples.add("a.jpg", lines=[polyline(BOX, "a"), polyline(BOX, "a"), sliver])
    (row,) = area_of(samples).per_class().to_dict("records")
    assert {k: row[k] for k in ("objects", "images", "hidden", "empty", "small")} == {
        "objects": 3,
        "images": 1,
        "hidden": 1,
        "empty": 1,
        "small": 3,
    }
    assert (row["min_area_px"], row["max_area_px"], row["area_px"]) == (0, 150, 300)
    assert row["mean_area_px_over_objects"] == 100


def test_stated_areas_of_boxes_are_called_so(samples: Samples) -> None:
    lines = [triangle("a", 20, annotated_area=400.0) for _ in range(3)]
    samples.add("a.jpg", lines=[*lines, triangle("a", 20)])
    area = area_of(samples)
    found = area.annotated_areas()
    pixels = area.per_object()["area_px"].iloc[0]
    assert pixels == pytest.approx(200, abs=10)
    assert (found["objects"], found["of_box"], found["of_mask"]) == (3, 3, 0)
    assert found["stated_px"] == 1200
    assert found["mask_px"] == 3 * pixels
    assert found["difference_percent"] == pytest.approx(100 * (400 / pixels - 1))
    assert "3 of 3 stated areas are those of the objects' boxes" in found["text"]


def test_stated_areas_of_masks_are_called_so(samples: Samples) -> None:
    samples.add("a.jpg", lines=[triangle("a", 20, annotated_area=200.0)])
    found = area_of(samples).annotated_areas()
    assert (found["of_box"], found["of_mask"]) == (0, 1)
    assert "1 of 1 stated area is that of a mask" in found["text"]


def test_stated_areas_of_rectangles_tell_nothing(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(BOX, "a", annotated_area=150.0)])
    samples.add("b.jpg", lines=[polyline(BOX, "a")])
    found = area_of(samples).annotated_areas()
    assert (found["objects"], found["undecided"]) == (1, 1)
    assert "cannot be told" in found["text"]


def test_stated_areas_that_change_the_size_bucket_are_counted(
    samples: Samples,
) -> None:
    # Nobody's mask here has 32^2 pixels; the first states more.
    lines = [
        triangle("a", 20, annotated_area=2000.0),
        triangle("a", 20, annotated_area=1000.0),
    ]
    samples.add("a.jpg", lines=lines)
    assert area_of(samples).annotated_areas()["in_other_bucket"] == 1


def test_boxes_of_instance_masks_are_those_of_the_detections(
    samples: Samples,
) -> None:
    corner = np.zeros((10, 10), bool)
    corner[:, :5] = True
    box = [5 / WIDTH, 5 / HEIGHT, 10 / WIDTH, 10 / HEIGHT]
    sample = samples.add("a.jpg", mask_of_boxes(BOX))
    sample["boxes"] = fo.Detections(
        detections=[
            fo.Detection(label="a", bounding_box=box, mask=corner, annotated_area=area)
            for area in (100.0, 50.0)
        ]
    )
    sample.save()
    area = evaluate_mask_area(samples.dataset, label_field="boxes", eval_key="area")
    found = area.annotated_areas()
    assert (found["of_box"], found["of_mask"]) == (1, 1)


def test_nothing_is_said_of_areas_that_nobody_stated(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(BOX, "a")])
    area = area_of(samples)
    assert area.annotated_areas()["text"] == "No object states an area."
    whole = evaluate_mask_area(samples.dataset, eval_key="whole")
    assert whole.annotated_areas()["text"] == "No labels were evaluated."
    assert whole.per_object().empty


def fill_splits(samples: Samples, heights: dict[str, list[int]]) -> None:
    for split, values in heights.items():
        for number, height in enumerate(values):
            samples.add(
                f"{split}-{number}.jpg",
                mask_of_boxes((0, 0, WIDTH, height)),
                split=split,
            )


def test_splits_of_one_distribution_are_alike(samples: Samples) -> None:
    heights = [3, 5, 7, 9, 11, 13, 15, 17]
    fill_splits(samples, {"train": heights + heights, "test": heights})
    (row,) = coverage_of(samples).compare_splits().to_dict("records")
    assert (row["split"], row["reference"]) == ("test", "train")
    assert (row["images"], row["distance"], row["alike"]) == (8, 0, True)
    assert row["mean"] == pytest.approx(10 / HEIGHT)
    assert "not measurably different" in row["text"]


def test_splits_that_differ_are_called_so(samples: Samples) -> None:
    fill_splits(samples, {"train": [2, 3] * 5, "test": [20, 21] * 5})
    (row,) = coverage_of(samples).compare_splits().to_dict("records")
    # They do not overlap at all, and 1.358 * sqrt(20 / 100) is the limit.
    assert row["distance"] == 1
    assert row["limit"] == pytest.approx(1.358 * np.sqrt(0.2))
    assert row["alike"] is False
    assert "'test' differs from 'train'" in row["text"]


def test_augmented_copies_count_as_one_source(samples: Samples) -> None:
    fill_splits(samples, {"train": [2] * 10, "test": [20] * 10})
    names = [f"{i // 5}.jpg" for i in range(20)]
    samples.dataset.set_values("source_name", names)
    (row,) = coverage_of(samples).compare_splits().to_dict("records")
    assert (row["images"], row["sources"]) == (10, 2)
    assert row["alike"] is None
    assert "Too few source images" in row["text"]


def test_classes_that_a_split_lacks_are_named(samples: Samples) -> None:
    samples.add(
        "a.jpg", lines=[polyline(BOX, "a"), polyline(SMALL, "b")], tags=["train"]
    )
    samples.add("b.jpg", lines=[polyline(BOX, "a")], tags=["test"])
    (row,) = area_of(samples).compare_splits().to_dict("records")
    assert row["missing_classes"] == ["b"]
    # Of the foreground of `train`, 146 of 150 pixels are of a, in `test` all.
    assert row["class_distance"] == pytest.approx(4 / 150)
    assert "it lacks b" in row["text"]


def test_one_split_has_nothing_to_be_compared_with(samples: Samples) -> None:
    fill_splits(samples, {"all": [2, 3]})
    assert coverage_of(samples).compare_splits().empty


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    a=st.lists(st.integers(0, 20), min_size=8, max_size=20),
    b=st.lists(st.integers(0, 20), min_size=8, max_size=20),
)
def test_distances_are_those_of_the_empirical_distributions(
    samples: Samples, a: list[int], b: list[int]
) -> None:
    from fiftyone_cocomask.datasets.evaluations.splits import SplitValues

    dataset = samples.dataset
    dataset.clear()
    dataset.add_samples(
        [
            fo.Sample(f"/{split}{i}.jpg", split=split, value=value)
            for split, values in (("train", a), ("test", b))
            for i, value in enumerate(values)
        ]
    )
    expected = max(
        abs(sum(x <= v for x in a) / len(a) - sum(x <= v for x in b) / len(b))
        for v in range(21)
    )
    values = SplitValues(dataset, "value")
    assert values.distance("test", "train") == pytest.approx(expected)
