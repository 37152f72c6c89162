"""Evaluations as runs: kept, listed, loaded, renamed, deleted, and never in the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from fiftyone.core.odm import DynamicEmbeddedDocument
from fiftyone.core.service import DatabaseService

from fiftyone_cocomask import (
    CocoMaskError,
    delete_mask_evaluation,
    evaluate_mask_area,
    evaluate_mask_coverage,
    list_mask_evaluations,
    load_mask_evaluation,
    refresh_mask_evaluations,
    rename_mask_evaluation,
    write_report,
)

from .conftest import Samples, mask_of_boxes, polyline

LEFT = (5, 5, 20, 15)


@pytest.fixture
def evaluated(samples: Samples) -> Samples:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    samples.add("b.jpg", mask_of_boxes())
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(
        samples.dataset, label_field="segmentations", eval_key="cover"
    )
    return samples


def schema(dataset: fo.Dataset) -> set[str]:
    return set(dataset.get_field_schema(flat=True))


def group_paths(dataset: fo.Dataset) -> dict[str, list[str]]:
    groups = dataset.app_config.sidebar_groups or []
    return {group.name: list(group.paths) for group in groups}


def test_evaluations_are_listed_by_kind(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    dataset.register_run("other", dataset.init_run(method="somebody/else"))
    assert list_mask_evaluations(dataset) == ["area", "cover"]
    assert list_mask_evaluations(dataset.limit(1), kind="area") == ["area"]
    assert list_mask_evaluations(dataset, kind="coverage") == ["cover"]


def test_a_loaded_evaluation_is_the_one_that_was_run(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    summary = load_mask_evaluation(dataset, "cover").summary()
    dataset._run_cache.clear()
    assert load_mask_evaluation(dataset, "cover").summary() == summary
    assert summary["mean_coverage_over_images"] == 150 / 1200 / 2


def test_a_view_is_still_the_evaluated_one_when_loaded(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT))
    samples.add("b.jpg", mask_of_boxes())
    evaluate_mask_area(samples.dataset.limit(1), eval_key="area")
    samples.dataset._run_cache.clear()
    loaded = load_mask_evaluation(samples.dataset, "area")
    assert loaded.summary()["images"] == 1
    assert loaded.summary()["images_without_number"] == 0


def test_fields_stand_together_in_the_sidebar_with_descriptions(
    evaluated: Samples,
) -> None:
    dataset = evaluated.dataset
    assert group_paths(dataset)["area"] == ["area_px"]
    assert group_paths(dataset)["cover"] == [
        "cover_ratio",
        "cover_overlap",
        "cover_classes",
    ]
    for path in ("area_px", "segmentations.polylines.area_bucket", "cover_classes"):
        assert dataset.get_field(path).description


def test_the_sidebar_has_no_group_of_what_the_app_cannot_show(
    evaluated: Samples,
) -> None:
    dataset = evaluated.dataset
    dataset.add_sample_field(
        "import_base",
        fo.EmbeddedDocumentField,
        embedded_doc_type=DynamicEmbeddedDocument,
    )
    for groups in (None, fo.DatasetAppConfig.default_sidebar_groups(dataset)):
        dataset.app_config.sidebar_groups = groups
        evaluate_mask_area(dataset, eval_key="again")
        assert "import_base" not in group_paths(dataset)
        assert group_paths(dataset)["again"] == ["again_px"]


def test_renaming_takes_the_fields_along(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    before = load_mask_evaluation(dataset, "area").per_class()
    rename_mask_evaluation(dataset, "area", "size")
    rename_mask_evaluation(dataset, "cover", "share")
    assert list_mask_evaluations(dataset) == ["share", "size"]
    assert not {path for path in schema(dataset) if "area_px" in path}
    assert {"size_px", "segmentations.polylines.size_bucket"} <= schema(dataset)
    dataset._run_cache.clear()
    renamed = load_mask_evaluation(dataset, "size")
    assert renamed.per_class().to_dict() == before.to_dict()
    assert renamed.summary()["eval_key"] == "size"
    assert load_mask_evaluation(dataset, "share").per_class()["images"].tolist() == [1]
    assert group_paths(dataset)["size"] == ["size_px"]
    assert "area" not in group_paths(dataset)
    assert evaluated.raw(dataset.first())["size_px"] == 150


def test_a_renamed_evaluation_can_be_run_again_and_deleted(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    rename_mask_evaluation(dataset, "area", "size")
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="size")
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    delete_mask_evaluation(dataset, "size")
    assert list_mask_evaluations(dataset) == ["area", "cover"]
    assert not {path for path in schema(dataset) if "size" in path} - {
        "metadata.size_bytes"
    }


def test_deleting_takes_the_fields_along_and_nothing_else(samples: Samples) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    samples.dataset.compute_metadata()
    before, groups = schema(samples.dataset), group_paths(samples.dataset)
    document = samples.raw(samples.dataset.first())
    evaluate_mask_area(samples.dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(
        samples.dataset, label_field="segmentations", eval_key="cover"
    )
    delete_mask_evaluation(samples.dataset, "area")
    delete_mask_evaluation(samples.dataset, "cover")
    assert schema(samples.dataset) == before
    assert set(group_paths(samples.dataset)) - set(groups) <= {
        "tags",
        "metadata",
        "labels",
        "primitives",
        "other",
    }
    assert samples.dataset.list_runs() == []
    after = samples.raw(samples.dataset.first())
    changed = {"last_modified_at"}
    assert {k: v for k, v in after.items() if k not in changed} == {
        k: v for k, v in document.items() if k not in changed
    }


@pytest.mark.parametrize("function", [load_mask_evaluation, delete_mask_evaluation])
def test_an_unknown_evaluation_is_answered_with_those_there_are(
    evaluated: Samples, function: Any
) -> None:
    evaluated.dataset.register_run("other", evaluated.dataset.init_run(method="x"))
    for key in ("nothing", "other"):
        with pytest.raises(CocoMaskError, match="area, cover"):
            function(evaluated.dataset, key)
    assert evaluated.dataset.has_run("other")


def test_renaming_to_a_key_or_fields_that_are_taken_changes_nothing(
    evaluated: Samples,
) -> None:
    dataset = evaluated.dataset
    dataset.add_sample_field("taken_px", fo.IntField)
    before = schema(dataset)
    for key in ("cover", "taken", "no key", "area"):
        with pytest.raises(CocoMaskError):
            rename_mask_evaluation(dataset, "area", key)
    assert schema(dataset) == before
    assert list_mask_evaluations(dataset) == ["area", "cover"]
    assert load_mask_evaluation(dataset, "area").summary()["foreground_px"] == 150


@pytest.mark.parametrize(
    "path", ["mine_px", "segmentations.polylines.mine_visible_px", "mine_classes"]
)
def test_fields_of_others_are_never_written(samples: Samples, path: str) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    samples.dataset.add_sample_field(path, fo.IntField)
    evaluate = evaluate_mask_coverage if "classes" in path else evaluate_mask_area
    with pytest.raises(CocoMaskError, match=path):
        evaluate(samples.dataset, label_field="segmentations", eval_key="mine")
    assert samples.dataset.list_runs() == []


def test_a_key_of_another_run_is_refused(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    dataset.register_run("theirs", dataset.init_run(method="somebody/else"))
    with pytest.raises(CocoMaskError, match="theirs"):
        evaluate_mask_area(dataset, eval_key="theirs")
    with pytest.raises(CocoMaskError, match="mask coverage evaluation"):
        evaluate_mask_area(dataset, eval_key="cover")
    dataset.evaluate_segmentations("mask", gt_field="mask", eval_key="theirs_too")
    with pytest.raises(CocoMaskError, match="theirs_too"):
        evaluate_mask_area(dataset, eval_key="theirs_too")


def test_overwriting_is_done_unless_forbidden(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    with pytest.raises(CocoMaskError, match="set overwrite"):
        evaluate_mask_area(dataset, eval_key="area", overwrite=False)
    assert "segmentations.polylines.area_px" in schema(dataset)
    evaluate_mask_area(dataset, eval_key="area")
    assert "segmentations.polylines.area_px" not in schema(dataset)
    label = evaluated.raw(dataset.first())["segmentations"]["polylines"][0]
    assert "area_px" not in label
    assert load_mask_evaluation(dataset, "area").label_field is None


class StoppedError(Exception):
    """Stands for the power that fails in the middle of an evaluation."""


def test_a_stopped_evaluation_is_known_as_such_and_can_be_run_again(
    samples: Samples,
) -> None:
    sample = samples.add("a.jpg", mask_of_boxes(LEFT))

    def stop(_: Any) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        evaluate_mask_area(samples.dataset, eval_key="area", progress=stop)
    assert list_mask_evaluations(samples.dataset) == ["area"]
    with pytest.raises(CocoMaskError, match="stopped before its end"):
        load_mask_evaluation(samples.dataset, "area")
    evaluate_mask_area(samples.dataset, eval_key="area")
    assert load_mask_evaluation(samples.dataset, "area").summary()["images"] == 1
    assert samples.raw(sample)["area_px"] == 150


def test_fields_of_a_run_that_others_deleted_can_be_written_again(
    evaluated: Samples,
) -> None:
    evaluated.dataset.delete_run("area")
    assert list_mask_evaluations(evaluated.dataset) == ["cover"]
    area = evaluate_mask_area(evaluated.dataset, eval_key="area")
    assert area.summary()["foreground_px"] == 150


@pytest.mark.parametrize(
    "field",
    ["area_px", "segmentations.polylines.area_px", "cover_overlap", "cover_classes"],
)
def test_figures_whose_fields_others_deleted_are_not_those_of_nothing(
    samples: Samples, field: str
) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    dataset = samples.dataset
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    evaluate_mask_coverage(dataset, label_field="segmentations", eval_key="cover")
    dataset.delete_sample_field(field)
    key, other = ("area", "cover") if "area" in field else ("cover", "area")
    gone = load_mask_evaluation(dataset, key)
    with pytest.raises(CocoMaskError, match=f"the field '{field}', which the dataset"):
        gone.summary()
    assert load_mask_evaluation(dataset, other).summary()["images"] == 1
    # What is written anew is there again.
    assert list(refresh_mask_evaluations(dataset)) == [key]
    summary = load_mask_evaluation(dataset, key).summary()
    assert (summary["images"], summary["foreground_px"]) == (1, 150)
    assert refresh_mask_evaluations(dataset) == {}


def test_a_run_that_fiftyone_has_renamed_without_its_fields_says_so(
    samples: Samples, tmp_path: Path
) -> None:
    samples.add("a.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
    dataset = samples.dataset
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    dataset.rename_run("area", "size")
    with pytest.raises(CocoMaskError, match="'size' is of the field 'size_px'"):
        load_mask_evaluation(dataset, "size").per_class()
    report = write_report(dataset, tmp_path / "report.html").read_text()
    assert "Its field size_px is no longer there; evaluate again." in report
    dataset.rename_run("size", "area")
    rename_mask_evaluation(dataset, "area", "size")
    found = load_mask_evaluation(dataset, "size").summary()
    assert found["foreground_px"] == 150


_OPEN_WITHOUT_PLUGIN = """
import sys
sys.modules["fiftyone_cocomask"] = None  # importing it raises
from fiftyone.core.odm import DynamicEmbeddedDocument
from fiftyone.core.service import DatabaseService
DatabaseService.service_name = sys.argv[2]
import fiftyone as fo
dataset = fo.load_dataset(sys.argv[1])
print(dataset.list_runs())
for key in dataset.list_runs():
    print(dataset.get_run_info(key).config.method)
    print(type(dataset.load_run_results(key)).__module__)
