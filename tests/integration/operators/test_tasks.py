"""One job in several tasks, done by several processes that share a queue."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError

import fiftyone_cocomask as fcm
from tests.conftest import needs_posix
from tests.plugin import uri

from ..small_export import annotation
from .delegation import count, operations, run_next
from .workers import Workers

# Of the large images.
COUNT = 90
WIDTH, HEIGHT = 3000, 2000

Operator = Callable[[str], Any]


def star(random: np.random.Generator) -> list[tuple[float, float]]:
    """Returns a ring in relative coordinates."""
    angles = np.sort(random.random(40)) * 2 * np.pi
    radii = 0.2 * random.random(40)
    ring = random.random(2) + radii[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )
    return [(float(x), float(y)) for x, y in ring.clip(0, 1)]


@pytest.fixture
def whole(tmp_path: Path) -> fo.Dataset:
    """Large images, each with 20 objects."""
    random = np.random.default_rng(3)
    dataset = fo.Dataset("whole", persistent=True)
    picture = tmp_path / "picture.jpg"
    cv2.imwrite(str(picture), np.zeros((HEIGHT, WIDTH), np.uint8))
    samples = []
    for number in range(COUNT):
        path = tmp_path / f"{number:03}.jpg"
        os.link(picture, path)
        lines = [
            fo.Polyline(label="ab"[i % 2], points=[star(random)], closed=True)
            for i in range(20)
        ]
        # One of them has nothing to draw, one no labels.
        labels = fo.Polylines(polylines=lines if number else [fo.Polyline(label="a")])
        samples.append(
            fo.Sample(
                filepath=str(path),
                metadata=fo.ImageMetadata(width=WIDTH, height=HEIGHT),
                segmentations=labels if number != 1 else None,
            )
        )
    dataset.add_samples(samples)
    return dataset


@pytest.fixture
def split(whole: fo.Dataset) -> fo.Dataset:
    """The same, also by the ids of its samples and labels."""
    return whole.clone("split", persistent=True)


@pytest.fixture(autouse=True)
def _queue() -> Iterator[None]:
    yield
    empty_queue()


def empty_queue() -> None:
    for operation in operations():
        DelegatedOperationService().delete_operation(operation.id)


def run_all() -> list[Any]:
    """Runs all that is queued in this process, and returns the results."""
    outcomes = []
    while operations("queued"):
        outcome = run_next()
        assert outcome.error is None
        outcomes.append(outcome.result)
    return outcomes


# What two datasets that hold the same have each for themselves.
OWN = {
    *("_id", "_dataset_id", "_rand", "created_at", "last_modified_at"),
    # Of a mask's own file and its name.
    *("file_state", "fingerprint"),
    # When a mask was measured, and a sample written.
    *("at", "as_of"),
    # In the base of an import: with the ids of labels.
    "labels",
}


def comparable(value: Any) -> Any:
    """Returns a document without what differs between equal datasets."""
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items() if k not in OWN}
    if isinstance(value, list):
        # Points, of which there are many, are as they are.
        is_data = bool(value) and isinstance(value[0], (dict, str))
        return [comparable(item) for item in value] if is_data else value
    if isinstance(value, str) and value.endswith(".png"):
        return Path(value).name, Path(value).read_bytes()
    return value


def content(dataset: fo.Dataset) -> Any:
    """Returns all that a dataset holds of its samples, with its masks' bytes."""
    dataset.reload()
    samples = dataset._sample_collection.find().sort("filepath", 1)
    schema = {k: str(v) for k, v in dataset.get_field_schema(flat=True).items()}
    return schema, [comparable(sample) for sample in samples]


def named_by_file(report: Any) -> Any:
    """Returns what a job found, without the ids of a dataset's samples and labels."""
    if isinstance(report, dict):
        own = {"sample_id", "label_id", "seconds", "output_dir", "created_at"}
        return {k: named_by_file(v) for k, v in report.items() if k not in own}
    if isinstance(report, list):
        return sorted(map(str, map(named_by_file, report)))
    return report


def images_of(report: dict[str, Any]) -> dict[str, Any]:
    """Returns figures of all images, also of those that a killed task has drawn."""
    names = ("images", "boxes", "skipped", "num_skipped")
    objects = report["objects"] + report["unchanged_objects"]
    return named_by_file({name: report[name] for name in names} | {"objects": objects})


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    folder = tmp_path / "workers"
    folder.mkdir()
    workers = Workers(folder)
    yield workers
    workers.stop()


