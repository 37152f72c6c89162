"""Evaluations say what has changed since, and only that."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import bson
import fiftyone as fo
import pytest

from fiftyone_cocomask import (
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    find_mask_issues,
    load_mask_evaluation,
    refresh_mask_evaluations,
    rename_mask_evaluation,
)
from fiftyone_cocomask.datasets.labels import geometry_paths

from .conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline

LEFT = (5, 5, 20, 15)
SMALL = (1, 1, 3, 3)


@pytest.fixture
def evaluated(samples: Samples) -> Samples:
    """Three samples with masks that were drawn, and one without labels."""
    for name in "abc":
        samples.add(f"{name}.jpg", lines=[polyline(LEFT, "a"), polyline(SMALL, "b")])
    samples.add("d.jpg", lines=[])
    compute_masks(samples.dataset)
    evaluate_both(samples)
    return samples


def evaluate_both(samples: Samples) -> None:
    dataset = samples.dataset
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="cover")


def changed(samples: Samples) -> list[tuple[int, int] | None]:
    """The masks and labels that have changed since each evaluation."""
    found = []
    for key in ("area", "cover"):
        evaluation = load_mask_evaluation(samples.dataset, key)
        since = evaluation.out_of_date()
        found.append(since and (since.masks, since.labels))
        number = 0 if since is None else since.samples
        assert evaluation.summary()["out_of_date"] == number
    return found


def test_what_has_just_been_evaluated_is_up_to_date(evaluated: Samples) -> None:
    assert changed(evaluated) == [None, None]


def test_other_changes_of_samples_and_labels_do_not_count(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    dataset.limit(2).tag_samples("seen")
    find_mask_issues(dataset)
    dataset.set_values("note", ["a", "b", "c", "d"])
    dataset.tag_labels("mine", label_fields="segmentations")
    evaluate_mask_area(dataset, eval_key="other")
    compute_masks(dataset)
    assert changed(evaluated) == [None, None]


def test_edited_added_and_deleted_labels_count(evaluated: Samples) -> None:
    first, second, third, _ = evaluated.dataset
    line = first.segmentations.polylines[0]
    line.points = polyline((5, 5, 20, 16), "a").points
    first.save()
    second.segmentations.polylines.append(polyline(LEFT, "b"))
    second.save()
    assert changed(evaluated) == [(0, 2), (0, 2)]
    third.segmentations.polylines.pop()
    third.save()
    assert changed(evaluated) == [(0, 3), (0, 3)]
    evaluate_both(evaluated)
    assert changed(evaluated) == [None, None]


def test_an_image_of_another_size_counts(evaluated: Samples) -> None:
    """Labels are shares of it: of twice the size, they have four times the pixels."""
    dataset = evaluated.dataset
    sample = dataset.first()
    assert sample["area_px"] == 154
    sample.metadata.width, sample.metadata.height = 2 * WIDTH, 2 * HEIGHT
    sample.save()
    assert changed(evaluated) == [(0, 1), (0, 1)]
    refresh_mask_evaluations(dataset)
    assert changed(evaluated) == [None, None]
    assert dataset.first()["area_px"] == 4 * 154


def test_what_an_earlier_version_has_evaluated_is_up_to_date(
    evaluated: Samples,
) -> None:
    """Its digests are of the labels' own documents alone."""
    dataset = evaluated.dataset
    name = "segmentations"
    paths = geometry_paths(dataset, name)
    for document in dataset._sample_collection.find({}, dict.fromkeys(paths, 1)):
        digest = blake2b(bson.encode(document[name]), digest_size=8).hexdigest()
        marks = {f"mask.measured.{key}.digest": digest for key in ("area", "cover")}
        dataset._sample_collection.update_one({"_id": document["_id"]}, {"$set": marks})
    dataset.set_values("note", ["a", "b", "c", "d"])
    assert changed(evaluated) == [None, None]
    sample = dataset.first()
    sample.segmentations.polylines.pop()
    sample.save()
    assert changed(evaluated) == [(0, 1), (0, 1)]


def test_a_label_of_another_class_counts(evaluated: Samples) -> None:
    sample = evaluated.dataset.first()
    sample.segmentations.polylines[0].label = "b"
    sample.save()
    assert changed(evaluated) == [(0, 1), (0, 1)]


def test_masks_that_are_drawn_replaced_or_removed_count(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    compute_masks(dataset.limit(1), overwrite=True)
    assert changed(evaluated) == [(1, 0), (1, 0)]
    _, second, third, _ = dataset
    second.mask = fo.Segmentation(mask=mask_of_boxes(SMALL))
    second.save()
    third.mask = None
    third.save()
    assert changed(evaluated) == [(3, 0), (3, 0)]
    evaluated.add("e.jpg", mask_of_boxes(LEFT))
    assert changed(evaluated) == [(4, 0), (4, 0)]
    evaluate_both(evaluated)
    assert changed(evaluated) == [None, None]


def test_one_evaluation_can_be_older_than_another(evaluated: Samples) -> None:
    sample = evaluated.dataset.first()
    sample.segmentations.polylines[0].points = polyline(SMALL, "a").points
    sample.save()
    evaluate_mask_coverage(
        evaluated.dataset, label_field="segmentations", eval_key="cover"
    )
    assert changed(evaluated) == [(0, 1), None]
    area = load_mask_evaluation(evaluated.dataset, "area")
    assert str(area.out_of_date()) == (
        "Out of date: the labels of 1 sample have changed since"
    )
    assert area.out_of_date(evaluated.dataset.skip(1)) is None


def test_a_renamed_evaluation_knows_what_it_was_of(evaluated: Samples) -> None:
    rename_mask_evaluation(evaluated.dataset, "area", "size")
    renamed = load_mask_evaluation(evaluated.dataset, "size")
    assert renamed.out_of_date() is None
    sample = evaluated.dataset.first()
    sample.segmentations.polylines.pop()
    sample.save()
    assert renamed.out_of_date().labels == 1


def test_a_change_in_the_moment_of_the_evaluation_is_evaluated(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fiftyone_cocomask.datasets.documents import update_documents
    from fiftyone_cocomask.datasets.evaluations import passes

    sample = samples.add("a.jpg", lines=[polyline(SMALL, "a")])
    compute_masks(samples.dataset)
    write = update_documents
    calls: list[Any] = []

    def write_after_somebody_else(*arguments: Any) -> int:
        if not calls:
            sample.reload()
            sample.segmentations.polylines[0].points = polyline(LEFT, "a").points
            sample.save()
        calls.append(arguments)
        return write(*arguments)

    monkeypatch.setattr(passes, "update_documents", write_after_somebody_else)
    area = evaluate_mask_area(samples.dataset, label_field="segmentations")
    assert samples.raw(sample)["segmentations"]["polylines"][0]["mask_area_px"] == 150
    assert area.summary()["changed_meanwhile"] == 0
    assert len(calls) == 2
    assert area.out_of_date() is None


def test_samples_that_an_evaluation_does_not_cover_are_not_out_of_date(
    evaluated: Samples,
) -> None:
    dataset = evaluated.dataset
    some = evaluate_mask_area(dataset.limit(2), eval_key="some")
    assert some.out_of_date(dataset) is None
    assert some.ids_to_refresh(dataset.skip(1)) == []
    compute_masks(dataset, rasterizer="opencv")
    assert some.ids_to_refresh(dataset.skip(1)) == [dataset.skip(1).first().id]
