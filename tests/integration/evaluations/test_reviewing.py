"""The lists of what to look at next: what is checked does not come back."""

from __future__ import annotations

from fiftyone_cocomask import find_mask_issues
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
