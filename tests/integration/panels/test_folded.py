"""Sections that fold: they read once opened, and each place leads to its samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.server.view as fosv
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from tests.plugin import link_plugin

from .events import Tab, plugin_module

PANEL = "mask_evaluation"
LABELS = "segmentations.polylines.label"


@pytest.fixture(scope="module")
def dataset(demo_export: Path) -> Iterator[fo.Dataset]:
    link_plugin(fo.config.plugins_dir)
    dataset, _ = fcm.import_roboflow_coco(demo_export, "folded")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="cover")
    dataset.clone_sample_field("segmentations", "predicted")
    fcm.compute_masks(dataset, "predicted", "predicted_mask", rasterizer="opencv")
    fcm.compare_masks(dataset, "predicted_mask", eval_key="compared")
    yield dataset
    dataset.delete()


class Opened(Tab):
    """A panel in which sections are opened and clicked on."""

    def __init__(self, dataset: fo.Dataset, panel: str) -> None:
        super().__init__(PANEL, dataset, panel)
        self.tell("on_load")

    def open(self, section: str) -> dict[str, dict[str, Any]]:
        """Opens a section; returns the views of the layout by name, once it is read."""
        views = self.fold(section)
        while f"{section}_waits" in views:
            views = _views(self.tell("go_on"))
        return views

    def fold(self, section: str) -> dict[str, dict[str, Any]]:
        """Opens a section, or folds it; returns the views of the layout by name."""
        return _views(self.tell("fold", section=section))

    def choose(self, option: str, value: str) -> dict[str, dict[str, Any]]:
        path = f"row.option__{option}__section_0"
        return _views(self.tell("choose_option", path=path, value=value))

    def click(self, element: str, **params: Any) -> fo.DatasetView:
        """Clicks, and returns what the grid shows then."""
        told = self.tell("click", path=f"content.{element}", **params)
        (view,) = (
            request["params"]["params"]["view"]
            if "params" in request["params"]
            else request["params"]["view"]
            for request in told
            if "set_view" in str(request)
        )
        return fosv.get_view(self._dataset, stages=view)


def _views(told: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            for name, value in part.items():
                if isinstance(value, dict) and isinstance(value.get("view"), dict):
                    found[name] = value["view"]
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(told)
    return found


@pytest.fixture
def opened(dataset: fo.Dataset, request: pytest.FixtureRequest) -> Opened:
    return Opened(dataset, request.node.name)


def chart(views: dict[str, dict[str, Any]], start: str) -> tuple[str, Any]:
    """Returns the name and the first trace of the chart whose name begins so."""
    ((name, view),) = ((n, v) for n, v in views.items() if n.startswith(start))
    return name, view["data"][0]


def test_sections_read_nothing_until_they_are_opened(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn_figures = plugin_module("datasets.figures.drawn_figures")
    drawn: list[str] = []
    add = drawn_figures.DrawnFigures._add

    def note(figures: Any, record: Any) -> None:
        drawn.append(record.filepath)
        add(figures, record)

    monkeypatch.setattr(drawn_figures.DrawnFigures, "_add", note)
    views = _views(opened.tell("reload"))
    assert "where_fold" in views
    assert not [name for name in views if name.startswith("where__")]
    assert drawn == []
    chart(opened.open("where"), "where__map")
    # The others are of the same pass.
    chart(opened.open("together"), "together__matrix")
    assert len(drawn) == 21
    assert not [n for n in opened.open("where") if n.startswith("where__")]


def test_a_section_that_is_opened_while_all_is_read_stays_open(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = plugin_module("panels.evaluation.sections")
    read = sections.read

    def open_meanwhile(shown: Any) -> Any:
        found = read(shown)
        monkeypatch.undo()
        chart(opened.open("where"), "where__map")
        return found

    monkeypatch.setattr(sections, "read", open_meanwhile)
    chart(_views(opened.tell("reload")), "where__map")


def test_a_place_of_the_map_leads_to_its_images(
    opened: Opened, dataset: fo.Dataset
) -> None:
    opened.open("where")
    for value, label in (("*", None), ("=moth", "moth")):
        name, trace = chart(opened.choose("class", value), "where__map")
        found = fcm.load_mask_evaluation(dataset, "area").heatmap(label)
        np.testing.assert_allclose(np.array(trace["z"]) / 100, found, atol=1e-5)
        if label is not None:
            colors = {
                each["value"]: each["color"]
                for entry in dataset.app_config.color_scheme.fields
                if entry["path"] == "segmentations"
                for each in entry["valueColors"]
            }
            red, green, blue = (int(colors[label][n : n + 2], 16) for n in (1, 3, 5))
            assert trace["colorscale"][1][1] == f"rgba({red}, {green}, {blue}, 1)"
        row, column = np.unravel_index(found.argmax(), found.shape)
        view = opened.click(name, x=trace["x"][column], y=trace["y"][row])
        expected = fcm.load_mask_evaluation(dataset, "area").place_view(
            int(row), int(column), label
        )
        assert set(view.values("id")) == set(expected.values("id"))
        assert len(view) > 0


def test_a_cell_of_two_classes_leads_to_the_images_that_hold_both(
    opened: Opened, dataset: fo.Dataset
) -> None:
    name, trace = chart(opened.open("together"), "together__matrix")
    labels = [set(each) for each in dataset.values(LABELS)]
    texts = trace["hovertext"]
    for a, line in enumerate(trace["z"]):
        for b, number in enumerate(line):
            names = texts[a][b].split("<br>")[0].split(" and ")
            having = sum(set(names) <= each for each in labels)
            assert (number or 0) == having
            if number:
                assert len(opened.click(name, x=b, y=a)) == having
    name, trace = chart(opened.choose("together", "overlap_px"), "together__matrix")
    rows = fcm.load_mask_evaluation(dataset, "area").co_occurrence()
    pixels = sum(n or 0 for a, line in enumerate(trace["z"]) for n in line[: a + 1])
    assert pixels == rows["overlap_px"].sum()


def test_bars_of_objects_and_rows_of_classes_lead_to_their_images(
    opened: Opened, dataset: fo.Dataset
) -> None:
    views = opened.open("how_many")
    name, trace = chart(views, "how_many__bars")
    numbers = [len(each) for each in dataset.values(LABELS)]
    for index, (objects, images) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        assert images == numbers.count(objects)
        assert len(opened.click(name, idx=index, trace_idx=0)) == images
    view = opened.click("how_many__classes", row=0)
    classes = dataset.count_values(LABELS)
    most = max(classes, key=lambda each: classes[each])
    assert len(view) == sum(most in each for each in dataset.values(LABELS))


def test_a_cell_of_small_objects_leads_to_them(
    opened: Opened, dataset: fo.Dataset
) -> None:
    opened.open("resized")
    views = opened.choose("resized", "stretch 64")
    name, trace = chart(views, "resized__table")
    areas = dataset.values("segmentations.polylines.area_px")
    names = dataset.values(LABELS)
    sizes = dataset.values(["metadata.width", "metadata.height"])
    says = trace["hovertext"][0][0]
    label = says.split(" at 320 px")[0]
    expected = sum(
        name == label and area * 320 / width * 320 / height < 64
        for of_names, of_areas, width, height in zip(names, areas, *sizes, strict=True)
        for name, area in zip(of_names, of_areas, strict=True)
    )
    assert says.split("<br>")[1].startswith(f"{expected:,} of ")
    view = opened.click(name, x=0, y=0)
    assert sum(map(len, view.values(LABELS))) == expected


def test_bars_of_the_balance_and_rows_of_the_splits_lead_to_images(
    opened: Opened, dataset: fo.Dataset
) -> None:
    name, trace = chart(opened.open("balance"), "balance__bars")
    labels = dataset.values(LABELS)
    rarest = trace["hovertext"][0].split("<br>")[0]
    counts = dataset.count_values(LABELS)
    assert counts[rarest] == min(counts.values())
    view = opened.click(name, idx=0, trace_idx=0)
    assert len(view) == sum(rarest in each for each in labels)
    assert trace["x"][0] == pytest.approx(len(view) / len(dataset))
    views = opened.open("drift")
    assert "drift__rows" in views
    first = fcm.load_mask_evaluation(dataset, "area").split_drift().to_dict("records")
    assert {row["split"] for row in first} == {"valid", "test"}
    view = opened.click("drift__rows", row=0)
    assert len(view.distinct("split")) == 1


def test_worst_pairs_and_outcomes_of_a_comparison_lead_to_their_objects(
    opened: Opened, dataset: fo.Dataset
) -> None:
    assert "pairs__worst" in opened.open("pairs")
    objects = fcm.load_mask_evaluation(dataset, "compared").objects()
    worst = objects.sort_values("iou", kind="stable").iloc[0]
    view = opened.click("pairs__worst", row=0)
    assert view.values("id") == [worst["sample_id"]]
    for field in ("segmentations", "predicted"):
        assert view.values(f"{field}.polylines.id") == [[worst["gt_label_id"]]]
    found = objects[objects["outcome"] == "found"]
    view = opened.click("pairs_found", section="pairs", outcome="found")
    assert view.count("segmentations.polylines") == len(found) > 0


def test_a_section_says_how_far_it_is_and_goes_on(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, dataset: fo.Dataset
) -> None:
    sample = dataset.first()
    sample["note"] = "changed, so that nothing is kept"
    sample.save()
    folded = plugin_module("panels.evaluation.sections.folded")
    monkeypatch.setattr(folded, "_WORKS_FOR", -1)
    views = opened.fold("where")
    says = []
    while "where_waits" in views:
        says.append(views["where_waits"]["text"])
        views = _views(opened.tell("go_on"))
    assert len(says) == len(dataset)
    assert says[0] == f"Reading the masks: 1 of {len(dataset)} images"
    chart(views, "where__map")
