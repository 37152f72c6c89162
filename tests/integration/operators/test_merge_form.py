"""What the import's form says of a merge before anything is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import fiftyone as fo
import fiftyone.operators as foo
import pytest

from fiftyone_cocomask import import_roboflow_coco
from tests.integration.small_export import image_name, write_small_export
from tests.plugin import uri

Form = dict[str, dict[str, Any]]


@pytest.fixture
def version(new_dataset: Any, tmp_path: Path) -> Path:
    """The second version of an export, of which a dataset has the first, edited."""
    first = write_small_export(tmp_path / "v1")
    dataset, _ = import_roboflow_coco(first, "edited")
    for sample in dataset:
        for label in sample.segmentations.polylines:
            label.label = "by hand"
        sample.save()
    second = tmp_path / "v2"
    shutil.copytree(first, second)
    path = second / "train" / "_annotations.coco.json"
    coco = json.loads(path.read_text())
    coco["annotations"][0]["category_id"] = 2
    # The picture of b is augmented again.
    new = image_name("b", "9f")
    (second / "train" / coco["images"][1]["file_name"]).rename(second / "train" / new)
    coco["images"][1]["file_name"] = new
    picture = second / "train" / new
    picture.write_bytes(picture.read_bytes() + b"\n")
    path.write_text(json.dumps(coco))
    return second


@pytest.fixture
def form(app_request: Any, version: Path) -> Callable[..., Form]:
    def resolved(**params: Any) -> Form:
        params = {"path": {"absolute_path": str(version)}, **params}
        request = app_request("import_roboflow_coco", **params, dataset="edited")
        return dict(request.form())

    return resolved


def test_the_form_counts_before_anything_is_written(form: Callable[..., Form]) -> None:
    dataset = fo.load_dataset("edited")
    before = list(dataset._sample_collection.find())
    shown = form()
    said = shown["outcome"]["view"]["description"]
    for line in (
        "1 image added",
        "1 image gone",
        "2 edits of yours kept",
        "1 conflict",
        "1 of the images gone is an older copy",
    ):
        assert f"- {line}" in said
    assert shown["conflicts"]["view"]["label"] == "In 1 conflict"
    assert list(dataset._sample_collection.find()) == before


@pytest.mark.parametrize(
    ("answers", "label", "says", "never"),
    [
        ({}, "Merges 3 images into the 3 samples", "What you have edited stays.", ""),
        (
            {"conflicts": "export"},
            "Merges 3 images",
            "In conflicts the export's version replaces yours; all else that you have "
            "edited stays.",
            "",
        ),
        ({"if_exists": "replace"}, "Replaces the 3 samples", "cannot be undone", ""),
        ({"dry_run": True}, "Writes nothing: would merge 3 images", "", "Merges"),
        (
            {"dry_run": True, "if_exists": "replace"},
            "Writes nothing: would replace the 3 samples",
            "",
            "Replaces",
        ),
        (
            {"dry_run": True, "dataset": "new"},
            "Writes nothing: would create the dataset **new** with 3 images",
            "",
            "Creates",
        ),
    ],
)
def test_the_form_says_what_is_replaced_and_whether_anything_is_written(
    app_request: Any,
    version: Path,
    answers: dict[str, Any],
    label: str,
    says: str,
    never: str,
) -> None:
    given = {"path": {"absolute_path": str(version)}, "dataset": "edited", **answers}
    view = app_request("import_roboflow_coco", **given).form()["outcome"]["view"]
    assert view["label"].startswith(label)
    assert says in view["description"]
    assert not never or never not in view["label"]
    is_harmless = "dry_run" in answers
    assert view["name"] == ("Notice" if is_harmless else "Warning")


def test_deleting_older_copies_takes_a_yes(
    form: Callable[..., Form], version: Path
) -> None:
    question = form()["old_copies"]
    assert question["view"]["label"].endswith("augmented again: 1")
    assert [choice["value"] for choice in question["view"]["choices"]] == [
        "tag",
        "delete",
    ]
    # A person has worked on the only one.
    asked = form(old_copies="delete")
    assert asked["confirm"]["view"]["label"] == "Yes, delete 0 samples"
    assert asked["confirmation"]["invalid"]
    dataset = fo.load_dataset("edited")
    copy = dataset.match({"file_name": image_name("b")}).first()
    for label in copy.segmentations.polylines:
        label.label = copy.detections.detections[0].label
    copy.save()

    asked = form(old_copies="delete")
    assert asked["confirm"]["view"]["label"] == "Yes, delete 1 sample"
    assert "1 of these deleted" in asked["outcome"]["view"]["description"]
    assert asked["confirmation"]["invalid"]
    assert "confirmation" not in form(old_copies="delete", confirm=True)
    assert copy.id in dataset.values("id")
    foo.execute_operator(
        uri("import_roboflow_coco"),
        params={
            "path": {"absolute_path": str(version)},
            "dataset": "edited",
            "old_copies": "delete",
            "confirm": True,
        },
    )
    assert copy.id not in dataset.values("id")
    assert dataset.count_sample_tags().get("old_copy") is None


def test_a_yes_to_deleting_from_one_dataset_is_none_for_another(
    app_request: Any, version: Path
) -> None:
    fo.load_dataset("edited").clone("other", persistent=True)
    opening = uuid4().hex

    def problems(**answers: Any) -> list[str]:
        path = {"absolute_path": str(version)}
        request = app_request(
            "import_roboflow_coco", path=path, old_copies="delete", **answers
        )
        request.request["prompt_id"] = opening
        return list(request.problems())

    assert problems(dataset="edited") == [
        "Confirm the deletion, or tag the older copies"
    ]
    assert problems(dataset="edited", confirm=True) == []
    # The App keeps the switch on.
    [problem] = problems(dataset="other", confirm=True)
    assert problem == "This yes was to something else: switch it off, and on again"
    assert len(problems(dataset="other", confirm=False)) == 1
    assert problems(dataset="other", confirm=True) == []
    assert len(problems(dataset="edited", confirm=True)) == 1


def test_a_dry_run_of_the_operator_says_what_it_would_do(version: Path) -> None:
    dataset = fo.load_dataset("edited")
    before = list(dataset._sample_collection.find())
    result = foo.execute_operator(
        uri("import_roboflow_coco"),
        params={"path": str(version), "dataset": "edited", "dry_run": True},
    ).result
    assert result["report"]["merge"]["conflicts"] == 1
    assert "1 conflict" in result["merge"]
    assert list(dataset._sample_collection.find()) == before


def test_a_yes_in_a_dry_run_is_none_to_the_import_that_follows(version: Path) -> None:
    given = {"path": str(version), "dataset": "edited", "old_copies": "delete"}
    result = foo.execute_operator(
        uri("import_roboflow_coco"), params={**given, "dry_run": True, "confirm": True}
    ).result
    (step,) = result["next"]
    assert step["params"] == {**given, "dry_run": False}
