"""Files are on disk before they have their names, and kills leave none for good."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.evaluations.tables import write_table
from tests.conftest import needs_posix

from .small_export import write_small_export


@pytest.fixture
def dataset(new_dataset: Any, tmp_path: Path) -> fo.Dataset:
    dataset, _ = fcm.import_roboflow_coco(write_small_export(tmp_path / "e"), "disk")
    fcm.compute_masks(dataset, storage="database")
    return dataset


def unpack(dataset: fo.Dataset, folder: Path) -> None:
    archive = shutil.make_archive(str(folder / "z"), "zip", folder / "e")
    fcm.import_roboflow_coco(archive, "unpacked")


def write_masks(dataset: fo.Dataset, folder: Path) -> None:
    fcm.compute_masks(dataset, overwrite=True, output_dir=folder / "out")


def write_csv(dataset: fo.Dataset, folder: Path) -> None:
    (folder / "out").mkdir()
    evaluation = fcm.evaluate_mask_area(dataset, eval_key="area")
    write_table(evaluation, "samples", folder / "out" / "samples.csv")


def write_beside(dataset: fo.Dataset, folder: Path) -> None:
    train = folder / "e" / "train"
    json = train / "_annotations.coco.json"
    fcm.COCOProcessor(json, train).process_image(0)


def write_coco(dataset: fo.Dataset, folder: Path) -> None:
    fcm.export_roboflow_coco(dataset, folder / "out", overwrite=True)


WRITERS: dict[str, tuple[Callable[[fo.Dataset, Path], Any], int]] = {
    "unpack": (unpack, 3),
    "masks": (write_masks, 3),
    "csv": (write_csv, 1),
    "beside": (write_beside, 1),
    "export_masks": (lambda d, f: fcm.export_masks(d, "mask", f / "out"), 3),
    "cutouts": (lambda d, f: fcm.export_cutouts(d, "segmentations", f / "out"), 4),
    # Images and JSONs, and the mark that the export is unfinished until then.
    "coco": (write_coco, 6),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_on_disk_before_it_has_its_name(
    dataset: fo.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    on_disk: dict[int, int] = {}
    named: list[bool] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(number: int) -> None:
        fsync(number)
        found = os.fstat(number)
        on_disk[found.st_ino] = found.st_size

    def noted_replace(source: Any, target: Any) -> None:
        found = os.stat(source)
        named.append(on_disk.get(found.st_ino) == found.st_size > 0)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    write, number = WRITERS[name]
    write(dataset, tmp_path)
    assert named == [True] * number


@needs_posix
@pytest.mark.parametrize("name", ["masks", "export_masks", "cutouts", "coco"])
def test_what_a_kill_left_is_removed_by_the_next_run_of_the_same_process(
    dataset: fo.Dataset, tmp_path: Path, name: str
) -> None:
    code = "from fiftyone_cocomask.unfinished import unfinished_name as n; print(n())"
    left = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    write = WRITERS[name][0]
    write(dataset, tmp_path)
    places = [p for p in (tmp_path / "out").rglob("*") if p.is_dir()]
    assert places
    for place in places:
        (place / left).write_bytes(b"half")
    for path in (tmp_path / "out").rglob("*.*"):
        if path.name != left:
            path.unlink()
    write(dataset, tmp_path)
    assert not list((tmp_path / "out").rglob(".writing-*"))
    assert any((tmp_path / "out").rglob("*.*"))