def finish(
    workers: Workers, killed: str, *, by_commands: bool, in_its_place: bool = True
) -> None:
    """Has the task of a killed worker done again, by the commands of the README."""
    if in_its_place:
        workers.start(1)
    workers.wait(lambda: count("completed") == count() - 1)
    if by_commands:
        workers.command("fail", killed)
        workers.command("rerun", killed)
    else:
        # What those call.
        service = DelegatedOperationService()
        service.set_failed(ObjectId(killed))
        service.rerun_operation(ObjectId(killed))
    workers.wait(lambda: not count("queued") + count("running"))
    states = [operation.run_state for operation in operations()]
    assert states.count("failed") == 1
    assert states.count("completed") == len(states) - 1


def joined() -> dict[str, Any]:
    """Returns the results of the whole, which the operation has that ended last.

    Another one has them, too, where the worker was killed after its task was done.
    """
    last = max(operations("completed"), key=lambda operation: operation.completed_at)
    whole: dict[str, Any] = last.result.result
    assert "num_tasks" not in whole
    return whole


@needs_posix
def test_three_workers_of_which_one_is_killed_do_what_one_process_does(
    operator: Operator,
    workers: Workers,
    split: fo.Dataset,
    whole: fo.Dataset,
    tmp_path: Path,
) -> None:
    expected = operator("compute_masks")(
        whole, mode="semantic", output_dir=str(tmp_path / "whole")
    ).result
    workers.start(3)
    folder = tmp_path / "split"
    queued = operator("compute_masks")(
        split, mode="semantic", output_dir=str(folder), num_tasks=6
    ).result
    assert queued["num_tasks"] == len(operations()) == 6

    def has_files(operation: Any) -> bool:
        part = fo.DatasetView._build(
            split, operation.context.request_params["view"]
        ).values("filepath")
        # Files get their names together, in a moment that can be missed.
        if any(folder.rglob(".writing-*")):
            return True
        drawn = {path.stem for path in folder.rglob("*.png")}
        return 1 <= len(drawn & {Path(path).stem for path in part}) < len(part)

    killed = workers.kill_one_in_the_middle(has_files)
    finish(workers, killed, by_commands=True)
    assert content(split) == content(whole)
    assert images_of(joined()) == images_of(expected)
    assert split.mask_targets == whole.mask_targets
    infos = [each.get_field("mask").info for each in (split, whole)]
    options = [dict(info["cocomask"]) for info in infos]
    # They have a folder each.
    folders = [Path(each.pop("output_dir")).name for each in options]
    assert folders == ["split", "whole"]
    assert options[0] == options[1]
    again = operator("compute_masks")(split, mode="semantic", output_dir=str(folder))
    assert again.result["unchanged"] == expected["images"] == COUNT - 1

    empty_queue()
    # Labels of another field than that of the masks have to be drawn, which takes time.
    for dataset in (split, whole):
        dataset.clone_sample_field("segmentations", "others")
    arguments = {"label_field": "others", "eval_key": "size"}
    expected = operator("evaluate_mask_area")(whole, **arguments).result
    operator("evaluate_mask_area")(split, **arguments, num_tasks=6)
    killed = workers.kill_one_in_the_middle(lambda operation: True)
    finish(workers, killed, by_commands=False)
    assert content(split) == content(whole)
    assert named_by_file(joined()) == named_by_file(expected)

    empty_queue()
    export = write_export(tmp_path)
    expected = operator("import_roboflow_coco")(export, "imported whole").result
    queued = operator("import_roboflow_coco")(export, "imported split", num_tasks=6)
    assert queued.result["num_tasks"] == len(operations()) == 6
    killed = workers.kill_one_in_the_middle(lambda operation: True)
    finish(workers, killed, by_commands=False, in_its_place=False)
    split, whole = map(fo.load_dataset, ("imported split", "imported whole"))
    assert split.values("filepath") == whole.values("filepath")
    assert content(split) == content(whole)
    assert len(split) == COUNT
    result = joined()
    assert (result.pop("dataset"), expected.pop("dataset")) == (split.name, whole.name)
    assert result == expected


