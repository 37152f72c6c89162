"""Imports whose images several tasks read, and the last one writes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from fiftyone.core.odm import get_db_conn

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets import locks
from fiftyone_cocomask.datasets.documents import dataset_id, insert_encoded_documents
from fiftyone_cocomask.datasets.importing import tasks, writer
from fiftyone_cocomask.datasets.importing.task_run import finish_run
from fiftyone_cocomask.datasets.parallel.shared_runs import SplitRun

from .small_export import (
    HEIGHT,
    WIDTH,
    annotation,
    image_name,
    imported_content,
    write_changing_export,
    write_split,
)


@pytest.fixture(autouse=True)
def _nothing_is_left(new_dataset: Any) -> Iterator[None]:
    yield
    for kind in ("files", "chunks"):
        assert not get_db_conn()[f"cocomask.imports.{kind}"].count_documents({})


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_changing_export(tmp_path / "export")


def do_task(dataset: fo.Dataset, run_id: str, number: int) -> Any:
    """Does one task, and what is left if it is the last one."""
    run = SplitRun(dataset, run_id)
    run.begin_task(number)
    parts = run.end_task(number, tasks.read_part(dataset, run, number, False))
    if parts is None:
        return None
    joined = tasks.join_parts(dataset, run, parts, False)
    finish_run(dataset, run, {"a.b": 1})
    return joined


def import_in_tasks(
    path: str | Path, name: str, order: Sequence[int] = (3, 1, 2), **options: Any
) -> Any:
    dataset, run_id, number = tasks.begin_tasks(
        path, name, num_tasks=len(order), **options
    )
    assert number == len(order)
    *others, whole = (do_task(dataset, run_id, number) for number in order)
    assert others == [None] * len(others)
    return whole


def found(dataset: fo.Dataset, report: fcm.ExportReport) -> list[Any]:
    """Returns all that an import decides; a zip's files have folders of their own."""
    dataset.reload()
    content = imported_content(dataset)
    for row in content:
        row["filepath"] = Path(row["filepath"]).name
    return [
        [Path(path).name for path in dataset.values("filepath")],
        content,
        [issue.to_dict() for issue in report.issues],
        report.to_dict(),
        {path: str(field) for path, field in dataset.get_field_schema().items()},
        list(dataset.get_field_schema(flat=True)),
        dict(dataset.info["coco"]),
        (dataset.default_classes, dataset.default_mask_targets),
    ]


@pytest.mark.parametrize("is_zip", [False, True])
def test_tasks_import_what_one_process_does(export: Path, is_zip: bool) -> None:
    path: str | Path = export
    if is_zip:
        path = shutil.make_archive(str(export.parent / "zipped"), "zip", export)
    imported = fcm.import_roboflow_coco(path, "one", tags=["mine"])
    expected = found(*imported)
    assert {"attribute_renamed", "duplicate_file_name"} <= expected[3]["counts"].keys()
    assert found(*import_in_tasks(path, "tasks", tags=["mine"])) == expected
    # Again, over what a person and the export have changed.
    json_path = export / "valid" / "_annotations.coco.json"
    content = json.loads(json_path.read_text())
    content["annotations"] += [annotation(5, 0, category_id=2)]
    new = {"id": 99, "file_name": "new.png", "width": WIDTH, "height": HEIGHT}
    content["images"].append(new)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(json_path.with_name(new["file_name"])), picture)
    json_path.write_text(json.dumps(content))
    if is_zip:
        path = shutil.make_archive(str(export.parent / "zipped"), "zip", export)
    for name in ("one", "tasks"):
        dataset = fo.load_dataset(name)
        sample = dataset.match({"coco_id": 0, "split": "train"}).first()
        sample.segmentations.polylines[0].label = "mine"
        sample.save()
        dataset.delete_samples(dataset.match({"coco_id": 7}).first().id)
    again = fcm.import_roboflow_coco(path, "one", tags=["mine"])
    assert again[1].merge is not None
    counts = again[1].merge
    assert counts["edits_kept"] == counts["images_new"] == counts["images_deleted"] == 1
    assert found(*import_in_tasks(path, "tasks", tags=["mine"])) == found(*again)
    if not is_zip:
        replaced = fcm.import_roboflow_coco(path, "one", if_exists="replace")
        in_tasks = import_in_tasks(path, "tasks", if_exists="replace")
        assert found(*in_tasks) == found(*replaced)


