"""What the panel shows: bins, rankings, issues and tables, each with its samples."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    evaluate_mask_coverage,
    find_mask_issues,
)
from fiftyone_cocomask.datasets.evaluations import (
    AreaResults,
    CoverageResults,
    Histogram,
    histogram_view,
)
from fiftyone_cocomask.datasets.evaluations.overlap import overlap_histogram
from fiftyone_cocomask.datasets.evaluations.overview import keep_overview
from fiftyone_cocomask.datasets.evaluations.rankings import ranked_samples, rankings
from fiftyone_cocomask.datasets.evaluations.same_bins import same_bins
from fiftyone_cocomask.datasets.evaluations.stated_area_bins import (
    annotated_bin_view,
    annotated_bins,
    other_bucket_view,
)
from fiftyone_cocomask.datasets.evaluations.tables import write_table
from fiftyone_cocomask.datasets.issues import MaskIssue
from fiftyone_cocomask.datasets.issues.counts import (
    issue_counts,
    issue_view,
)
from fiftyone_cocomask.panels.evaluation.sections import read as read_for_panel
from fiftyone_cocomask.panels.evaluation.sections.cards import images
from fiftyone_cocomask.panels.evaluation.shown import Choices, Shown

from .conftest import Samples, mask_of_boxes, polyline

LEFT, RIGHT, SMALL = (0, 0, 20, 20), (10, 0, 30, 20), (30, 20, 34, 25)


def area_of(samples: Samples, eval_key: str = "area") -> AreaResults:
    compute_masks(samples.dataset, overwrite=True)
    return evaluate_mask_area(
        samples.dataset,
        label_field="segmentations",
        eval_key=eval_key,
        overwrite=True,
    )


def coverage_of(samples: Samples) -> CoverageResults:
    compute_masks(samples.dataset, overwrite=True)
    return evaluate_mask_coverage(
        samples.dataset,
        label_field="segmentations",
        eval_key="coverage",
        overwrite=True,
    )


def number_of_labels(view: Any) -> int:
    return view.count("segmentations.polylines")


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=8))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_pair_of_bins_leads_to_as_many_labels_as_it_counts(
    samples: Samples, stated: list[int]
) -> None:
    samples.dataset.clear()
    boxes = [(0, 0, 1 + index, 2 + index) for index in range(len(stated))]
    lines = [
        polyline(box, "a", annotated_area=area)
        for box, area in zip(boxes, stated, strict=True)
    ]
    samples.add("a.jpg", lines=[*lines, polyline(SMALL, "no stated area")])
    area = area_of(samples)
    bins = annotated_bins(area, samples.dataset)
    assert sum(bins.counts) == len(stated)
    for pair in zip(bins.stated, bins.mask, bins.counts, strict=True):
        view = annotated_bin_view(area, samples.dataset.view(), pair[0], pair[1])
        assert number_of_labels(view) == pair[2]


def test_bins_hold_the_areas_between_their_edges(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a", annotated_area=1000.0)])
    bins = annotated_bins(area_of(samples), samples.dataset)
    for indices, area in ((bins.stated, 1000), (bins.mask, 400)):
        (index,) = indices
        assert 10 ** bins.edge(index) <= area * (1 + 1e-9)
        assert area < 10 ** bins.edge(index + 1)


def test_labels_in_another_bucket_are_as_many_as_the_evaluation_says(
    samples: Samples,
) -> None:
    stated = (1023, 1024, 9215, 9216, None)
    samples.add(
        "a.jpg", lines=[polyline(LEFT, "a", annotated_area=area) for area in stated]
    )
    area = area_of(samples)
    view = other_bucket_view(area, samples.dataset.view())
    assert view.values("segmentations.polylines.annotated_area", unwind=True) == [
        1024,
        9215,
        9216,
    ]
    assert area.annotated_areas()["in_other_bucket"] == 3


def ranked(evaluation: Any, name: str, samples: Any, **kwargs: Any) -> Any:
    known = {ranking.name: ranking for ranking in rankings(evaluation, **kwargs)}
    found = ranked_samples(evaluation, known[name], samples)
    return [(Path(sample.filepath).name, sample.number) for sample in found]


def test_samples_are_ranked_by_what_is_wrong_with_them(samples: Samples) -> None:
    samples.add("none.jpg", lines=[])
    samples.add("off.jpg", lines=[polyline(SMALL, "a", annotated_area=25.0)])
    samples.add(
        "over.jpg",
        lines=[
            polyline(LEFT, "a", annotated_area=410.0),
            polyline(RIGHT, "a", annotated_area=400.0),
        ],
    )
    area = area_of(samples)
    view = samples.dataset.view()
    assert ranked(area, "stated", view) == [("over.jpg", 10), ("off.jpg", 5)]
    assert ranked(area, "hidden", view) == [("over.jpg", 200)]
    assert ranked(area, "least", view)[:2] == [("none.jpg", 0), ("off.jpg", 20)]
    assert ranked(area, "most", view) == [("over.jpg", 600), ("off.jpg", 20)]
    coverage = coverage_of(samples)
    assert ranked(coverage, "overlap", view) == [("over.jpg", 200 / 600)]
    assert ranked(coverage, "most", view.limit(2)) == [("off.jpg", 20 / 1200)]


def test_samples_are_ranked_by_the_change_from_another_evaluation(
    samples: Samples,
) -> None:
    same = samples.add("same.jpg", mask_of_boxes(LEFT))
    other = samples.add("other.jpg", mask_of_boxes(LEFT))
    first = evaluate_mask_area(samples.dataset, eval_key="first")
    for sample, box in ((same, LEFT), (other, SMALL)):
        samples.mask_file(f"{Path(sample.filepath).stem}.png", mask_of_boxes(box))
    second = evaluate_mask_area(samples.dataset, eval_key="second")
    view = samples.dataset.view()
    assert ranked(first, "change", view, other=second) == [("other.jpg", 380)]
    samples.mask_file("same.png", mask_of_boxes())
    second = evaluate_mask_area(samples.dataset, eval_key="second", overwrite=True)
    assert ranked(first, "change", view, other=second) == [
        ("same.jpg", 400),
        ("other.jpg", 380),
    ]


def test_two_histograms_in_the_same_bins_count_all_and_lead_to_them(
    samples: Samples,
) -> None:
    boxes = [[], [SMALL], [LEFT, SMALL], [LEFT, RIGHT], [RIGHT]]
    for index, of_sample in enumerate(boxes):
        samples.add(f"{index}.jpg", mask_of_boxes(*of_sample))
    first = evaluate_mask_area(samples.dataset, eval_key="first")
    for index in range(len(boxes)):
        samples.mask_file(f"{index}.png", mask_of_boxes(LEFT, RIGHT, SMALL))
    second = evaluate_mask_area(samples.dataset, eval_key="second")
    view = samples.dataset.view()
    pair = [first.overview_histogram(), second.overview_histogram()]
    found = same_bins([first, second], view, pair)
    assert found[0].edges == found[1].edges
    assert found[0].path != found[1].path
    for histogram in found:
        assert sum(histogram.counts) == len(boxes)
        for bar, count in enumerate(histogram.counts):
            assert len(histogram_view(view, histogram, bar)) == count


def test_histograms_of_nothing_but_zeros_have_the_same_bin(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes())
    evaluations = [
        evaluate_mask_area(samples.dataset, eval_key=key) for key in ("first", "second")
    ]
    pair = [evaluation.overview_histogram() for evaluation in evaluations]
    found = same_bins(evaluations, samples.dataset.view(), pair)
    assert [(h.edges, h.counts) for h in found] == [((0, 1), (1,))] * 2


def test_overlaps_of_0_have_a_bar_of_their_own(samples: Samples) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    samples.add("b.jpg", lines=[polyline(LEFT, "a"), polyline(RIGHT, "a")])
    samples.add("c.jpg", lines=[])
    histogram: Histogram = overlap_histogram(coverage_of(samples), samples.dataset)
    assert histogram.edges[0] == 0
    assert histogram.counts[0] == 1
    assert sum(histogram.counts) == 2
    assert histogram.without_number == 1


def test_issues_are_counted_in_the_view_and_lead_to_their_labels(
    samples: Samples,
) -> None:
    samples.add("a.jpg", lines=[polyline(SMALL, "a"), polyline(SMALL, "a")])
    samples.add("b.jpg", lines=[polyline(LEFT, "a"), polyline(LEFT, "b")])
    compute_masks(samples.dataset)
    report = find_mask_issues(samples.dataset)
    counts = issue_counts(samples.dataset, "mask_issues")
    assert counts == {MaskIssue(i): n for i, n in report.counts.items() if n}
    for issue, count in counts.items():
        view = issue_view(samples.dataset.view(), "mask_issues", issue)
        found = len(view) if issue.of_sample else number_of_labels(view)
        assert found == count
    first = samples.dataset.limit(1)
    assert MaskIssue.TWO_CLASSES in counts
    assert MaskIssue.TWO_CLASSES not in issue_counts(first, "mask_issues")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_are_written_with_whole_pixels_and_one_heading(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "fiftyone_cocomask.datasets.evaluations.tables._BATCH_SIZE"
    monkeypatch.setattr(module, 2)
    for index in range(3):
        samples.add(
            f"{index}.jpg", lines=[polyline(LEFT, "ä, b"), polyline(SMALL, "c")]
        )
    area = area_of(samples)
    samples.dataset.add_sample(fo.Sample(samples.image("new.jpg")))
    path = tmp_path / "table.csv"
    rows = {}
    for table in area.tables():
        number = write_table(area, table, path, samples.dataset)
        rows[table] = read(path)
        assert len(rows[table]) == number
    assert [row["area_px"] for row in rows["samples"]] == ["420", "420", "420", ""]
    names = [Path(row["filepath"]).name for row in rows["samples"]]
    assert names == ["0.jpg", "1.jpg", "2.jpg", "new.jpg"]
    assert [row["class"] for row in rows["objects"]] == ["ä, b", "c"] * 3
    assert {row["class"]: row["objects"] for row in rows["classes"]} == {
        "ä, b": "3",
        "c": "3",
    }
    assert [row["images"] for row in rows["splits"]] == ["3"]


def test_the_table_of_no_samples_has_a_heading(
    samples: Samples, tmp_path: Path
) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    area = area_of(samples)
    path = tmp_path / "table.csv"
    assert write_table(area, "samples", path, samples.dataset.limit(0)) == 0
    assert path.read_text().startswith("sample_id,filepath,split,area_px")


def test_a_table_that_there_is_not_is_refused(samples: Samples, tmp_path: Path) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    coverage = coverage_of(samples)
    with pytest.raises(CocoMaskError, match="has no table 'objects'"):
        write_table(coverage, "objects", tmp_path / "table.csv")


@pytest.mark.parametrize("kind", ["area", "coverage"])
def test_all_that_the_panel_shows_is_among_the_sums_that_are_kept(
    samples: Samples, kind: str
) -> None:
    lines = [polyline(LEFT, "a", annotated_area=410.0), polyline(RIGHT, "b")]
    samples.add("a.jpg", lines=lines, tags=["train"])
    samples.add("b.jpg", lines=[polyline(SMALL, "a")], tags=["test"])
    evaluation = area_of(samples) if kind == "area" else coverage_of(samples)
    evaluation.keep_sums()
    keep_overview(evaluation)
    # Nothing that FiftyOne knows of: what is shown cannot come from the samples now.
    paths = ("segmentations", evaluation.value_path, f"{evaluation.key}_overlap")
    samples.dataset._sample_collection.update_many(
        {}, {"$unset": dict.fromkeys(paths, 1)}
    )
    found = read_for_panel(Shown([evaluation], samples.dataset.view()))
    assert images(found["cards"]) == 2
    numbers = [sum(chart["histograms"][0]["counts"]) for chart in found["histograms"]]
    assert numbers == ([3] if kind == "area" else [2, 2])
    assert sorted(found["classes"][0]["figures"]["names"]) == ["a", "b"]
    assert [len(table["rows"]) for table in found["splits"]] == [2]
    assert [chart["bins"]["counts"] for chart in found["stated_areas"]] == (
        [(1,)] if kind == "area" else []
    )
    assert len(found["ranking"]["rows"]) == 1


def test_the_samples_to_look_at_are_those_of_a_ranking_that_has_some(
    samples: Samples,
) -> None:
    samples.add("a.jpg", lines=[polyline(LEFT, "a")])
    coverage = coverage_of(samples)
    names = [ranking.name for ranking in rankings(coverage)]
    assert names[0] == "overlap"
    assert not ranked_samples(coverage, rankings(coverage)[0], samples.dataset)
    found = read_for_panel(Shown([coverage], samples.dataset.view()))["ranking"]
    assert found["by"] == names[1]
    assert len(found["rows"]) == 1
    chosen = read_for_panel(
        Shown([coverage], samples.dataset.view(), Choices(ranking="overlap"))
    )
    assert chosen["ranking"]["by"] == "overlap"
    assert chosen["ranking"]["rows"] == []


def test_what_the_panel_shows_is_json_of_a_size_that_does_not_grow(
    samples: Samples,
) -> None:
    sizes = []
    for number in (20, 60):
        for index in range(number):
            lines = [polyline(LEFT, "a", annotated_area=410.0)]
            samples.add(f"{number}-{index}.jpg", lines=lines)
        evaluations = [area_of(samples), coverage_of(samples)]
        found = read_for_panel(Shown(evaluations, samples.dataset.view()))
        sizes.append(len(json.dumps(found)))
    assert sizes[1] < 1.1 * sizes[0]
