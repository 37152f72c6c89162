"""Operators called from Python, and as the App calls them."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone import ViewField as F
from fiftyone.operators.executor import ExecutionContext, ExecutionError

import fiftyone_cocomask as fcm
from fiftyone_cocomask import import_roboflow_coco
from tests.integration.small_export import write_small_export
from tests.plugin import uri

from .delegation import operations, run_delegated, run_next, run_scheduled

Operator = Callable[[str], Any]

NO_SAMPLES = {
    "_cls": "fiftyone.core.stages.MatchTags",
    "kwargs": [["tags", ["absent"]], ["bool", True], ["all", False]],
}


def typed(path: Path | str) -> dict[str, Any]:
    """Returns what the App's file explorer makes of a typed path."""
    return {"absolute_path": str(path), "exists": False, "type": "directory"}


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    return import_roboflow_coco(demo_export, "demo")[0]


def test_the_whole_job_from_python(operator: Operator, demo_export: Path) -> None:
    imported = operator("import_roboflow_coco")(str(demo_export), "job").result
    assert (imported["dataset"], imported["samples"]) == ("job", 21)
    dataset = fo.load_dataset("job")
    masks = operator("compute_masks")(dataset, mode="semantic").result
    assert masks["images"] == 21
    kwargs = {"label_field": "segmentations"}
    area = operator("evaluate_mask_area")(dataset, **kwargs).result
    pixels = sum(np.count_nonzero(sample.mask.get_mask()) for sample in dataset)
    assert area["summary"]["foreground_px"] == pixels
    coverage = operator("evaluate_mask_coverage")(dataset, **kwargs).result
    mean = coverage["summary"]["mean_coverage_over_images"]
    assert mean == pytest.approx(pixels / (21 * 640 * 640))
    listed = operator("list_mask_evaluations")(dataset).result["evaluations"]
    assert [row["eval_key"] for row in listed] == ["mask_area", "mask_coverage"]
    operator("rename_mask_evaluation")(dataset, "mask_area", "size")
    operator("delete_mask_evaluation")(dataset, "mask_coverage")
    dataset.reload()
    assert dataset.list_runs() == ["size"]
    assert dataset.has_field("size_px")
    assert not dataset.has_field("mask_coverage_ratio")


def test_a_check_names_the_broken_annotation(
    operator: Operator, demo_export: Path
) -> None:
    report = operator("check_export")(str(demo_export)).result
    assert report["images"] == 21
    assert report["imported"] + report["dropped"] == report["annotations"]
    actions = [issue["action"] for issue in report["issues"]]
    assert "box_only" in actions or "dropped" in actions
    assert fo.list_datasets() == []


def test_a_path_in_quotation_marks_is_the_path(
    operator: Operator, demo_export: Path
) -> None:
    # What "Copy as path" of Windows gives.
    report = operator("check_export")(f'"{demo_export}"').result
    assert report["images"] == 21


def test_only_the_view_is_computed(operator: Operator, dataset: fo.Dataset) -> None:
    view = dataset.match_tags("valid")
    report = operator("compute_masks")(view).result
    assert report["images"] == len(view) < len(dataset)
    dataset.reload()
    assert dataset.exists("mask").count() == len(view)