def test_files_that_several_splits_list_are_told_as_one_process_does(
    tmp_path: Path,
) -> None:
    names = [image_name(f"{number}") for number in range(6)]
    write_split(tmp_path / "export", names, [annotation(n, n) for n in range(6)])
    first = tmp_path / "export" / "_annotations.coco.json"
    shutil.copy(first, first.with_name("instances_train.json"))
    first.rename(first.with_name("instances_valid.json"))
    expected = found(*fcm.import_roboflow_coco(tmp_path / "export", "one"))
    assert expected[3]["counts"]["duplicate_file_name"] == 6
    assert found(*import_in_tasks(tmp_path / "export", "tasks")) == expected


def test_a_last_task_that_is_killed_while_it_writes_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [image_name(f"{number}") for number in range(9)]
    annotations = [annotation(n, n % 9, depth=n) for n in range(20)]
    export = write_split(tmp_path / "export", names, annotations)
    expected = found(*fcm.import_roboflow_coco(export, "one"))
    dataset, run_id, _ = tasks.begin_tasks(export, "tasks", num_tasks=3)
    for number in (1, 2):
        assert do_task(dataset, run_id, number) is None
    monkeypatch.setattr(writer, "BATCH_SIZE", 2)
    calls = []

    def killed(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        # What the tasks have made is written as it is, and no image is read again.
        insert_encoded_documents(*arguments)

    monkeypatch.setattr(writer, "insert_encoded_documents", killed)
    with pytest.raises(KeyboardInterrupt):
        do_task(dataset, run_id, 3)
    assert len(dataset) == 6
    monkeypatch.setattr(writer, "insert_encoded_documents", insert_encoded_documents)
    assert found(*do_task(dataset, run_id, 3)) == expected
    assert SplitRun(dataset, run_id).results == {"a.b": 1}


def test_what_a_task_cannot_use_of_others_is_read_again(export: Path) -> None:
    expected = found(*fcm.import_roboflow_coco(export, "one"))
    dataset, run_id, _ = tasks.begin_tasks(export, "tasks", num_tasks=4)
    for number in (1, 2, 3):
        do_task(dataset, run_id, number)
    chunks = get_db_conn()["cocomask.imports.chunks"]
    # One lost what it wrote; what another one made is of another version.
    chunks.delete_many({"files_id": {"$regex": f"^{run_id}/2/"}})
    store = SplitRun(dataset, run_id)._store
    key = f"{run_id}/part/3"
    store.set(key, {**store.get(key), "made_by": "0.0"})
    # It is of a machine that is gone, whose lock lasts longer than others wait for.
    until = locks._now() + timedelta(seconds=locks._WAITS_S + 1)
    gone = {"owner": "gone", "place": "elsewhere/1", "process": 7, "started": 0.0}
    key = f"{dataset_id(dataset)}/import"
    entry = {"_id": f"{key}/gone", "lock": key, "shared": True, "expires": until}
    locks._locks().insert_one({**entry, **gone, "since": locks._now()})
    assert found(*do_task(dataset, run_id, 4)) == expected


def test_tasks_of_an_import_that_another_one_has_replaced_fail(export: Path) -> None:
    dataset, run_id, _ = tasks.begin_tasks(export, "tasks", num_tasks=2)
    do_task(dataset, run_id, 1)
    run = SplitRun(dataset, run_id)
    fcm.import_roboflow_coco(export, dataset)
    before = imported_content(dataset)
    for do in (
        lambda: do_task(dataset, run_id, 2),
        # One that had begun when the other import did.
        lambda: tasks.read_part(dataset, run, 2, False),
        lambda: tasks.join_parts(dataset, run, [], False),
    ):
        with pytest.raises(fcm.CocoMaskError, match="another import since this task"):
            do()
    assert imported_content(dataset) == before


def test_tasks_do_not_mix_versions_of_an_export(export: Path) -> None:
    dataset, run_id, _ = tasks.begin_tasks(export, "tasks", num_tasks=2)
    do_task(dataset, run_id, 2)
    write_split(export / "valid", [image_name("other")], [annotation(0, 0)])
    with pytest.raises(fcm.CocoMaskError, match="no longer, the one that this import"):
        do_task(dataset, run_id, 1)
    assert len(dataset) == 0
    import_in_tasks(export, "tasks", order=(1, 2))
    assert len(dataset) == 10
