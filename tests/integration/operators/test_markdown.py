"""Text of an export makes the App fetch nothing, wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from markdown_it import MarkdownIt

import fiftyone_cocomask as fcm
from fiftyone_cocomask.operators.job import JobOperator
from tests.integration.panels.events import send

from .test_schemas import OPERATORS

IMAGE = "![x](http:spy)"
# What the App shows as it is: buttons, and the choices of lists.
PLAIN = ("Button", "Choice")
# The App's own renderer knows the same dialect.
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export all of whose texts are Markdown of an image."""
    folder = tmp_path / f"export {IMAGE}" / f"split {IMAGE}"
    folder.mkdir(parents=True)
    name = f"{IMAGE}.png"
    cv2.imwrite(str(folder / name), np.zeros((40, 60, 3), np.uint8))
    box = {"bbox": [5, 5, 20, 20], "area": 400, "iscrowd": 0}
    ring = [5, 5, 25, 5, 25, 25, 5, 25]
    shape = {**box, "segmentation": [ring], "image_id": 1}
    document = {
        "info": {"version": IMAGE, "description": IMAGE, "date_created": IMAGE},
        "licenses": [{"id": 1, "name": IMAGE, "url": IMAGE}],
        "categories": [
            {"id": 1, "name": IMAGE, "supercategory": IMAGE},
            {"id": 2, "name": f"{IMAGE} unused", "supercategory": IMAGE},
        ],
        "images": [
            {"id": 1, "file_name": name, "width": 60, "height": 40},
            {"id": 2, "file_name": f"missing {IMAGE}.png", "width": 60, "height": 40},
        ],
        "annotations": [
            {**shape, "id": IMAGE, "category_id": 1},
            {**shape, "id": 3, "category_id": IMAGE},
            {**shape, "id": 4, "category_id": 1, "segmentation": [[1, 2, IMAGE]]},
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(document))
    return folder.parent


@pytest.fixture
def dataset(export: Path) -> fo.Dataset:
    dataset, report = fcm.import_roboflow_coco(export, f"dataset {IMAGE}")
    assert report.imported
    # The same polygon twice is an issue.
    sample = dataset.first()
    sample.segmentations.polylines.append(sample.segmentations.polylines[0].copy())
    sample.save()
    for field, mode in (("mask", "binary"), ("other", "semantic")):
        fcm.compute_masks(dataset, mask_field=field, mode=mode)
    fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="size")
    fcm.evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="cover")
    fcm.find_mask_issues(dataset)
    return dataset


def markdown_of(layout: Any) -> Iterator[str]:
    """Yields what the App shows of a form or panel as Markdown."""
    if isinstance(layout, dict):
        if layout.get("name") in PLAIN:
            return
        for key, value in layout.items():
            # What is in the cells of tables, and in fields.
            if key == "default":
                continue
            if key in ("label", "description", "caption") and isinstance(value, str):
                yield value
            yield from markdown_of(value)
    elif isinstance(layout, list):
        for value in layout:
            yield from markdown_of(value)


def cells_of(layout: Any) -> Iterator[str]:
    """Yields the texts in the cells of tables, which the App shows as they are."""
    if isinstance(layout, dict):
        rows = layout.get("default")
        if isinstance(rows, list):
            cells = [cell for row in rows for cell in dict(row).values()]
            yield from (cell for cell in cells if isinstance(cell, str))
        for value in layout.values():
            yield from cells_of(value)
    elif isinstance(layout, list):
        for value in layout:
            yield from cells_of(value)


def assert_fetches_nothing(layout: Any) -> int:
    """Checks all texts, and returns how many of them have text of the export."""
    number = 0
    for text in markdown_of(layout):
        for token in MARKDOWN.parse(text):
            kinds = {child.type for child in token.children or []}
            assert not kinds & {"image", "link_open", "html_inline"}, text
        number += "spy" in text
    return number


@pytest.mark.parametrize("name", ["check_export", "import_roboflow_coco"])
def test_forms_show_text_of_an_export_as_text(
    app_request: Any, export: Path, name: str
) -> None:
    request = app_request(name, path={"absolute_path": str(export)})
    assert assert_fetches_nothing(request.form()) > 3
    assert assert_fetches_nothing(request.messages()) > 1
    # An error names the path.
    request = app_request(name, path={"absolute_path": f"/no/such/{IMAGE}"})
    assert_fetches_nothing(request.form())


def test_forms_show_the_names_of_a_dataset_as_text(
    app_request: Any, dataset: fo.Dataset, tmp_path: Path
) -> None:
    shown = 0
    for name in OPERATORS:
        folder = str(tmp_path / f"to {IMAGE}" / name)
        params = {"mask_field": "mask", "output_dir": {"absolute_path": folder}}
        request = app_request(name, dataset, **params)
        shown += assert_fetches_nothing(request.form())
        is_job = isinstance(request.operator, JobOperator)
        if is_job and name not in ("check_export", "import_roboflow_coco"):
            shown += assert_fetches_nothing(request.messages())
    assert shown > 0


def test_a_change_log_shows_the_names_of_an_export_as_text(
    app_request: Any, dataset: fo.Dataset, export: Path
) -> None:
    sample = dataset.first()
    lines = sample.segmentations.polylines
    # Both copies of the polygon, or one of them would be the export's.
    lines.append(lines[0].copy())
    for line in lines[:2]:
        line.points = [[(x / 2, y) for x, y in line.points[0]]]
    lines[-1].label = f"new {IMAGE}"
    sample.save()
    path = {"absolute_path": str(export)}
    request = app_request("compare_exports", dataset, path=path)
    # The title, and the new class.
    assert assert_fetches_nothing(request.messages()) >= 2


def test_panels_show_the_names_of_a_dataset_as_text(dataset: fo.Dataset) -> None:
    shown = _drawn("mask_evaluation", dataset, "on_load")
    assert_fetches_nothing(shown)
    # What is escaped in a cell is seen so.
    cells = list(cells_of(shown))
    assert any(IMAGE in cell for cell in cells)
    assert not any("\\" in cell for cell in cells)
    bar = {"path": "classes__coverage__cover", "trace_idx": 0, "idx": 0}
    clicked = _drawn("mask_evaluation", dataset, "click", **bar)
    assert assert_fetches_nothing(clicked) > 0
    # With a legend of the classes.
    semantic = {"value": "other"}
    inspector = _drawn("mask_inspector", dataset, "choose_mask_field", **semantic)
    assert assert_fetches_nothing(inspector) > 0


def _drawn(name: str, dataset: fo.Dataset, method: str, **params: Any) -> Any:
    """Returns what a panel tells the App to draw after an event."""
    told = send(name, dataset, method, panel_id=name, **params)
    drawn = [r for r in told if "show_panel_output" in r["operator_uri"]]
    assert drawn
    return drawn
