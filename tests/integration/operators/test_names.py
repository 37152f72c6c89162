"""A name that cannot be one is refused in the words of the form that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm


@pytest.fixture(scope="module")
def dataset(demo_export: Path) -> Iterator[fo.Dataset]:
    dataset, _ = fcm.import_roboflow_coco(demo_export, "named")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset)
    fcm.find_mask_issues(dataset)
    yield dataset
    dataset.delete()


@pytest.mark.parametrize("wrong", [" ", ".", "_x"])
@pytest.mark.parametrize(
    ("name", "option", "given"),
    [
        ("compute_masks", "mask_field", {}),
        ("evaluate_mask_area", "eval_key", {}),
        ("find_mask_issues", "key", {}),
        ("fix_mask_issues", "fix_key", {}),
        ("merge_classes", "fix_key", {}),
        ("delete_objects", "fix_key", {"label_ids": ["0" * 24]}),
        ("rename_mask_evaluation", "new_eval_key", {"eval_key": "mask_area"}),
    ],
)
def test_a_wrong_name_is_refused_in_the_words_of_the_form(
    app_request: Any,
    dataset: fo.Dataset,
    name: str,
    option: str,
    given: dict[str, str],
    wrong: str,
) -> None:
    field = app_request(name, dataset, **given, **{option: wrong}).form()[option]
    assert field["invalid"]
    label, sentence = field["view"]["label"], field["error_message"]
    assert sentence.startswith(f"{label} must ")
    assert repr(wrong) in sentence


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("compute_masks", {"classes": []}),
        ("merge_classes", {"into": "wing", "classes": []}),
        ("fix_mask_issues", {"issues": []}),
        ("write_report", {"output_path": "/tmp/report.html", "eval_keys": []}),
    ],
)
def test_no_values_are_all_in_the_app_and_a_mistake_of_a_caller(
    app_request: Any, dataset: fo.Dataset, name: str, given: dict[str, Any]
) -> None:
    empty = list(given)[-1]
    asked = app_request(name, dataset, **given)
    assert not asked.form()[empty]["invalid"]
    # Callers of ``foo.execute_operator`` name no operator.
    del asked.request["operator_uri"]
    assert f"{empty} is empty; leave it out to take all" in asked.problems()