@pytest.mark.parametrize(
    ("name", "params", "says"),
    [
        ("import_roboflow_coco", {}, "path. Reason: Required"),
        ("import_roboflow_coco", {"path": "/no/such"}, "no file or folder /no/such"),
        ("check_export", {"path": "relative"}, "whole path"),
        ("compute_masks", {"label_field": "nonsense"}, "'nonsense'"),
        ("compute_masks", {"mask_field": "filepath"}, "'filepath'"),
        ("compute_masks", {"mode": "colourful"}, "mode must be one of 'binary'"),
        ("compute_masks", {"overlap": []}, "overlap names no class"),
        ("compute_masks", {"output_dir": "/etc/passwd/x"}, "passwd is not a folder"),
        (
            "export_roboflow_coco",
            {"output_dir": "/etc/passwd/x"},
            "passwd is not a folder",
        ),
        ("compare_exports", {"path": "/no/such"}, "no file or folder /no/such"),
        (
            "import_roboflow_coco",
            {"path": "EXPORT", "dataset": "demo", "if_exists": "error"},
            "'demo' already exists",
        ),
        (
            "compute_masks",
            {"view_target": "CUSTOM_VIEW_TARGET", "custom_view_target": [NO_SAMPLES]},
            "custom_view_target has no samples",
        ),
        ("evaluate_mask_area", {}, "has no masks"),
        ("delete_mask_evaluation", {"eval_key": "x"}, "no mask evaluations"),
        ("show_dataset", {"dataset": "gone"}, "There is no dataset 'gone'"),
    ],
)
def test_a_wrong_call_is_refused_in_a_sentence(
    dataset: fo.Dataset,
    name: str,
    params: dict[str, Any],
    says: str,
    demo_export: Path,
) -> None:
    if params.get("path") == "EXPORT":
        params = {**params, "path": str(demo_export)}
    with pytest.raises(ExecutionError, match=re.escape(says)):
        foo.execute_operator(uri(name), dataset=dataset, params=params)


@pytest.mark.parametrize("name", ["compute_masks", "evaluate_mask_coverage"])
def test_a_call_without_dataset_says_what_to_do(name: str) -> None:
    with pytest.raises(ExecutionError, match="No dataset is open"):
        foo.execute_operator(uri(name))


def test_a_split_is_checked_also_where_nobody_is_asked_for_one(
    operator: Operator, tmp_path: Path
) -> None:
    path = str(write_small_export(tmp_path / "export") / "train")
    for splits in (["valid"], ["train", "valid"]):
        with pytest.raises(ExecutionError, match="splits must be among 'train'"):
            operator("import_roboflow_coco")(path, "one", splits=splits)
    assert not fo.list_datasets()
    operator("import_roboflow_coco")(path, "one", splits=["train"])
    assert len(fo.load_dataset("one")) == 2


def test_an_error_of_the_job_is_told_without_its_frames(dataset: fo.Dataset) -> None:
    """Of an error that the form cannot foresee: the field goes meanwhile."""
    operator = foo.get_operator(uri("compute_masks"))
    request = {"dataset_name": dataset.name, "params": {"label_field": "gone"}}
    context = ExecutionContext(request, operator_uri=operator.uri)
    with pytest.raises(Exception, match="no field 'gone'") as caught:
        operator.execute(context)
    names = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert names[1:] == ["execute"], names
    assert caught.value.__suppress_context__


