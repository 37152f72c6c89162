"""The operators that mark masks that look wrong, and take the marks away again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

from fiftyone_cocomask import compute_masks, import_roboflow_coco

from .delegation import run_delegated

Operator = Callable[[str], Any]


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    compute_masks(dataset)
    return dataset


def tags_of(dataset: fo.Dataset) -> dict[str, int]:
    dataset.reload()
    return dataset.count_values("segmentations.polylines.tags")


def test_issues_are_marked_and_the_marks_are_taken_away(
    operator: Operator, dataset: fo.Dataset
) -> None:
    report = operator("find_mask_issues")(dataset).result
    edge = report["counts"]["cut_by_edge"]
    assert edge > 0
    assert tags_of(dataset)["mask_issues:cut_by_edge"] == edge
    view = dataset.load_saved_view("mask_issues: cut_by_edge")
    assert view.count("segmentations.polylines") == edge
    operator("clear_mask_issues")(dataset)
    assert not tags_of(dataset)
    assert not dataset.list_saved_views()


def test_the_app_says_what_was_found_and_by_which_rule(
    app_request: Any, dataset: fo.Dataset
) -> None:
    request = app_request("find_mask_issues", dataset)
    assert not request.problems()
    assert "`mask_issues:<issue>`" in request.notices()
    shown = str(request.messages())
    assert "cut by edge" in shown
    assert "covers pixels at the edge of its image" in shown
    assert "Brings the marks of **mask_issues** up to date" in request.notices()


def test_labels_can_be_looked_at_without_masks(
    operator: Operator, dataset: fo.Dataset
) -> None:
    dataset.delete_sample_field("mask")
    report = operator("find_mask_issues")(dataset, mask_field=None, key="x").result
    assert report["labels"] == dataset.count("segmentations.polylines")
    assert set(dataset.list_saved_views())


def test_a_delegated_search_marks_what_it_finds(dataset: fo.Dataset) -> None:
    report = run_delegated("find_mask_issues", dataset, key="later")
    assert report["labels"] == dataset.count("segmentations.polylines")
    assert tags_of(dataset)["later:cut_by_edge"] == report["counts"]["cut_by_edge"]


def test_wrong_choices_are_said_in_the_form(
    app_request: Any, operator: Operator, dataset: fo.Dataset
) -> None:
    unknown = app_request("find_mask_issues", dataset, label_field="nothing")
    assert "'nothing'" in unknown.problems()[0]
    key = app_request("find_mask_issues", dataset, key="no key")
    assert "no key" in key.problems()[0]
    none = app_request("clear_mask_issues", dataset)
    assert "has no search for mask issues" in none.problems()[0]
    operator("find_mask_issues")(dataset)
    dataset.reload()
    wrong = app_request("clear_mask_issues", dataset, key="other")
    assert "other" in wrong.problems()[0]
    assert "Removes the tags" in app_request("clear_mask_issues", dataset).notices()
    for name in ("find_mask_issues", "clear_mask_issues"):
        assert "No dataset is open" in app_request(name).problems()[0]
