"""Sums over all samples are kept, and only for as long as they hold."""

from __future__ import annotations

import pytest

from fiftyone_cocomask import (
    compute_masks,
    delete_mask_evaluation,
    evaluate_mask_area,
    evaluate_mask_coverage,
    load_mask_evaluation,
)
from fiftyone_cocomask.datasets.evaluations import AreaResults, evaluate

from .conftest import Samples, polyline

TEN, TWENTY, THIRTY = (0, 0, 10, 1), (0, 0, 10, 2), (0, 0, 10, 3)


def evaluated(samples: Samples) -> AreaResults:
    """Masks of 10 and 20 pixels."""
    samples.add("a.jpg", lines=[polyline(TEN, "a")], tags=["train"])
    samples.add("b.jpg", lines=[polyline(TWENTY, "b")], tags=["test"])
    compute_masks(samples.dataset)
    return evaluate_mask_area(
        samples.dataset, label_field="segmentations", eval_key="area"
    )


def change_unseen(samples: Samples, path: str, value: int) -> None:
    """Changes all samples without a trace in what FiftyOne knows of them."""
    samples.dataset._sample_collection.update_many({}, {"$set": {path: value}})


def test_sums_are_not_made_again_while_no_sample_has_changed(samples: Samples) -> None:
    evaluated(samples).keep_sums()
    change_unseen(samples, "area_px", 1000)
    change_unseen(samples, "segmentations.polylines.$[].area_px", 1000)
    area = load_mask_evaluation(samples.dataset, "area")
    assert area.summary()["foreground_px"] == 30
    assert area.per_class()["area_px"].tolist() == [10, 20]
    assert area.overview_histogram(of_labels=True).edges[-1] == 21


def test_sums_of_an_evaluation_that_was_run_again_are_found_by_other_processes(
    samples: Samples,
) -> None:
    evaluated(samples)
    evaluate_mask_area(samples.dataset, eval_key="area").keep_sums()
    change_unseen(samples, "area_px", 1000)
    # What another process reads is what MongoDB holds.
    samples.dataset.reload()
    area = load_mask_evaluation(samples.dataset, "area")
    assert area.summary()["foreground_px"] == 30


def test_an_evaluation_of_many_samples_keeps_the_sums_of_those_before_it(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "MANY_SAMPLES", 1)
    evaluated(samples)
    # It writes to the samples, so that what is known of the area has to be summed anew.
    evaluate_mask_coverage(samples.dataset, eval_key="coverage")
    change_unseen(samples, "area_px", 1000)
    change_unseen(samples, "coverage_ratio", 1)
    area = load_mask_evaluation(samples.dataset, "area")
    assert area.summary()["foreground_px"] == 30
    coverage = load_mask_evaluation(samples.dataset, "coverage")
    assert coverage.summary()["mean_coverage_over_images"] < 1


def test_a_changed_sample_is_in_the_sums_at_once(samples: Samples) -> None:
    area = evaluated(samples)
    sample = samples.dataset.first()
    sample["area_px"] = 13
    sample.segmentations.polylines[0]["area_px"] = 13
    sample.save()
    assert area.summary()["foreground_px"] == 33
    assert area.per_class()["area_px"].tolist() == [13, 20]
    assert sum(area.overview_histogram(of_labels=True).counts) == 2


def test_a_deleted_and_an_added_sample_are_in_the_sums_at_once(
    samples: Samples,
) -> None:
    area = evaluated(samples)
    samples.dataset.delete_samples(samples.dataset.first())
    assert area.summary()["images"] == 1
    samples.add("c.jpg", area_px=7)
    assert area.summary()["images"] == 2
    assert area.summary()["foreground_px"] == 27


def test_each_view_has_sums_of_its_own(samples: Samples) -> None:
    area = evaluated(samples)
    test = samples.dataset.match_tags("test")
    for _ in range(2):
        assert area.summary(test)["foreground_px"] == 20
        assert area.summary()["foreground_px"] == 30


def test_an_evaluation_of_the_same_key_does_not_find_the_sums_of_the_one_before(
    samples: Samples,
) -> None:
    evaluated(samples)
    delete_mask_evaluation(samples.dataset, "area")
    samples.add("d.jpg", lines=[polyline(THIRTY, "a")])
    compute_masks(samples.dataset)
    area = evaluate_mask_area(samples.dataset, eval_key="area")
    assert area.summary()["foreground_px"] == 60


def test_it_is_known_whether_sums_would_have_to_be_made(samples: Samples) -> None:
    area = evaluated(samples)
    test = samples.dataset.match_tags("test")
    assert not area.are_sums_kept()
    area.summary()
    assert area.are_sums_kept()
    assert not area.are_sums_kept(test)
    sample = samples.dataset.first()
    sample["area_px"] = 13
    sample.save()
    assert not area.are_sums_kept()