def test_a_requirement_that_is_not_installed_is_named(
    app_request: Any, dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FiftyOne's download of plugins installs none of them."""
    request = app_request("compute_masks", dataset)

    def ask(*_: Any) -> None:
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401

    monkeypatch.setattr(type(request.operator), "ask", ask)
    [problem] = request.problems()
    assert "'no_such_module' is missing: run fiftyone plugins requirements" in problem


def test_an_export_that_has_changed_is_read_again(
    operator: Operator, tmp_path: Path
) -> None:
    check = operator("check_export")
    with pytest.raises(ExecutionError, match="no file or folder"):
        check(str(tmp_path / "export"))
    write_small_export(tmp_path / "export")
    assert check(str(tmp_path / "export")).result["images"] == 3


def test_the_app_sees_progress_and_then_a_summary(
    app_request: Any, demo_export: Path
) -> None:
    request = app_request("import_roboflow_coco", path=typed(demo_export))
    assert request.problems() == []
    assert "Creates the dataset **butterflies** with 21 images" in request.notices()
    bodies = request.messages()
    names = [body["operator_uri"] for body in bodies]
    assert names[0] == "set_progress"
    assert names[-2:] == ["show_output", uri("show_dataset")]
    assert bodies[-1]["params"] == {"dataset": "butterflies"}
    assert "Imported 21 images" in str(bodies[-2]["params"]["outputs"])
    assert fo.dataset_exists("butterflies")


def test_an_export_whose_name_no_dataset_can_have_is_imported_under_another(
    app_request: Any, tmp_path: Path
) -> None:
    path = write_small_export(tmp_path / "导出")
    request = app_request("import_roboflow_coco", path=typed(path))
    assert request.problems() == []
    assert "Creates the dataset **export** with 3 images" in request.notices()
    request.messages()
    assert len(fo.load_dataset("export")) == 3


@pytest.mark.parametrize(
    ("name", "does"), [("demo", "reload_dataset"), ("other", "open_dataset")]
)
def test_a_dataset_is_opened_or_loaded_anew(
    dataset: fo.Dataset, name: str, does: str
) -> None:
    fo.Dataset("other")
    result = foo.execute_operator(
        uri("show_dataset"), dataset=dataset, params={"dataset": name}
    )
    requests = result.executor.to_json()["requests"]
    assert [request["operator_uri"] for request in requests] == [does]


def test_an_error_in_the_app_is_one_sentence(
    app_request: Any, dataset: fo.Dataset
) -> None:
    """Of an error that the form cannot foresee: the dataset goes meanwhile."""
    bodies = app_request("compute_masks", dataset, label_field="gone").messages()
    assert bodies[-1]["operator_uri"] == "show_output"
    shown = str(bodies[-1]["params"]["outputs"])
    assert "no field 'gone'" in shown
    assert "Traceback" not in shown


def test_an_existing_dataset_is_merged_unless_told_otherwise(
    app_request: Any, dataset: fo.Dataset, demo_export: Path
) -> None:
    path = typed(demo_export)
    request = app_request("import_roboflow_coco", path=path, dataset="demo")
    assert "Merges 21 images into the 21 samples of **demo**" in request.notices()
    request.messages()
    dataset.reload()
    assert len(dataset) == 21


def test_a_form_names_what_it_writes_and_replaces(
    app_request: Any, operator: Operator, dataset: fo.Dataset
) -> None:
    request = app_request("compute_masks", dataset)
    assert "Writes masks of 21 images to `mask`" in request.notices()
    operator("compute_masks")(dataset)
    assert "`mask` has 21 masks: those out of date" in request.notices()
    request = app_request("evaluate_mask_area", dataset)
    assert "Writes `mask_area_px` on 21 images" in request.notices()
    operator("evaluate_mask_area")(dataset)
    assert "Replaces the evaluation **mask_area**" in request.notices()
    request.request["view"] = dataset.limit(7)._serialize()
    again = "Evaluates 7 images of **mask_area** again and leaves 14 others as measured"
    assert again in request.notices()


def test_a_form_names_the_masks_that_are_lost(
    app_request: Any, operator: Operator, dataset: fo.Dataset
) -> None:
    operator("compute_masks")(dataset)
    dataset.clone_sample_field("segmentations", "second")
    dataset.clone_sample_field("mask", "painted")
    painted = dataset.get_field("painted")
    painted.info = None
    painted.save()

    def says(**answers: Any) -> str:
        return str(app_request("compute_masks", dataset, **answers).notices())

    said = says(label_field="second")
    assert "Replaces 21 masks of `segmentations` in `mask`" in said
    assert "They become masks of `second`; give another field to keep them." in said
    assert "too" not in said
    assert "Replaces all 21 masks in `mask`" in says(overwrite=True)
    assert "kept unless you choose to overwrite" in says(mask_field="painted")
    said = says(mask_field="painted", overwrite=True)
    assert "Replaces all 21 masks in `painted`" in said
    assert "Masks that were not computed from labels are replaced too." in said
    assert "kept" not in said


def test_only_fitting_fields_are_offered(app_request: Any, dataset: fo.Dataset) -> None:
    """The boxes in `detections` have no masks to draw."""
    field = app_request("compute_masks", dataset).form()["label_field"]
    assert field["type"]["values"] == ["segmentations"]


def test_classes_that_come_and_go_do_so_in_the_form(
    dataset: fo.Dataset, app_request: Any
) -> None:
    def offered() -> list[str]:
        field = app_request("compute_masks", dataset).form()["classes"]
        return [choice["value"] for choice in field["view"]["choices"]]

    assert offered() == ["butterfly", "moth"]
    sample = dataset.match(F("segmentations.polylines").length() > 0).first()
    sample.segmentations.polylines[0].label = "wasp"
    sample.save()
    assert offered() == ["butterfly", "moth", "wasp"]
    dataset.map_values("segmentations.polylines.label", {"wasp": "moth"}).save()
    assert offered() == ["butterfly", "moth"]


def test_an_order_of_the_classes_is_one_of_some(
    dataset: fo.Dataset, app_request: Any
) -> None:
    given = {"mode": "semantic", "overlap": "classes"}
    request = app_request("compute_masks", dataset, **given)
    assert request.problems() == ["class_order names no class"]
    said = app_request("compute_masks", dataset, **given, class_order=["moth"])
    assert said.problems() == []


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda dataset: None, "has no samples"),
        (
            lambda dataset: dataset.add_sample(fo.Sample("/no/video.mp4")),
            "holds video samples",
        ),
        (
            lambda dataset: dataset.add_sample(fo.Sample("/no/image.jpg")),
            "no polygons and no masks",
        ),
    ],
)
def test_a_dataset_that_does_not_fit_is_told_why(
    app_request: Any, make: Callable[[fo.Dataset], Any], says: str
) -> None:
    dataset = fo.Dataset("other")
    make(dataset)
    [problem] = app_request("compute_masks", dataset).problems()
    assert says in problem


