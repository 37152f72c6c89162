"""Somebody else at work on a dataset while a function of the SDK writes to it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.documents import (
    change_documents,
    read_documents,
    writing,
)
from fiftyone_cocomask.datasets.importing import writer
from fiftyone_cocomask.datasets.issues import marks
from fiftyone_cocomask.datasets.masks import compute
from fiftyone_cocomask.datasets.measuring import reading

from .small_export import annotation, write_split

NAMES = [f"{number}.jpg" for number in range(6)]
EXPORT_OF: dict[str, Path] = {}
Work = Callable[[fo.Dataset, Any], Any]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    annotations = [annotation(number, number) for number in range(len(NAMES))]
    return write_split(tmp_path_factory.mktemp("export") / "e", NAMES, annotations)


@pytest.fixture
def dataset(new_dataset: Any, export: Path) -> fo.Dataset:
    dataset, _ = fcm.import_roboflow_coco(export, "meanwhile")
    EXPORT_OF["meanwhile"] = export
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, eval_key="area", label_field="segmentations")
    return dataset


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes all work go by twos, so that progress is reported between writes."""
    for module, name in (
        (writer, "BATCH_SIZE"),
        (compute, "BATCH_OF_ONE"),
        (reading, "_BATCH_SIZE"),
        (marks, "_BATCH_SIZE"),
    ):
        monkeypatch.setattr(module, name, 2)


def once(action: Callable[[], Any]) -> Callable[[Any], None]:
    """Returns a progress function that does something the first time."""
    done: list[Any] = []

    def progress(bar: Any) -> None:
        if not done:
            done.append(bar)
            action()

    return progress


def import_again(dataset: fo.Dataset, progress: Any) -> Any:
    path = EXPORT_OF[dataset.name]
    return fcm.import_roboflow_coco(path, dataset, tags=["new"], progress=progress)


def replace(dataset: fo.Dataset, progress: Any) -> Any:
    path = EXPORT_OF[dataset.name]
    return fcm.import_roboflow_coco(
        path, dataset, if_exists="replace", progress=progress
    )


def masks_again(dataset: fo.Dataset, progress: Any) -> Any:
    return fcm.compute_masks(dataset, overwrite=True, progress=progress)


def area_again(dataset: fo.Dataset, progress: Any) -> Any:
    fcm.compute_masks(dataset, rasterizer="opencv")
    return fcm.evaluate_mask_area(
        dataset, eval_key="area", label_field="segmentations", progress=progress
    )


def search(dataset: fo.Dataset, progress: Any) -> Any:
    return fcm.find_mask_issues(dataset, progress=progress)


WORK: list[tuple[Work, str]] = [
    (import_again, "split"),
    (import_again, "segmentations"),
    (masks_again, "mask"),
    (area_again, "area_px"),
]


@pytest.mark.parametrize(("work", "field"), WORK)
@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_field_that_is_gone_is_said_and_the_dataset_stays_readable(
    dataset: fo.Dataset, work: Work, field: str, *, is_renamed: bool
) -> None:
    def take_away() -> None:
        if is_renamed:
            dataset.rename_sample_field(field, "renamed")
        else:
            dataset.delete_sample_field(field)

    with pytest.raises(fcm.CocoMaskError, match=field):
        work(dataset, once(take_away))
    dataset.reload()
    assert not dataset.has_field(field)
    for sample in dataset:
        assert field not in sample.field_names
    assert dataset._sample_collection.count_documents({field: {"$exists": True}}) == 0


@pytest.mark.parametrize(
    ("work", "field"), [(replace, "split"), (replace, "segmentations"), *WORK[2:]]
)
def test_what_is_written_while_a_field_is_being_deleted_does_not_stay(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch, work: Work, field: str
) -> None:
    if work is area_again:
        fcm.compute_masks(dataset, rasterizer="opencv")
    noted = writing._note_written

    def note(written: Any, paths: set[str]) -> None:
        noted(written, paths)
        if field in paths and written.last().id in changed(written):
            # FiftyOne's second step, whose first came before this write.
            schemas = written._sample_collection.database.datasets
            removed = {"$pull": {"sample_fields": {"name": field}}}
            schemas.update_one({"_id": written._doc.id}, removed)

    before = dict(zip(*dataset.values(["id", "last_modified_at"]), strict=True))

    def changed(written: Any) -> set[str]:
        now = zip(*written.values(["id", "last_modified_at"]), strict=True)
        return {i for i, time in now if before.get(i) != time}

    monkeypatch.setattr(writing, "_note_written", note)
    with suppress(fcm.CocoMaskError):
        work(dataset, None)
    dataset.reload()
    assert not dataset.has_field(field)
    assert dataset._sample_collection.count_documents({field: {"$exists": True}}) == 0
    assert len([sample.to_dict() for sample in dataset]) >= len(NAMES)


@pytest.mark.parametrize(("work", "field"), [(replace, "segmentations"), *WORK[2:]])
def test_a_deletion_that_ends_after_the_run_leaves_nothing_of_a_field(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch, work: Work, field: str
) -> None:
    # Called below instead: a busy machine would be late.
    monkeypatch.setattr(writing, "_SETTLES_S", 3600.0)
    work(dataset, None)
    removed = {"$pull": {"sample_fields": {"name": field}}}
    schemas = dataset._sample_collection.database.datasets
    schemas.update_one({"_id": dataset._doc.id}, removed)
    assert dataset._sample_collection.count_documents({field: {"$exists": True}})
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
            thread.function(*thread.args)
    assert dataset._sample_collection.count_documents({field: {"$exists": True}}) == 0
    dataset.reload()
    assert len([sample.to_dict() for sample in dataset]) >= len(NAMES)


