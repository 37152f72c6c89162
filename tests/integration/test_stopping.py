"""Ctrl-C in the middle of a job: it stops, and running it again completes it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from tests.conftest import needs_posix
from tests.integration.ready_process import ReadyProcess
from tests.integration.small_export import annotation, image_name, write_split

COUNT = 1000
# Much longer than it takes to stop, and much shorter than what is left to do.
SECONDS = 20

# Runs a job that says each time that it has come further.
JOB = """
import signal
# Where the tests run in the background, it is ignored from the beginning.
signal.signal(signal.SIGINT, signal.default_int_handler)
import fiftyone as fo
import fiftyone_cocomask as fcm

def report(bar):
    print(bar.iteration, flush=True)

try:
    {call}
except KeyboardInterrupt:
    print("stopped")
else:
    print("done")
"""
DATASET = "fo.load_dataset('stopped')"
IMPORT = "fcm.import_roboflow_coco({folder!r}, 'stopped', progress=report)"
MASKS = f"fcm.compute_masks({DATASET}, num_workers={{workers}}, progress=report)"
AREA = f"fcm.evaluate_mask_area({DATASET}, label_field='others', progress=report)"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Images of squares of 5 to 14 pixels a side, each with an annotation."""
    names = [image_name(f"{number:04}") for number in range(COUNT)]
    sides = [5 + number % 10 for number in range(COUNT)]
    annotations = [
        annotation(n, n, segmentation=[[0, 0, s, 0, s, s, 0, s]], bbox=[0, 0, s, s])
        for n, s in enumerate(sides)
    ]
    return write_split(tmp_path / "export", names, annotations)


@pytest.fixture
def dataset(export: Path, new_dataset: Any) -> fo.Dataset:
    dataset, _ = fcm.import_roboflow_coco(export, "stopped")
    return dataset


def stop_in_the_middle(call: str) -> None:
    """Presses Ctrl-C once a job has begun, and waits until it has stopped."""
    with ReadyProcess(JOB.format(call=call)) as process:
        first = process.stdout.readline()
        assert 0 < int(first) < COUNT
        # A terminal sends Ctrl-C to all processes of a job.
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(SECONDS)
    assert stdout.splitlines()[-1] == "stopped", stdout + stderr
    assert "Traceback" not in stderr


def areas(dataset: fo.Dataset) -> dict[str, int]:
    """Returns the foreground pixels of the mask files that a dataset names."""
    found = {}
    columns = dataset.values(["filepath", "mask.mask_path"])
    for filepath, path in zip(*columns, strict=True):
        if path is not None:
            mask = cv2.imread(path, cv2.IMREAD_UNCHANGED)
            found[Path(filepath).name[:4]] = int(np.count_nonzero(mask))
    return found


EXPECTED_AREAS = {f"{number:04}": (5 + number % 10) ** 2 for number in range(COUNT)}


@needs_posix
def test_an_import_stops_and_is_completed_by_the_next(
    export: Path, new_dataset: Any
) -> None:
    call = IMPORT.format(folder=str(export))
    stop_in_the_middle(call)
    stopped = len(fo.load_dataset("stopped")) if fo.dataset_exists("stopped") else 0
    assert stopped < COUNT
    dataset, _ = fcm.import_roboflow_coco(export, "stopped")
    assert len(dataset) == COUNT == dataset.count("segmentations.polylines")
    assert len(set(dataset.values("filepath"))) == COUNT


@needs_posix
@pytest.mark.parametrize("workers", [1, 2])
def test_masks_stop_and_are_completed_by_the_next_run(
    dataset: fo.Dataset, workers: int
) -> None:
    stop_in_the_middle(MASKS.format(workers=workers))
    dataset.reload()
    stopped = areas(dataset)
    assert stopped.items() < EXPECTED_AREAS.items()
    report = fcm.compute_masks(dataset)
    assert report.unchanged == len(stopped)
    assert areas(dataset) == EXPECTED_AREAS


@needs_posix
def test_an_evaluation_stops_and_is_completed_by_the_next(dataset: fo.Dataset) -> None:
    fcm.compute_masks(dataset)
    # Labels that masks were not drawn from have to be drawn to be measured.
    dataset.clone_sample_field("segmentations", "others")
    stop_in_the_middle(AREA)
    dataset.reload()
    with pytest.raises(fcm.CocoMaskError, match="stopped before its end"):
        fcm.load_mask_evaluation(dataset, "mask_area")
    results = fcm.evaluate_mask_area(dataset, label_field="others")
    assert results.summary()["foreground_px"] == sum(EXPECTED_AREAS.values())
    assert dataset.values("mask_area_px") == [
        EXPECTED_AREAS[Path(path).name[:4]] for path in dataset.values("filepath")
    ]