def test_a_delegated_import_runs_when_an_orchestrator_takes_it(
    demo_export: Path,
) -> None:
    start = fo.Dataset("start", persistent=True)
    queued = foo.execute_operator(
        uri("import_roboflow_coco"),
        dataset=start,
        params={"path": str(demo_export), "dataset": "later"},
        request_delegation=True,
    )
    assert queued.delegated
    assert not fo.dataset_exists("later")
    result = run_next()
    assert result.error is None
    assert result.result["dataset"] == "later"
    assert len(fo.load_dataset("later")) == 21
    assert operations()[-1].status.label == "Importing: 21 of 21 images"


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        # What a form has asked for while it was still counting.
        ("compute_masks", {"mask_field": "later", "look_again": False}),
        # Somebody has chosen a class, and taken it away again.
        ("compute_masks", {"mask_field": "later", "classes": []}),
        ("import_roboflow_coco", {"path": "EXPORT", "splits": [], "tags": []}),
        # The folder that was chosen before had several projects.
        ("import_roboflow_coco", {"path": "EXPORT", "project": "pets"}),
        # The picture of what goes.
        ("delete_objects", {"label_ids": "IDS", "pictures": "data:image/png;base64,"}),
        # The folder that was chosen before the switch was.
        ("export_masks", {"output_dir": "FOLDER", "beside_images": True}),
    ],
)
def test_what_is_scheduled_in_the_app_may_have_answers_that_it_no_longer_asks_for(
    dataset: fo.Dataset,
    demo_export: Path,
    tmp_path: Path,
    name: str,
    answers: dict[str, Any],
) -> None:
    if name == "export_masks":
        fcm.compute_masks(dataset)
    ids = dataset.values("segmentations.polylines.id", unwind=True)
    given = {"EXPORT": typed(demo_export), "IDS": ids[:1], "FOLDER": typed(tmp_path)}
    answers = {key: given.get(str(value), value) for key, value in answers.items()}
    if name == "export_masks":
        answers["confirm"] = True
    results = run_scheduled(name, dataset, **answers)
    dataset.reload()
    if name == "compute_masks":
        assert results["images"] == dataset.exists("later").count() == 21
    elif name == "import_roboflow_coco":
        assert (results["dataset"], results["samples"]) == ("butterflies", 21)
    elif name == "delete_objects":
        left = dataset.values("segmentations.polylines.id", unwind=True)
        assert left == ids[1:]
    else:
        assert results["files"] == 21
        assert results["output_dir"] is None