def write_export(folder: Path) -> Path:
    """Writes a JSON of polygons on the large images that are in a folder."""
    random = np.random.default_rng(5)
    pixels = np.array([WIDTH, HEIGHT])
    names = sorted(path.name for path in folder.glob("[0-9]*.jpg"))
    rings = [(np.array(star(random)) * pixels).ravel().tolist() for _ in names]
    annotations = [
        annotation(number * 100 + image, image, segmentation=[ring], depth=number)
        for image, ring in enumerate(rings)
        for number in range(80)
    ]
    images = [
        {"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
        for number, name in enumerate(names)
    ]
    path = folder / "_annotations.coco.json"
    content = {"images": images, "annotations": annotations, "categories": []}
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def small(demo_export: Path) -> fo.Dataset:
    dataset, _ = fcm.import_roboflow_coco(demo_export, "small")
    return dataset


def test_each_task_is_an_operation_on_its_part_of_the_view(
    operator: Operator, small: fo.Dataset
) -> None:
    view = small.match_tags("train").sort_by("filepath", reverse=True)
    operator("compute_masks")(view, num_tasks=3)
    parts = [
        fo.DatasetView._build(small, operation.context.request_params["view"])
        for operation in operations("queued")
    ]
    ids = [part.values("id") for part in parts]
    assert sorted(itertools.chain(*ids)) == sorted(view.values("id"))
    assert max(map(len, ids)) - min(map(len, ids)) <= 1
    labels = [operation.label for operation in operations()]
    assert labels == [f"Compute masks: task {n} of 3" for n in (1, 2, 3)]

    results = run_all()
    assert [("num_tasks" in result) for result in results] == [True, True, False]
    assert results[-1]["images"] == len(view)
    assert small.exists("mask").values("id") == small.match_tags("train").values("id")


def test_an_evaluation_in_tasks_of_a_view_keeps_what_is_outside(
    operator: Operator, small: fo.Dataset
) -> None:
    fcm.compute_masks(small)
    fcm.evaluate_mask_coverage(small, eval_key="share")
    before = small.values("share_ratio")
    view = small.match_tags("train")
    operator("evaluate_mask_coverage")(view, eval_key="share", num_tasks=2)
    with pytest.raises(fcm.CocoMaskError, match="queued tasks are done"):
        fcm.load_mask_evaluation(small, "share")
    run_all()
    results = fcm.load_mask_evaluation(small, "share")
    assert results.summary()["images"] == len(small)
    assert small.values("share_ratio") == before


def test_tasks_end_in_any_order_and_may_be_done_again(
    operator: Operator, small: fo.Dataset
) -> None:
    operator("compute_masks")(small, num_tasks=3)
    queued = operations("queued")
    service = DelegatedOperationService()
    outcomes = [service.execute_operation(o).result for o in reversed(queued)]
    assert [("num_tasks" in result) for result in outcomes] == [True, True, False]
    masks = small.values("mask.mask_path")

    again = service.rerun_operation(queued[1].id)
    outcome = service.execute_operation(again).result
    assert outcome["images"] == len(small)
    assert small.values("mask.mask_path") == masks


def test_more_tasks_than_samples_are_as_many_as_samples(
    operator: Operator, small: fo.Dataset
) -> None:
    view = small.limit(2)
    assert operator("compute_masks")(view, num_tasks=500).result["num_tasks"] == 2
    assert run_all()[-1]["images"] == 2


def test_the_active_slice_of_a_grouped_dataset_is_split(
    operator: Operator, small: fo.Dataset
) -> None:
    grouped = fo.Dataset("grouped", persistent=True)
    grouped.add_group_field("group", default="left")
    for sample in small:
        group = fo.Group()
        for name in ("left", "right"):
            copy = fo.Sample(
                filepath=sample.filepath,
                segmentations=sample.segmentations.copy(),
                group=group.element(name),
            )
            grouped.add_sample(copy)
    operator("compute_masks")(grouped, num_tasks=3)
    assert run_all()[-1]["images"] == len(small)
    left, right = (grouped.select_group_slices(name) for name in ("left", "right"))
    assert left.count("mask.mask_path") == len(small)
    assert right.count("mask.mask_path") == 0


def test_an_import_in_tasks_names_the_dataset_when_it_begins(
    operator: Operator, demo_export: Path, tmp_path: Path, app_request: Any
) -> None:
    options = {"path": str(demo_export), "num_tasks": 2, "dry_run": True}
    (problem,) = app_request("import_roboflow_coco", **options).problems()
    assert problem.startswith("Tasks must be 1 with a dry run")
    export = tmp_path / "named"
    shutil.copytree(demo_export, export)
    import_export = operator("import_roboflow_coco")
    with pytest.raises(ExecutionError, match="num_tasks must be 1 with dry_run"):
        import_export(export, dry_run=True, num_tasks=2)
    assert not fo.dataset_exists("named")
    import_export(export, num_tasks=2, num_workers=2)
    dataset = fo.load_dataset("named")
    assert dataset.persistent
    assert len(dataset) == 0
    labels = [operation.label for operation in operations()]
    assert labels == [f"Import a Roboflow COCO export: task {n} of 2" for n in (1, 2)]
    first, last = run_all()
    assert (first["task"], last["dataset"]) == (1, "named")
    assert last["samples"] == len(dataset) == 21
    assert last["next"]
    # Killed when all was done, and so done again.
    service = DelegatedOperationService()
    service.rerun_operation(operations()[0].id)
    assert run_next().result == last
    assert len(dataset) == 21


def test_a_task_whose_run_was_replaced_fails_with_a_sentence(
    operator: Operator, small: fo.Dataset
) -> None:
    operator("compute_masks")(small, num_tasks=2)
    fcm.compute_masks(small, rasterizer="opencv")
    pixels = small.values("mask.foreground_px")
    error = run_next().error
    assert "have been computed with other options since this task was queued" in error
    assert small.values("mask.foreground_px") == pixels
    empty_queue()

    operator("evaluate_mask_area")(small, eval_key="size", num_tasks=2)
    fcm.evaluate_mask_area(small, eval_key="size")
    assert "'size' was deleted or started again since this task" in run_next().error
    fcm.delete_mask_evaluation(small, "size")
    assert "'size' was deleted or started again since this task" in run_next().error
    assert not small.has_field("size_px")


def test_a_failed_task_is_visible_and_is_done_again_alone(
    operator: Operator, small: fo.Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "masks"
    operator("compute_masks")(small, output_dir=str(folder), num_tasks=2)
    # A file is where the folder should be.
    folder.write_text("in the way")
    assert str(folder) in run_next().error
    folder.unlink()
    assert "num_tasks" in run_next().result
    [failed] = operations("failed")
    DelegatedOperationService().rerun_operation(failed.id)
    assert run_next().result["images"] == len(small)


@pytest.mark.parametrize("num_tasks", [0, -1, 1001, 2.5, True, "many"])
def test_a_wrong_number_of_tasks_is_refused_before_anything_is_written(
    operator: Operator, small: fo.Dataset, num_tasks: Any
) -> None:
    small.add_sample_field(
        "drawn", fo.EmbeddedDocumentField, embedded_doc_type=fo.Segmentation
    )
    for name, field in (
        ("compute_masks", "segmentations"),
        ("evaluate_mask_area", "drawn"),
    ):
        with pytest.raises(ExecutionError, match="num_tasks"):
            operator(name)(small, field, num_tasks=num_tasks)
    assert not small.has_field("mask")
    assert not small.list_runs()
    assert not operations()


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("first", "leave it out"),
        ({"run": "x"}, "leave it out"),
        ({"run": "x", "number": 1}, "has no run of tasks 'x'"),
    ],
)
def test_a_task_that_was_never_queued_is_refused(
    small: fo.Dataset, task: Any, sentence: str
) -> None:
    with pytest.raises(ExecutionError, match=sentence):
        foo.execute_operator(uri("compute_masks"), dataset=small, params={"task": task})
    assert not small.has_field("mask")


def test_the_app_is_told_how_many_tasks_are_queued(
    app_request: Any, small: fo.Dataset
) -> None:
    messages = app_request("compute_masks", small, num_tasks=2).messages()
    shown = str([m for m in messages if m["operator_uri"].endswith("show_output")])
    assert "2 tasks are queued" in shown
    assert "fiftyone delegated launch" in shown
    assert len(operations("queued")) == 2


def test_tasks_that_were_asked_for_in_the_app_have_its_leftover_answers(
    app_request: Any, small: fo.Dataset
) -> None:
    answers = {"mask_field": "later", "look_again": False, "classes": []}
    app_request("compute_masks", small, num_tasks=2, **answers).messages()
    assert run_all()[-1]["images"] == len(small)
    small.reload()
    assert small.exists("later").count() == len(small)
