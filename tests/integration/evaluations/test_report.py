"""Reports of datasets: the numbers are those of the evaluations."""

from __future__ import annotations

import re
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.errors import CocoMaskError
from tests.unit.reporting.test_reports import charts

from .conftest import Samples, polyline


@pytest.fixture
def dataset(samples: Samples) -> fo.Dataset:
    boxes = [((0, 0, 20, 15), "cat"), ((20, 15, 40, 30), "dog")]
    for index in range(3):
        lines = [polyline(box, label) for box, label in boxes[: index + 1]]
        samples.add(f"{index}.png", None, lines, split="train")
    fcm.compute_masks(samples.dataset)
    fcm.evaluate_mask_area(samples.dataset, label_field="segmentations")
    fcm.evaluate_mask_coverage(samples.dataset, label_field="segmentations")
    return samples.dataset


def cells(text: str) -> list[list[str]]:
    """The texts of the cells of each row of a report."""
    rows = re.findall(r"<tr>.*?</tr>", text)
    return [re.findall(r"<td>(.*?)</td>", row) for row in rows]


def test_a_report_says_what_the_evaluations_say(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fcm.find_mask_issues(dataset)
    path = fcm.write_report(dataset, tmp_path / "report.html")
    assert path.stat().st_size <= 5_000_000
    text = path.read_text()
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == [
        "Mask area: mask_area",
        "Mask coverage: mask_coverage",
        "What is wrong: mask_issues",
        "Definitions",
    ]
    rows = cells(text)
    # Three cats and two dogs of 300 of 1,200 pixels each.
    assert ["Foreground px", "1,500"] in rows
    assert ["Mean coverage over pixels", "41.67%"] in rows
    area = fcm.load_mask_evaluation(dataset, "mask_area")
    (solidity,) = (
        area.object_shapes().query("figure == 'area_percent'").to_dict("records")[:1]
    )
    numbers = [f"{solidity[name]:,.4g}" for name in ("min", "q25", "median")]
    assert ["(all)", "area_percent", "5", *numbers, *numbers[-1:] * 2] in rows
    assert ["(all)", "3", "0.45", "0.45", "0.2843", "0.2843"] in rows
    for label_id in dataset.values("segmentations.polylines.id", unwind=True):
        assert f"<td>{label_id}</td>" in text
    heatmaps = [
        f["data"][0]["z"] for f in charts(text) if f["data"][0]["type"] == "heatmap"
    ]
    together = [z for z in heatmaps if len(z) == 2]
    # What both evaluations say of the labels is there once.
    assert together == [[[3, 2], [2, 2]]]
    (places,) = [np.array(z) for z in heatmaps if len(z) == 64]
    assert places[0, 0] == 1
    assert places[-1, -1] == pytest.approx(2 / 3, abs=1e-4)
    assert places[0, -1] == 0
    # A small picture of each sample, the outlines on it.
    assert text.count("data:image/jpeg;base64,") == 6


def test_a_report_does_not_call_splits_alike_that_are_too_few_to_compare(
    dataset: fo.Dataset, samples: Samples, tmp_path: Path
) -> None:
    samples.add("v.png", None, [polyline((0, 0, 20, 15), "cat")], split="valid")
    fcm.compute_masks(dataset)
    found = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    number = len(found.split_drift())
    text = fcm.write_report(dataset, tmp_path / "report.html").read_text()
    assert "is measurably different" not in text
    assert f"Too few source images for {number} comparisons of splits." in text


def test_a_report_can_be_of_some_evaluations(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    path = fcm.write_report(dataset, tmp_path / "one.html", eval_keys=["mask_area"])
    assert "mask_coverage" not in path.read_text()
    with pytest.raises(CocoMaskError, match="absent"):
        fcm.write_report(dataset, tmp_path / "none.html", eval_keys=["absent"])
    assert not (tmp_path / "none.html").exists()


def test_a_dataset_without_evaluations_is_told_what_to_do(
    samples: Samples, tmp_path: Path
) -> None:
    samples.add("a.png")
    with pytest.raises(CocoMaskError, match="evaluate mask area or coverage first"):
        fcm.write_report(samples.dataset, tmp_path / "report.html")


def test_a_report_has_the_comparisons_too(dataset: fo.Dataset, tmp_path: Path) -> None:
    fcm.compute_masks(dataset, mask_field="other", rasterizer="opencv")
    fcm.compare_masks(dataset, "other", eval_key="compared")
    path = tmp_path / "report.html"
    assert (
        "<h2>Comparison: compared</h2>" in fcm.write_report(dataset, path).read_text()
    )
    whole = "Of all samples that were compared, not of the view."
    assert whole not in path.read_text()
    assert whole in fcm.write_report(dataset.limit(1), path).read_text()


def test_a_report_says_errors_of_coverage_in_points_and_shares_in_percent(
    samples: Samples, tmp_path: Path
) -> None:
    # 150 of 1,200 pixels, and 16 x 11 with the far edge: 26 more.
    samples.add("a.png", None, [polyline((5, 5, 20, 15), "cat")])
    dataset = samples.dataset
    fcm.compute_masks(dataset)
    fcm.compute_masks(dataset, mask_field="other", rasterizer="opencv")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations")
    fcm.compare_masks(dataset, "other", eval_key="compared")
    rows = cells(fcm.write_report(dataset, tmp_path / "report.html").read_text())
    assert ["Coverage error points", "2.167"] in rows
    assert ["Mask coverage error", "2.167"] in rows
    assert ["Mean coverage over images", "12.50%"] in rows
    # All of the foreground is of the one class.
    assert ["cat", "1", "150", "12.50%", "12.50%", "12.50%", "100.00%"] in rows


def test_a_report_of_a_dataset_has_what_its_evaluations_are_of(
    samples: Samples, tmp_path: Path
) -> None:
    dataset = samples.dataset
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    for name, number in (("left", 1), ("right", 2)):
        boxes = [(0, 0, 20, 15), (20, 15, 40, 30)][:number]
        lines = fo.Polylines(polylines=[polyline(box, "cat") for box in boxes])
        sample = fo.Sample(samples.image(f"{name}.png"), group=group.element(name))
        sample["segmentations"] = lines
        dataset.add_sample(sample)
    path = tmp_path / "report.html"
    for name, objects in (("right", "2"), ("left", "1")):
        view = dataset.select_group_slices(name)
        fcm.compute_masks(view)
        fcm.evaluate_mask_area(view, label_field="segmentations", eval_key=name)
        # The left slice is the active one.
        text = fcm.write_report(dataset, path, eval_keys=[name]).read_text()
        rows = cells(text)
        assert ["Images", "1"] in rows
        assert ["Images without number", "0"] in rows
        assert ["Objects", objects] in rows
        assert "objects of segmentations, of a view of 1 sample." in text
        # With the outlines of its mask.
        assert text.count("data:image/jpeg;base64,") == 1
    fcm.find_mask_issues(dataset.select_group_slices("right"))
    rows = cells(fcm.write_report(dataset, path).read_text())
    assert ["Rectangle", "2"] in rows
    ids = dataset.select_group_slices("right").values("segmentations.polylines.id")
    assert {row[-1] for row in rows if row[:2] == ["Rectangle", "right.png"]} == {
        *ids[0]
    }


def test_a_report_of_an_evaluation_of_a_view_says_so(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    fcm.evaluate_mask_area(dataset.limit(2), eval_key="two")
    text = fcm.write_report(dataset, path, eval_keys=["two"]).read_text()
    summary = fcm.load_mask_evaluation(dataset, "two").summary()
    assert (summary["images"], summary["images_without_number"]) == (2, 0)
    assert ["Images", "2"] in cells(text)
    assert ["Images without number", "0"] in cells(text)
    assert "Masks of mask, of a view of 2 samples." in text
    # Where the masks of the two lie, and where those of all.
    fcm.evaluate_mask_area(dataset, eval_key="all")
    both = fcm.write_report(dataset, path, eval_keys=["all", "two"]).read_text()
    places = [f["data"][0] for f in charts(both) if f["data"][0]["type"] == "heatmap"]
    assert [np.array(p["z"])[-1, -1] for p in places] == [
        pytest.approx(2 / 3, abs=1e-4),
        0.5,
    ]
    # Of all of them, one of which it does not cover.
    text = fcm.write_report(dataset.view(), path, eval_keys=["two"]).read_text()
    assert ["Images without number", "1"] in cells(text)