for sample in dataset:
    sample.to_dict()
"""


def test_a_dataset_with_runs_opens_where_the_plugin_is_absent(
    evaluated: Samples,
) -> None:
    evaluated.dataset.persistent = True
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            _OPEN_WITHOUT_PLUGIN,
            evaluated.dataset.name,
            DatabaseService.service_name,
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=evaluated.folder,
    )
    # FiftyOne may say something about its database first.
    assert answer.stdout.splitlines()[-5:] == [
        "['area', 'cover']",
        "cocomask/area",
        "fiftyone.core.runs",
        "cocomask/coverage",
        "fiftyone.core.runs",
    ]


def test_a_slice_that_is_not_the_active_one_is_renamed_along(samples: Samples) -> None:
    dataset = samples.dataset
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    made = [
        fo.Sample(
            samples.image(f"{name}.jpg"),
            group=group.element(name),
            mask=fo.Segmentation(mask=mask_of_boxes(LEFT)),
            segmentations=fo.Polylines(polylines=[polyline(LEFT, "a")]),
        )
        for name in ("left", "right")
    ]
    dataset.add_samples(made)
    evaluate_mask_area(dataset, label_field="segmentations", eval_key="area")
    dataset.group_slice = "right"
    rename_mask_evaluation(dataset, "area", "size")
    left, right = (samples.raw(sample) for sample in made)
    assert left["size_px"] == 150
    assert left["segmentations"]["polylines"][0]["size_px"] == 150
    assert "area_px" not in left["segmentations"]["polylines"][0]
    assert right.get("size_px") is None
    assert load_mask_evaluation(dataset, "size").summary()["objects"] == 1


def test_an_evaluation_that_runs_is_not_renamed_nor_deleted_nor_run_again(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fiftyone_cocomask.datasets.locks._WAITS_S", 0)
    sample = samples.add("a.jpg", mask_of_boxes(LEFT))
    dataset, said = samples.dataset, []

    def disturb(bar: Any) -> None:
        for act in (
            lambda: delete_mask_evaluation(dataset, "area"),
            lambda: rename_mask_evaluation(dataset, "area", "size"),
            lambda: rename_mask_evaluation(dataset, "size", "area"),
            lambda: evaluate_mask_area(dataset, eval_key="area"),
        ):
            with pytest.raises(CocoMaskError) as raised:
                act()
            said.append(str(raised.value))

    evaluate_mask_area(dataset, eval_key="area", progress=disturb)
    assert len(said) >= 4
    assert all("another run of 'area' going on" in sentence for sentence in said)
    assert samples.raw(sample)["area_px"] == 150
    delete_mask_evaluation(dataset, "area")
    assert list_mask_evaluations(dataset) == []


def test_an_evaluation_that_is_deleted_while_it_runs_leaves_nothing(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fiftyone_cocomask.datasets.measuring.reading._BATCH_SIZE", 1)
    made = [
        samples.add(f"{name}.jpg", mask_of_boxes(LEFT), lines=[polyline(LEFT, "a")])
        for name in "abc"
    ]
    samples.dataset.compute_metadata()
    before = schema(samples.dataset)

    def delete(bar: Any) -> None:
        # As FiftyOne itself does it: it knows no locks.
        if bar.iteration == 2:
            samples.dataset.delete_run("area")
            fields = schema(samples.dataset) - before
            samples.dataset.delete_sample_fields(sorted(fields))

    with pytest.raises(CocoMaskError, match="deleted"):
        evaluate_mask_area(
            samples.dataset,
            label_field="segmentations",
            eval_key="area",
            progress=delete,
        )
    samples.dataset.reload()
    assert list_mask_evaluations(samples.dataset) == []
    assert schema(samples.dataset) == before
    for sample in made:
        document = samples.raw(sample)
        assert "area_px" not in document
        assert "area_px" not in document["segmentations"]["polylines"][0]


def test_deleting_and_renaming_once_more_is_not_an_error(evaluated: Samples) -> None:
    dataset = evaluated.dataset
    for _ in range(2):
        rename_mask_evaluation(dataset, "area", "size")
        assert list_mask_evaluations(dataset) == ["cover", "size"]
    for _ in range(2):
        delete_mask_evaluation(dataset, "size")
        assert list_mask_evaluations(dataset) == ["cover"]
    with pytest.raises(CocoMaskError, match="no mask evaluation 'area'"):
        rename_mask_evaluation(dataset, "area", "size")
    with pytest.raises(CocoMaskError, match="no mask evaluation 'siez'"):
        delete_mask_evaluation(dataset, "siez")


def test_a_rename_that_was_stopped_is_said_and_completed(
    evaluated: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = evaluated.dataset
    before = load_mask_evaluation(dataset, "area").summary()

    def stop(*_: Any) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr("fiftyone_cocomask.datasets.run_changes.move_values", stop)
        with pytest.raises(StoppedError):
            rename_mask_evaluation(dataset, "area", "size")
    assert [sample["area_px"] for sample in dataset] == [150, 0]
    for key in ("area", "size"):
        with pytest.raises(CocoMaskError, match="rename it again"):
            load_mask_evaluation(dataset, key)
    rename_mask_evaluation(dataset, "area", "size")
    after = load_mask_evaluation(dataset, "size").summary()
    assert after == before | {"eval_key": "size"}


def test_a_view_that_no_run_can_keep_is_one_sentence(evaluated: Samples) -> None:
    """FiftyOne keeps the stages of a view with its run."""
    dataset, before = evaluated.dataset, schema(evaluated.dataset)
    huge = "a" * 2**20
    view = dataset.match({"filepath": {"$nin": [f"{huge}{n}" for n in range(15)]}})
    view = view.match({"filepath": {"$ne": huge + huge}})
    with pytest.raises(CocoMaskError, match="at most 16 MB"):
        evaluate_mask_area(view, eval_key="new")
    assert schema(dataset) == before
    assert list_mask_evaluations(dataset) == ["area", "cover"]
