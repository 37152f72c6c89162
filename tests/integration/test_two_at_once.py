"""Two imports at once into one dataset, and what is left of one that was killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets import locks
from fiftyone_cocomask.datasets.documents import dataset_id
from fiftyone_cocomask.datasets.importing import writer
from fiftyone_cocomask.datasets.issues import follow_edits
from fiftyone_cocomask.running import process_space

from .small_export import HEIGHT, WIDTH, annotation, write_split

NAMES = [f"{number}.jpg" for number in range(8)]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    annotations = [annotation(number, number) for number in range(len(NAMES))]
    return write_split(tmp_path / "export", NAMES, annotations)


def file_names(dataset: fo.Dataset) -> list[str]:
    dataset.reload()
    return sorted(dataset.values("file_name"))


def test_a_second_import_says_who_is_at_work(new_dataset: Any, export: Path) -> None:
    said: list[str] = []

    def import_too(bar: Any) -> None:
        with pytest.raises(fcm.CocoMaskError) as raised:
            fcm.import_roboflow_coco(export, "both")
        said.append(str(raised.value))

    dataset, _ = fcm.import_roboflow_coco(export, "both", progress=import_too)
    assert said
    assert f"another import going on, of process {os.getpid()}" in said[0]
    assert file_names(dataset) == NAMES
    fcm.import_roboflow_coco(export, "both")
    assert file_names(dataset) == NAMES


def test_imports_at_once_into_a_new_dataset_add_each_image_once(
    new_dataset: Any, export: Path
) -> None:
    def try_import(number: int) -> str:
        try:
            fcm.import_roboflow_coco(export, "both")
        except fcm.CocoMaskError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(try_import, range(4)))
    assert "" in said
    for sentence in said:
        assert not sentence or "run the same call again" in sentence
    assert file_names(fo.load_dataset("both")) == NAMES


def num_locks(dataset: fo.Dataset) -> int:
    """Returns how many locks of a dataset there are: others may be of killed tests."""
    of_it = {"$regex": f"^{dataset_id(dataset)}/"}
    return int(locks._locks().count_documents({"_id": of_it}))


def held_lock(dataset: fo.Dataset, **changes: Any) -> dict[str, Any]:
    content = {
        "_id": f"{dataset_id(dataset)}/import",
        "work": "import",
        "owner": "somebody",
        "place": process_space(),
        "process": os.getpid(),
        "started": 0.0,
        "since": locks._now(),
        "expires": locks._now() + timedelta(minutes=2),
        **changes,
    }
    locks._locks().insert_one(content)
    return content


def test_the_lock_of_a_killed_process_is_taken_over(
    new_dataset: Any, export: Path
) -> None:
    dataset, _ = fcm.import_roboflow_coco(export, "killed")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for changes in (
        {"process": ended.pid},
        {"started": 1.0},  # another process has the number now
        {"place": "elsewhere/", "expires": locks._now() - timedelta(seconds=1)},
    ):
        held_lock(dataset, **changes)
        fcm.import_roboflow_coco(export, dataset)
        assert num_locks(dataset) == 0


def test_the_lock_of_another_machine_holds_until_it_expires(
    new_dataset: Any, export: Path
) -> None:
    dataset, _ = fcm.import_roboflow_coco(export, "elsewhere")
    content = held_lock(dataset, place="elsewhere/1", process=7)
    with pytest.raises(fcm.CocoMaskError, match="process 7 on elsewhere since"):
        fcm.import_roboflow_coco(export, dataset, if_exists="replace")
    assert file_names(dataset) == NAMES
    locks._locks().delete_one({"_id": content["_id"]})


def test_an_import_whose_lock_was_taken_stops(new_dataset: Any, export: Path) -> None:
    dataset, _ = fcm.import_roboflow_coco(export, "taken")
    with locks.locked(dataset, "import") as lock:
        lock.check()
        locks._locks().update_many({}, {"$set": {"owner": "somebody"}})
        with pytest.raises(fcm.CocoMaskError, match="somebody else has begun"):
            lock.check()
    locks._locks().delete_many({})


def test_those_who_share_a_lock_keep_others_out(
    new_dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_WAITS_S", 0)
    dataset = new_dataset("shared")

    def enter(*, shared: bool) -> None:
        with locks.locked(dataset, "work", shared=shared):
            pass

    with locks.locked(dataset, "work", shared=True):
        with locks.locked(dataset, "work", shared=True):
            enter(shared=True)
        with pytest.raises(locks.AtWorkError, match="another work going on"):
            enter(shared=False)
        enter(shared=True)
    with locks.locked(dataset, "work"), pytest.raises(locks.AtWorkError):
        enter(shared=True)
    lock = f"{dataset_id(dataset)}/work"
    left = {"_id": f"{lock}/1", "lock": lock, "shared": True, "work": "work"}
    held_lock(dataset, **left, started=1.0)
    enter(shared=False)
    assert num_locks(dataset) == 0


def test_issues_are_searched_for_and_repaired_one_at_a_time(
    new_dataset: Any, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_WAITS_S", 0)
    dataset, _ = fcm.import_roboflow_coco(export, "issues")
    fcm.find_mask_issues(dataset, mask_field=None)
    label = dataset.first().segmentations.polylines[0]
    fcm.delete_objects(dataset, [label.id], fix_key="fixed")
    said: list[str] = []

    def disturb(bar: Any) -> None:
        for act in (
            lambda: fcm.find_mask_issues(dataset, mask_field=None),
            lambda: fcm.clear_mask_issues(dataset),
            lambda: fcm.fix_mask_issues(dataset),
            lambda: fcm.undo_mask_fixes(dataset, "fixed"),
            lambda: fcm.delete_objects(dataset, [label.id]),
            lambda: fcm.merge_classes(dataset, label.label, []),
        ):
            with pytest.raises(fcm.CocoMaskError) as raised:
                act()
            said.append(str(raised.value))
        # Writes nothing.
        fcm.fix_mask_issues(dataset, dry_run=True)
        assert not follow_edits(dataset, "mask_issues")

    fcm.find_mask_issues(dataset, mask_field=None, progress=disturb)
    assert len(said) >= 6
    assert all("search for mask issues, or change of labels," in s for s in said)
    fcm.undo_mask_fixes(dataset, "fixed")
    fcm.clear_mask_issues(dataset)
    assert dataset.list_runs() == []


def zipped(folder: Path, shade: int) -> Path:
    """Returns a zip of an export whose one image has a shade of gray."""
    write_split(folder, ["a.jpg"], [annotation(0, 0)])
    image = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    cv2.imwrite(str(folder / "a.jpg"), image)
    return Path(shutil.make_archive(str(folder), "zip", folder))


def shade(dataset: fo.Dataset) -> int:
    return round(cv2.imread(dataset.first().filepath).mean())


def test_no_dataset_gets_the_images_of_another(
    new_dataset: Any, tmp_path: Path
) -> None:
    first, _ = fcm.import_roboflow_coco(zipped(tmp_path / "1", 50), "q:1")
    second, _ = fcm.import_roboflow_coco(zipped(tmp_path / "2", 150), "q_1")
    assert (shade(first), shade(second)) == (50, 150)
    first.name = "renamed"
    third, _ = fcm.import_roboflow_coco(zipped(tmp_path / "3", 200), "q:1")
    assert (shade(first), shade(second), shade(third)) == (50, 150, 200)
    folder = Path(first.first().filepath).parent
    fcm.import_roboflow_coco(tmp_path / "1.zip", first)
    assert Path(first.first().filepath).parent == folder


def test_an_import_that_fails_leaves_no_empty_dataset(
    new_dataset: Any, tmp_path: Path, export: Path
) -> None:
    def fail(bar: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fcm.import_roboflow_coco(export, "failed", progress=fail)
    assert "failed" not in fo.list_datasets()


def test_a_replacement_that_fails_leaves_what_was_there(
    new_dataset: Any, tmp_path: Path, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, _ = fcm.import_roboflow_coco(export, "old")
    monkeypatch.setattr(writer, "BATCH_SIZE", 1)
    before = dataset.values("id")
    new = write_split(tmp_path / "new", ["x.jpg", "y.jpg"], [annotation(0, 0)])

    def fail(bar: Any) -> None:
        if len(dataset.values("id")) > len(before):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fcm.import_roboflow_coco(new, dataset, if_exists="replace", progress=fail)
    assert dataset.values("id") == before
    fcm.import_roboflow_coco(new, dataset, if_exists="replace")
    assert file_names(dataset) == ["x.jpg", "y.jpg"]
