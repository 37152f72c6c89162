"""The lists of what to look at next: what is checked does not come back."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from fiftyone_cocomask import find_mask_issues, rank_mask_outlines
from fiftyone_cocomask.datasets.reviewing import (
    labels_to_review,
    mark_checked,
    queues,
    strip,
)

from .conftest import Samples, polyline


def test_samples_with_an_issue_are_listed_until_they_are_checked(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    made = [
        samples.add(
            f"{split}.jpg",
            lines=[polyline((2, 2, 12, 12), "a")],
            split=split,
            source_name="one.png",
        )
        for split in ("train", "valid")
    ]
    find_mask_issues(dataset, mask_field=None)
    queue, number = queues(dataset)["mask_issues:leak"]
    assert number == 2
    listed = labels_to_review(dataset, queue)
    assert [label.id for label in listed] == [sample.id for sample in made]
    assert [(label.label_field, label.label_id) for label in listed] == [
        (None,) * 2
    ] * 2
    assert [label.split for label in listed] == ["train", "valid"]
    assert strip(dataset, listed) is not None

    assert mark_checked(dataset, queue, listed[0].sample_id).problems == []
    dataset.reload()
    assert [label.id for label in labels_to_review(dataset, queue)] == [made[1].id]
    assert samples.raw(made[0])["tags"] == ["checked"]
    report = find_mask_issues(dataset, mask_field=None)
    assert report.counts["leak"] == 1
    # Its labels are listed still.
    queue, number = queues(dataset)["mask_issues:rectangle"]
    assert number == len(labels_to_review(dataset, queue)) == 2


def test_a_checked_label_makes_no_outliers_of_its_image(samples: Samples) -> None:
    """What is usual in a class, all its labels say, and not those of one image."""
    for number in range(12):
        samples.add(f"{number}.jpg", lines=[polyline((0, 0, 24, 24), "a")])
    small = [polyline((0, 0, 4, 4 + number % 3), "a") for number in range(11)]
    crowded = samples.add("x.jpg", lines=[*small, polyline((0, 0, 24, 24), "a")])
    find_mask_issues(samples.dataset, mask_field=None)
    before = [label["tags"] for label in polygons(samples, crowded)]
    found = {tag for tags in before for tag in tags}
    assert not found & {"mask_issues:class_outlier", "mask_issues:coarse"}

    queue, _ = queues(samples.dataset)["mask_issues:rectangle"]
    label_id = str(polygons(samples, crowded)[0]["_id"])
    mark_checked(samples.dataset, queue, crowded.id, "segmentations", label_id)
    checked, *others = [label["tags"] for label in polygons(samples, crowded)]
    assert checked == ["checked"]
    assert others == before[1:]


def test_a_checked_label_of_a_ranking_extends_no_search_to_its_image(
    samples: Samples,
) -> None:
    dataset = samples.dataset
    inside, outside = (
        samples.add(f"{name}.jpg", lines=[polyline((2, 2, 5, 5), x) for x in "ab"])
        for name in ("in", "out")
    )
    rank_mask_outlines(dataset)
    find_mask_issues(dataset.match_tags("mine"), mask_field=None, key="none")
    find_mask_issues(dataset.select(inside.id), mask_field=None)
    queue = queues(dataset)["outline"][0]
    for sample in (inside, outside):
        label_id = str(polygons(samples, sample)[0]["_id"])
        args = dataset, queue, sample.id, "segmentations", label_id
        assert mark_checked(*args).problems == []
    tags = [[x["tags"] for x in polygons(samples, s)] for s in (inside, outside)]
    assert tags[0][0] == ["checked"]
    assert "mask_issues:tiny" in tags[0][1]
    assert tags[1] == [["checked"], []]


def polygons(samples: Samples, sample: fo.Sample) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = samples.raw(sample)["segmentations"]["polylines"]
    return found