def test_what_is_renamed_to_a_fields_name_right_after_the_run_is_kept(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Called below instead: a busy machine would be late.
    monkeypatch.setattr(writing, "_SETTLES_S", 3600.0)
    replace(dataset, None)
    number = dataset.count("segmentations.polylines")
    dataset.rename_sample_field("segmentations", "other")
    moved = dataset._sample_doc_cls._rename_fields_simple

    def move(*arguments: Any) -> None:
        # FiftyOne's first step, before it declares the new name.
        moved(*arguments)
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.cancel()
                thread.function(*thread.args)

    monkeypatch.setattr(dataset._sample_doc_cls, "_rename_fields_simple", move)
    dataset.rename_sample_field("other", "segmentations")
    assert dataset.count("segmentations.polylines") == number > 0


@pytest.mark.parametrize("work", [import_again, masks_again, area_again, search])
def test_a_dataset_deleted_meanwhile_is_one_sentence(
    dataset: fo.Dataset, work: Work
) -> None:
    collection = dataset._sample_collection_name
    database = dataset._sample_collection.database
    with pytest.raises(fcm.CocoMaskError, match="deleted"):
        work(dataset, once(lambda: fo.delete_dataset("meanwhile")))
    assert collection not in database.list_collection_names()
    with pytest.raises(fcm.CocoMaskError, match="deleted"):
        work(dataset, None)


@pytest.mark.parametrize("work", [import_again, masks_again, area_again, search])
def test_a_dataset_that_another_process_deletes_does_not_come_back(
    dataset: fo.Dataset, work: Work
) -> None:
    database = dataset._sample_collection.database
    collection = dataset._sample_collection_name

    def delete() -> None:
        database.datasets.delete_one({"name": "meanwhile"})
        database.drop_collection(collection)

    with pytest.raises(fcm.CocoMaskError, match="deleted"):
        work(dataset, once(delete))
    assert "meanwhile" not in fo.list_datasets()
    assert collection not in database.list_collection_names()


@pytest.mark.parametrize("work", [import_again, masks_again])
@pytest.mark.parametrize("field", ["coco_id", "mask"])
def test_a_field_deleted_by_another_process_before_is_no_longer_the_datasets(
    dataset: fo.Dataset, work: Work, field: str
) -> None:
    """FiftyOne in this process still has the field, and the places of all others."""
    database = dataset._sample_collection.database
    removed = {"$pull": {"sample_fields": {"name": field}}}
    database.datasets.update_one({"name": "meanwhile"}, removed)
    dataset._sample_collection.update_many({}, {"$unset": {field: ""}})
    work(dataset, None)
    stored = database.datasets.find_one({"name": "meanwhile"})
    assert stored is not None
    # A change that was saved by its place would have left a field without a name.
    assert all(
        field.get("name") and field["ftype"] for field in stored["sample_fields"]
    )
    dataset.reload()
    assert len(list(dataset)) == len(NAMES)
    made_again = {import_again: "coco_id", masks_again: "mask"}[work]
    assert dataset.has_field(field) == (field == made_again)


def test_masks_of_another_process_do_not_leave_their_values_names(
    dataset: fo.Dataset,
) -> None:
    """FiftyOne in this process has the names of before the other's masks."""
    datasets = dataset._sample_collection.database.datasets
    fcm.compute_masks(dataset, mode="instance")
    of_another = datasets.find_one({"name": "meanwhile"})
    fcm.compute_masks(dataset, mode="semantic")
    names = dict(dataset.mask_targets["mask"])
    datasets.replace_one({"name": "meanwhile"}, of_another)
    fcm.compute_masks(dataset, mode="semantic")
    dataset.reload()
    assert dataset.mask_targets["mask"] == names
    assert set(names.values()) <= set(dataset.distinct("segmentations.polylines.label"))


@pytest.mark.parametrize("work", [import_again, masks_again, area_again, search])
def test_a_sample_deleted_meanwhile_costs_nothing(
    dataset: fo.Dataset, work: Work
) -> None:
    gone = dataset.last().id
    work(dataset, once(lambda: dataset.delete_samples([gone])))
    dataset.reload()
    assert gone not in dataset.values("id")
    for sample in dataset:
        assert sample.segmentations.polylines


def test_what_somebody_sets_between_reading_and_writing_is_kept(
    dataset: fo.Dataset,
) -> None:
    ids = [sample._id for sample in dataset]
    changes = 0

    def add_tag(document: dict[str, Any], now: datetime) -> dict[str, Any] | None:
        nonlocal changes
        if changes < 3:
            changes += 1
            sample = dataset[str(document["_id"])]
            sample.tags.append(f"by hand {changes}")
            sample.save()
        tags = document["tags"]
        return None if "ours" in tags else {"tags": [*tags, "ours"]}

    assert change_documents(dataset, ids, ["tags"], add_tag) == len(ids)
    found = read_documents(dataset, ids, ["tags"])
    assert all("ours" in document["tags"] for document in found)
    by_hand = [tag for d in found for tag in d["tags"] if tag.startswith("by hand")]
    assert len(by_hand) == 3


def test_a_deleted_dataset_is_neither_compared_nor_reported(
    dataset: fo.Dataset, tmp_path: Path
) -> None:
    fo.delete_dataset(dataset.name)
    with pytest.raises(fcm.CocoMaskError, match="deleted"):
        fcm.compare_exports(dataset, EXPORT_OF["meanwhile"])
    with pytest.raises(fcm.CocoMaskError, match="deleted"):
        fcm.write_report(dataset, tmp_path / "report.html")