def test_what_goes_through_a_dataset_counts_when_it_is_delegated(
    dataset: fo.Dataset,
) -> None:
    def last() -> tuple[float, str]:
        status = operations()[-1].status
        return status.progress, status.label

    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key="old")
    run_delegated("rename_mask_evaluation", dataset, eval_key="old", new_eval_key="new")
    assert last() == (1, "Renaming the evaluation: 21 of 21 images")
    run_delegated("delete_mask_evaluation", dataset, eval_key="new")
    assert last() == (1, "Deleting the evaluation: 21 of 21 images")
    fcm.find_mask_issues(dataset)
    dataset.tag_labels("mine", "segmentations")
    mine = dataset.count_label_tags("segmentations")["mine"]
    marks = dataset.count_label_tags() | dataset.count_sample_tags()
    marks = {t: n for t, n in marks.items() if t.startswith("mask_issues:")}
    assert len(marks) > 2
    number = sum(marks.values())
    run_delegated("clear_mask_issues", dataset)
    assert last() == (1, f"Clearing mask issues: {number} of {number} tags")
    assert dataset.count_label_tags("segmentations") == {"mine": mine}
    fcm.find_mask_issues(dataset)
    dataset.untag_labels(list(marks))
    dataset.untag_samples(list(marks))
    run_delegated("clear_mask_issues", dataset)
    assert last() == (1, "Clearing mask issues: done")


def test_forms_propose_what_was_done_last(
    app_request: Any, dataset: fo.Dataset
) -> None:
    fcm.compute_masks(dataset)
    fcm.compute_masks(dataset, mask_field="other")
    fcm.evaluate_mask_area(dataset, "other", eval_key="of_other")
    form = app_request("evaluate_mask_area", dataset).form()
    defaults = {name: form[name]["default"] for name in ("mask_field", "eval_key")}
    assert defaults == {"mask_field": "other", "eval_key": "of_other"}
    assert "There are: of_other" in app_request("evaluate_mask_area", dataset).notices()
    # Masks of other values are not replaced unless somebody says so.
    request = app_request("compute_masks", dataset, mode="semantic")
    assert request.form()["mask_field"]["default"] == "mask_semantic"
    request = app_request("compute_masks", dataset, mode="semantic", mask_field="mask")
    assert "Replaces 21 binary masks" in request.notices()


def test_operators_work_on_the_samples_of_patches(dataset: fo.Dataset) -> None:
    valid = dataset.match_tags("valid")
    result = foo.execute_operator(
        uri("compute_masks"), view=valid.to_patches("segmentations")
    ).result
    assert result["images"] == len(valid)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"dataset": " "}, "Dataset must be a name with a letter or digit"),
        ({"dataset": "."}, "Dataset must be a name with a letter or digit"),
        ({"label_field": "filepath"}, "Label field must not be 'filepath'"),
        ({"box_field": "_m"}, "Box field must not begin with _"),
        ({"label_field": "tags"}, "Label field must not be 'tags'"),
    ],
)
def test_names_that_cannot_be_are_explained_in_the_form(
    app_request: Any, demo_export: Path, params: dict[str, Any], says: str
) -> None:
    path = {"absolute_path": str(demo_export)}
    problems = app_request("import_roboflow_coco", path=path, **params).problems()
    assert any(says in str(problem) for problem in problems), problems
    assert not set(fo.list_datasets()) & {" ", "."}
