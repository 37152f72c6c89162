"""Masks of a run that was killed, or whose disk was full, are whole or not there."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import psutil
import pytest

from fiftyone_cocomask import compute_masks
from tests.conftest import needs_posix
from tests.integration.ready_process import ReadyProcess

COUNT = 200

JOB = """
import sys
import fiftyone as fo
import fiftyone_cocomask as fcm

name, folder, workers = sys.argv[1:]
fcm.compute_masks(fo.load_dataset(name), output_dir=folder, num_workers=int(workers))
"""

FULL_DISK = """
import resource, sys
import fiftyone as fo
import fiftyone_cocomask as fcm

dataset = fo.load_dataset(sys.argv[1])
# A file may have this many bytes; the rest is not written, as on a full disk.
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
try:
    folder, workers = sys.argv[2], int(sys.argv[4])
    fcm.compute_masks(dataset, "objects", output_dir=folder, num_workers=workers)
except fcm.MaskFileError as error:
    print("ERROR", error)
"""


@pytest.fixture
def dataset(new_dataset: Any, tmp_path: Path) -> fo.Dataset:
    """Images of squares of 1 to 20 pixels a side."""
    dataset = new_dataset(persistent=True)
    samples = []
    for number in range(COUNT):
        path = tmp_path / "images" / f"{number:03}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.zeros((20, 20), np.uint8))
        side = (number % 20 + 1) / 20
        ring = [(0, 0), (side, 0), (side, side), (0, side)]
        line = fo.Polyline(label="a", points=[ring], closed=True, filled=True)
        labels = fo.Polylines(polylines=[line])
        samples.append(fo.Sample(filepath=str(path), segmentations=labels))
    dataset.add_samples(samples)
    # FiftyOne says on stdout that it does so.
    dataset.compute_metadata()
    return dataset


def wait_for_files(folder: Path, number: int) -> None:
    ends = time.monotonic() + 60
    while len(list(folder.glob("*.png"))) < number:
        assert time.monotonic() < ends, "no masks were written"
        time.sleep(0.001)


def areas(paths: list[str]) -> list[int]:
    masks = [cv2.imread(path, cv2.IMREAD_UNCHANGED) for path in paths]
    return [int(np.count_nonzero(mask)) for mask in masks]


def expected_areas() -> list[int]:
    return [(number % 20 + 1) ** 2 for number in range(COUNT)]


@needs_posix
@pytest.mark.parametrize("workers", [1, 2])
def test_masks_killed_at_any_moment_are_whole_once_run_again(
    dataset: fo.Dataset,
    tmp_path: Path,
    workers: int,
) -> None:
    moments = random.Random(workers)
    in_the_middle = 0
    for attempt in range(4):
        folder = tmp_path / f"masks-{attempt}"
        with ReadyProcess(JOB, dataset.name, str(folder), str(workers)) as process:
            wait_for_files(folder, moments.randint(1, COUNT - 20))
            children = psutil.Process(process.pid).children()
            assert len(children) == (workers if workers > 1 else 0)
        dataset.reload()
        numbers = [int(Path(path).stem) for path in named(dataset)]
        in_the_middle += len(numbers) < COUNT
        # What the database names is there and whole.
        assert areas(named(dataset)) == [expected_areas()[n] for n in numbers]
        compute_masks(dataset, output_dir=folder)
        assert areas(named(dataset)) == expected_areas()
        assert len(list(folder.glob("*.png"))) == COUNT
        # Processes that drew for the killed one do not stay behind.
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive
        if dataset.has_field("mask"):
            dataset.delete_sample_field("mask")
    assert in_the_middle, "no run was killed in the middle"


@needs_posix
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_gives_one_sentence_and_whole_masks(
    dataset: fo.Dataset, tmp_path: Path, workers: int
) -> None:
    dataset.set_values("objects", [fo.Detections() for _ in range(COUNT)])
    last = dataset.last()
    noise = np.random.default_rng(0).integers(0, 255, (400, 400), np.uint8)
    cv2.imwrite(last.filepath, noise)
    last.metadata = fo.ImageMetadata.build_for(last.filepath)
    whole = fo.Detection(label="a", bounding_box=[0, 0, 1, 1], mask=noise > 127)
    last["objects"] = fo.Detections(detections=[whole])
    last.save()
    folder = tmp_path / "masks"
    arguments = [dataset.name, str(folder), "5000", str(workers)]
    with ReadyProcess(FULL_DISK, *arguments) as process:
        stdout, stderr = process.communicate()
    said = stdout.splitlines()[-1]
    assert said.startswith("ERROR The file "), stderr
    assert said.endswith("cannot be written: File too large")
    assert not stderr
    dataset.reload()
    assert len(named(dataset)) == COUNT - 1
    assert not list(folder.glob(".writing-*"))
    for path in named(dataset):
        assert cv2.imread(path, cv2.IMREAD_UNCHANGED).shape == (20, 20)


def named(dataset: fo.Dataset) -> list[str]:
    """The mask files that the database names."""
    if not dataset.has_field("mask"):
        return []
    return [path for path in dataset.values("mask.mask_path") if path]
