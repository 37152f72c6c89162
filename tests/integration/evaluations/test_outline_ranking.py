"""Rankings of outlines: what is written, loaded, replaced and deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    IssueLimits,
    compute_masks,
    delete_outline_ranking,
    find_mask_issues,
    fix_mask_issues,
    list_mask_evaluations,
    list_outline_rankings,
    load_outline_ranking,
    rank_mask_outlines,
    undo_mask_fixes,
)
from fiftyone_cocomask.datasets.reviewing import queues

SIZE = 120


def square(x: float, y: float, label: str = "a") -> fo.Polyline:
    corners = [(x, y), (x + 30, y), (x + 30, y + 30), (x, y + 30)]
    points = [[(a / SIZE, b / SIZE) for a, b in corners]]
    return fo.Polyline(label=label, points=points, closed=True, filled=True)


@pytest.fixture
def dataset(new_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """Images of a bright square; in the first ones, the label lies ever worse."""
    made = new_dataset()
    for place, shift in enumerate([5, 3, 0, 0, 0, 1, 0, 1]):
        image = np.full((SIZE, SIZE), 60, np.uint8)
        image[40:70, 40:70] = 200
        noise = np.random.default_rng(place).integers(0, 9, (SIZE, SIZE))
        image += noise.astype(np.uint8)
        path = str(tmp_path / f"{place}.png")
        cv2.imwrite(path, image)
        labels = fo.Polylines(polylines=[square(40 + shift, 40)])
        made.add_sample(fo.Sample(filepath=path, segmentations=labels))
    return made


def test_the_worst_outline_comes_first(dataset: fo.Dataset) -> None:
    ranking = rank_mask_outlines(dataset)
    worst = ranking.worst(2)
    assert worst["sample_id"].tolist() == dataset.values("id")[:2]
    assert worst["offset"].iloc[0] == pytest.approx(5, abs=1.5)
    assert dataset.sort_by("outline_worst").first().id == dataset.first().id
    summary = ranking.summary()
    assert (summary["labels"], summary["images_skipped"]) == (8, 0)
    loaded = load_outline_ranking(dataset)
    assert loaded.worst().equals(ranking.worst())
    assert list_outline_rankings(dataset) == ["outline"]
    assert list_mask_evaluations(dataset) == []


def test_scores_are_modified_z_scores_of_the_class(dataset: fo.Dataset) -> None:
    rank_mask_outlines(dataset)
    edges = np.array(dataset.values("segmentations.polylines.outline_edge")).ravel()
    logs = np.log(edges)
    deviations = logs - np.median(logs)
    expected = 0.6745 * deviations / np.median(np.abs(deviations))
    scores = np.array(dataset.values("segmentations.polylines.outline_score")).ravel()
    np.testing.assert_allclose(scores, expected)


def test_deleting_a_ranking_leaves_nothing_of_it(dataset: fo.Dataset) -> None:
    schema = set(dataset.get_field_schema(flat=True))
    rank_mask_outlines(dataset, eval_key="fit")
    rank_mask_outlines(dataset, eval_key="fit")
    assert dataset.has_field("segmentations.polylines.fit_score")
    delete_outline_ranking(dataset, "fit")
    left = set(dataset.get_field_schema(flat=True)) - schema
    assert not [path for path in left if "fit" in path]
    assert list_outline_rankings(dataset) == []


def test_an_image_that_cannot_be_read_costs_that_image(dataset: fo.Dataset) -> None:
    first = dataset.first()
    dataset.compute_metadata()
    Path(first.filepath).write_bytes(b"no image")
    ranking = rank_mask_outlines(dataset)
    assert [row["sample_id"] for row in ranking.skipped] == [first.id]
    assert ranking.summary()["labels"] == 7


def test_labels_that_were_not_measured_are_not_below_any_score(
    dataset: fo.Dataset,
) -> None:
    dataset.compute_metadata()
    Path(dataset.last().filepath).write_bytes(b"no image")
    ranking = rank_mask_outlines(dataset)
    table = ranking.worst()
    scores = table["score"].to_numpy()
    for limit in (-3.5, float(np.median(scores)), 100.0):
        found = ranking.view(limit).values("segmentations.polylines.id", unwind=True)
        assert set(found) == set(table["label_id"][scores < limit])
    summary = ranking.summary()
    assert summary["below_-3.5"] == np.count_nonzero(scores < -3.5)
    # Of an even number, the median is between two; none of nothing.
    again = rank_mask_outlines(dataset.limit(2)).summary()
    assert (again["labels"], again["median_edge"]) == (2, table["edge"][:2].mean())
    nothing = rank_mask_outlines(dataset.skip(7)).summary()
    assert (nothing["labels"], nothing["below_-3.5"]) == (0, 0)
    assert nothing["median_edge"] is nothing["mean_offset"] is None


def test_a_ranking_of_a_slice_is_of_its_labels(
    new_dataset: Callable[..., fo.Dataset], dataset: fo.Dataset
) -> None:
    grouped = new_dataset()
    grouped.add_group_field("group", default="left")
    group = fo.Group()
    for name, sample in zip(("left", "right"), dataset.limit(2), strict=True):
        copy = fo.Sample(sample.filepath, group=group.element(name))
        copy["segmentations"] = sample.segmentations.copy()
        grouped.add_sample(copy)
    right = grouped.select_group_slices("right")
    ranking = rank_mask_outlines(right)
    assert ranking.summary()["labels"] == 1
    for samples in (None, right, right.to_patches("segmentations")):
        assert ranking.worst(samples=samples)["sample_id"].tolist() == right.values(
            "id"
        )
    assert ranking.per_class()["labels"].tolist() == [1]


def test_a_ranking_that_is_made_again_has_nothing_of_the_one_before(
    dataset: fo.Dataset,
) -> None:
    rank_mask_outlines(dataset)
    first, last = dataset.first(), dataset.last()
    Path(first.filepath).write_bytes(b"no image")
    assert rank_mask_outlines(dataset).summary()["labels"] == 7
    first.reload()
    (label,) = first.segmentations.polylines
    assert (label.outline_edge, label.outline_score) == (None, None)
    assert first.outline_worst is None
    ranking = rank_mask_outlines(dataset.select(last.id))
    assert ranking.worst()["sample_id"].tolist() == [last.id]
    assert ranking.summary()["labels"] == 1


def test_a_ranking_of_a_field_that_was_renamed_says_so(dataset: fo.Dataset) -> None:
    rank_mask_outlines(dataset)
    dataset.rename_sample_field("segmentations", "shapes")
    with pytest.raises(CocoMaskError, match="is of the field 'segmentations', which"):
        load_outline_ranking(dataset)
    # The panel has no list of it.
    assert queues(dataset) == {}
    assert rank_mask_outlines(dataset, "shapes").summary()["labels"] == 8


def test_a_ranking_whose_own_fields_are_elsewhere_says_so(dataset: fo.Dataset) -> None:
    rank_mask_outlines(dataset)
    dataset.rename_run("outline", "fit")
    with pytest.raises(CocoMaskError, match="is of the field 'fit_worst', which"):
        load_outline_ranking(dataset, "fit")
    assert queues(dataset) == {}
    dataset.rename_run("fit", "outline")
    assert list(queues(dataset)) == ["outline"]
    dataset.delete_sample_field("segmentations.polylines.outline_score")
    with pytest.raises(CocoMaskError, match=r"polylines\.outline_score', which"):
        load_outline_ranking(dataset)
    assert rank_mask_outlines(dataset).summary()["labels"] == 8


def test_of_two_duplicates_the_one_on_its_edge_is_kept(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.segmentations.polylines.append(square(41, 40))
    sample.segmentations.polylines[0].points = square(42, 40).points
    sample.save()
    better = sample.segmentations.polylines[1].id
    compute_masks(dataset)
    rank_mask_outlines(dataset)
    assert find_mask_issues(dataset).counts["near_duplicate"] == 1
    fix_mask_issues(dataset, ["near_duplicate"], outline_key="outline")
    sample.reload()
    (kept,) = sample.segmentations.polylines
    assert (kept.id, "mask_issues:near_duplicate" in kept.tags) == (better, False)


def test_wrong_keys_are_named(dataset: fo.Dataset) -> None:
    with pytest.raises(CocoMaskError, match="no finished ranking of outlines 'other'"):
        load_outline_ranking(dataset, "other")
    with pytest.raises(CocoMaskError, match="no ranking of outlines 'other'"):
        delete_outline_ranking(dataset, "other")
    with pytest.raises(CocoMaskError, match="no key"):
        rank_mask_outlines(dataset, eval_key="no key")
    find_mask_issues(dataset, mask_field=None)
    with pytest.raises(CocoMaskError, match="key of another run"):
        rank_mask_outlines(dataset, eval_key="mask_issues")


def test_an_undone_deletion_of_all_labels_brings_the_ranking_back(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    rank_mask_outlines(dataset)
    ranked = dataset.values("outline_worst")
    compute_masks(dataset, output_dir=tmp_path / "masks")
    find_mask_issues(dataset, limits=IssueLimits(tiny_px=SIZE**2))
    fix_mask_issues(dataset, ["tiny"], redo=True)
    dataset.reload()
    assert dataset.values("outline_worst") == [None] * len(dataset)
    undo_mask_fixes(dataset, redo=True)
    dataset.reload()
    assert dataset.values("outline_worst") == pytest.approx(ranked)
