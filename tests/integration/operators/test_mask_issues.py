"""The operators that mark masks that look wrong, and take the marks away again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone import ViewField as F
from fiftyone.operators.executor import ExecutionContext, ExecutionError

import fiftyone_cocomask as fcm
from fiftyone_cocomask import compute_masks, import_roboflow_coco
from fiftyone_cocomask.datasets.documents import serialized
from fiftyone_cocomask.datasets.issues import MaskIssue
from fiftyone_cocomask.operators.progress import Progress
from tests.plugin import uri

from .delegation import run_delegated, run_scheduled

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
    number = report["counts"]["coarse"]
    assert number > 0
    assert tags_of(dataset)["mask_issues:coarse"] == number
    view = dataset.load_saved_view("mask_issues: coarse")
    assert len(view) == view.count("segmentations") == number
    assert report["figures"]["cut_by_edge"] > 0
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
    assert "coarse" in shown
    assert "has few vertices for its length" in shown
    assert "Updates the tags and views of **mask_issues**" in request.notices()


def test_classes_and_splits_have_as_many_issues_as_are_found_in_all(
    operator: Operator, dataset: fo.Dataset
) -> None:
    sample = dataset.match(F("segmentations.polylines").length() > 1).first()
    # Its box is alone then.
    sample.segmentations.polylines[0].points = []
    sample.save()
    some = dataset.filter_labels("segmentations", F("label") == "moth")
    for samples in (dataset, some, dataset.select(sample.id)):
        found = operator("find_mask_issues")(samples).result
        counts = {name: number for name, number in found["counts"].items() if number}
        of_labels = {n: c for n, c in counts.items() if not MaskIssue(n).of_sample}
        for rows in (found["per_class"], found["per_split"]):
            summed = {n: sum(row.get(n, 0) for row in rows) for n in of_labels}
            assert summed == of_labels
    assert counts["box_only"] == 1


def test_labels_can_be_looked_at_without_masks(
    operator: Operator, dataset: fo.Dataset
) -> None:
    dataset.delete_sample_field("mask")
    report = operator("find_mask_issues")(dataset, mask_field=None, key="x").result
    assert report["labels"] == dataset.count("segmentations.polylines")
    assert set(dataset.list_saved_views())


def test_the_numbers_in_the_rules_can_be_changed(
    app_request: Any, operator: Operator, dataset: fo.Dataset
) -> None:
    everything = dataset.count("segmentations.polylines")
    limits = fcm.IssueLimits(
        tiny_px=10**6, min_class_size=10**6, exempt_pairs=(("moth", "butterfly"),)
    )
    report = operator("find_mask_issues")(dataset, limits=limits).result
    assert report["counts"]["tiny"] == everything
    assert report["counts"]["class_outlier"] == 0
    assert report["definitions"]["tiny"].endswith("fewer than 1000000 pixels")

    form = app_request("find_mask_issues", dataset, change_rules=True).form()
    numbers = fcm.IssueLimits().to_dict()
    assert numbers.pop("exempt_pairs") == []
    assert {name: form[name]["default"] for name in numbers} == numbers
    assert "exempt_pairs" in form
    shown = str(app_request("find_mask_issues", dataset, tiny_px=0).messages())
    assert "covers fewer than" not in shown


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("tiny_px", -1, "0 or more"),
        ("huge_share", 1.5, "0 to 1"),
        ("huge_share", float("nan"), "0 to 1"),
        ("outlier_score", "high", "0 or more"),
        ("min_class_size", 0, "1 or more"),
        ("copy_tolerance", True, "0 or more"),
    ],
)
def test_a_number_that_makes_no_rule_is_refused(
    dataset: fo.Dataset, name: str, value: Any, bounds: str
) -> None:
    with pytest.raises(fcm.CocoMaskError, match=f"{name} must be {bounds}, not"):
        fcm.IssueLimits(**{name: value})
    with pytest.raises(ExecutionError, match=f"{name} must be {bounds}, not"):
        foo.execute_operator(
            uri("find_mask_issues"), dataset=dataset, params={name: value}
        )
    assert not dataset.list_runs()


def test_a_delegated_search_marks_what_it_finds(dataset: fo.Dataset) -> None:
    report = run_delegated("find_mask_issues", dataset, key="later")
    assert report["labels"] == dataset.count("segmentations.polylines")
    counted = {f"later:{name}": n for name, n in report["counts"].items() if n}
    elsewhere = ("later:copy_area", "later:box_only")
    assert tags_of(dataset) == {t: n for t, n in counted.items() if t not in elsewhere}


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


def test_a_selection_without_objects_says_what_to_select(
    app_request: Any, dataset: fo.Dataset
) -> None:
    request = app_request(
        "delete_objects", dataset, label_ids=[dataset.first().id], dry_run=True
    )
    notices = request.notices()
    assert "Select the objects to delete" in notices
    assert "Deletes 0" not in notices


@pytest.mark.parametrize(
    ("name", "answers", "does", "would"),
    [
        ("fix_mask_issues", {}, "Changes and removes", "change and remove"),
        ("merge_classes", {"into": "one", "classes": ["moth"]}, "Relabels", "relabel"),
        ("delete_objects", {}, "Deletes", "delete"),
    ],
)
def test_a_form_warns_of_changes_unless_nothing_is_written(
    app_request: Any,
    operator: Operator,
    dataset: fo.Dataset,
    name: str,
    answers: dict[str, Any],
    does: str,
    would: str,
) -> None:
    operator("find_mask_issues")(dataset)
    dataset.reload()
    if name == "delete_objects":
        ids = dataset.values("segmentations.polylines.id", unwind=True)
        answers = {"label_ids": ids[:2], "label_field": "segmentations"}
    real = app_request(name, dataset, **answers).form()["outcome"]["view"]
    planned = app_request(name, dataset, dry_run=True, **answers)
    dry = planned.form()["outcome"]["view"]
    assert real["name"] == "Warning"
    assert real["label"].startswith(f"{does} ")
    assert "Undo mask fixes" in real["description"]
    assert dry["name"] == "Notice"
    assert dry["label"].startswith(f"Writes nothing: would {would} ")
    assert "undo" not in planned.notices().lower().partition("writes nothing")[2]


def test_a_form_that_shows_the_repairs_counts_their_images(
    app_request: Any, operator: Operator, dataset: fo.Dataset
) -> None:
    limits = fcm.IssueLimits(tiny_px=10**6)
    operator("find_mask_issues")(dataset[:2], limits=limits)
    dataset.reload()
    assert len(dataset) > 2
    for answers in ({}, {"dry_run": True}):
        request = app_request(
            "fix_mask_issues", dataset, issues=["tiny"], preview=True, **answers
        )
        assert "in 2 samples" in request.notices()
        assert request.form()["outcome"]["view"]["label"].endswith(" in 2 images")


def test_the_form_counts_all_labels_of_a_view_that_shows_some(
    app_request: Any, dataset: fo.Dataset
) -> None:
    shown = dataset.filter_labels("segmentations", F("label") == "butterfly")
    inside = dataset.select(shown.values("id"))
    moths = inside.count_values("segmentations.polylines.label")["moth"]
    request = app_request("merge_classes", dataset, into="one", classes=["moth"])
    request.request["view"] = shown._serialize()
    assert not request.problems()
    assert f"Relabels {moths} objects" in request.notices()
    planned = fcm.merge_classes(shown, "one", ["moth"], dry_run=True)
    assert planned.fixed == {"merged_class": moths}


def test_ids_of_objects_are_enough_to_delete_them(
    app_request: Any, dataset: fo.Dataset
) -> None:
    label_id = dataset.values("segmentations.polylines.id", unwind=True)[0]
    request = app_request("delete_objects", dataset, label_ids=[label_id])
    assert "Deletes 1 object of `segmentations`" in request.notices()
    request.messages()
    dataset.reload()
    left = dataset.values("segmentations.polylines.id", unwind=True)
    assert label_id not in left


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("fix_mask_issues", {}),
        ("merge_classes", {"into": "wasp", "classes": ["moth"]}),
        ("delete_objects", {"label_ids": "ALL"}),
    ],
)
def test_a_preview_leads_to_the_form_that_does_it_and_counts_objects_by_class(
    app_request: Any, dataset: fo.Dataset, name: str, answers: dict[str, Any]
) -> None:
    fcm.find_mask_issues(dataset)
    labels = dataset.count_values("segmentations.polylines.label")
    if name == "delete_objects":
        answers = {
            "label_ids": dataset.values("segmentations.polylines.id", unwind=True)
        }
    results = foo.execute_operator(
        uri(name), dataset=dataset, params={**answers, "dry_run": True}
    ).result
    [step] = results["next"]
    form = app_request("open_form", dataset, form=name, answers=step["params"])
    assert not form.problems()
    assert not app_request(name, dataset, **step["params"]).problems()
    counted = {row["class"]: row["labels"] for row in results["per_class"]}
    expected = {
        "fix_mask_issues": {"butterfly": 1},
        "merge_classes": {"moth": labels["moth"]},
        "delete_objects": labels,
    }
    assert counted == expected[name]
    # There is nothing to undo as yet.
    said = str(app_request(name, dataset, **answers, dry_run=True).messages())
    assert "would be" in said
    assert "Undo mask fixes" not in said


def test_the_deletion_of_selected_patches_may_be_scheduled(dataset: fo.Dataset) -> None:
    patches = dataset.to_patches("segmentations")
    ids = patches.values("id")
    app = {"view": serialized(patches), "selected": ids[:2]}
    report = run_scheduled("delete_objects", dataset, app)
    assert report["fixed"] == {"deleted_object": 2}
    dataset.reload()
    assert dataset.values("segmentations.polylines.id", unwind=True) == ids[2:]


def test_what_is_made_again_after_repairs_is_told(
    app_request: Any, dataset: fo.Dataset
) -> None:
    fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    fcm.rank_mask_outlines(dataset)
    fcm.find_mask_issues(dataset, limits=fcm.IssueLimits(tiny_px=10**6))
    dataset.reload()
    images = len(dataset.match({"segmentations.polylines.tags": "mask_issues:tiny"}))
    assert images > 1

    def told(name: str, **answers: Any) -> list[str]:
        labels: list[str] = []
        request = app_request(name, dataset, redo=True, **answers)
        ctx = ExecutionContext(request.request, operator_uri=request.operator.uri)
        verb, noun = request.operator.verb, request.operator.noun

        def report(bar: Any) -> None:
            label = Progress.of_bar(bar).label(verb, noun)
            labels.append(label.partition(",")[0])

        request.operator.run(ctx, report)
        return labels

    again = [
        f"{verb} again: {images} of {images} images"
        for verb in (
            "Drawing masks",
            "Measuring masks",
            "Measuring outlines",
            "Looking for issues",
        )
    ]
    repaired = told("fix_mask_issues", issues=["tiny"])
    everything = f"Repairing mask issues: {len(dataset)} of {len(dataset)} images"
    assert [label for label in dict.fromkeys(repaired) if label in again] == again
    assert everything in repaired
    undone = told("undo_mask_fixes")
    assert {*undone} >= {*again}
