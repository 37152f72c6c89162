"""Imports that were killed, or whose database went away, can be run again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

from fiftyone_cocomask import (
    compare_masks,
    compute_masks,
    evaluate_mask_area,
    export_roboflow_coco,
    import_roboflow_coco,
)
from tests.conftest import needs_posix

from .ready_process import ReadyProcess
from .small_export import (
    annotation,
    image_name,
    imported_content,
    write_split,
)

_ATTEMPTS = 12

IMPORTER = """
import sys
import fiftyone_cocomask as fcm
from fiftyone_cocomask.coco import shared_reading
from fiftyone_cocomask.datasets.importing import writer

writer.BATCH_SIZE = shared_reading.BATCH_SIZE = 5
export, workers = sys.argv[1], int(sys.argv[2])
print("begun", flush=True)
fcm.import_roboflow_coco(export, "killed", num_workers=workers, progress=False)
"""


@needs_posix
def test_an_import_killed_at_any_moment_can_simply_be_run_again(
    new_dataset: Any, tmp_path: Path
) -> None:
    count = 60
    names = [image_name(f"{number:03}") for number in range(count)]
    annotations = [annotation(number, number // 5) for number in range(5 * count)]
    export = write_split(tmp_path / "export", names, annotations)
    whole, _ = import_roboflow_coco(export, "whole")
    expected = imported_content(whole)
    delays = random.Random(3)
    in_the_middle = 0
    for attempt in range(_ATTEMPTS):
        if fo.dataset_exists("killed"):
            fo.delete_dataset("killed")
        # Every other one with processes of its own, which end with it.
        with ReadyProcess(IMPORTER, str(export), str(1 + attempt % 2)) as process:
            process.stdout.readline()
            # One moment in each part of the time that an import takes.
            time.sleep((attempt + delays.random()) / _ATTEMPTS * 0.5)
        if fo.dataset_exists("killed"):
            in_the_middle += len(fo.load_dataset("killed")) < count
        again, report = import_roboflow_coco(export, "killed")
        assert report.accounted == report.annotations
        assert imported_content(again) == expected
    assert in_the_middle, "no import was killed in the middle"


WITHOUT_DATABASE = """
import sys
from pathlib import Path
from fiftyone_cocomask.demo.own_fiftyone import use_own_fiftyone

use_own_fiftyone(Path(sys.argv[2]), show_progress_bars=False)
import fiftyone as fo
import fiftyone.core.odm as foo
import psutil
import fiftyone_cocomask as fcm

fo.list_datasets()
(server,) = [
    process
    for process in psutil.process_iter(["name", "cmdline"])
    if process.info["name"] == "mongod"
    # A process that has just ended has none.
    and sys.argv[2] in " ".join(process.info["cmdline"] or ())
]

def end_the_server(bar):
    if bar.iteration == 250:
        server.kill()

try:
    fcm.import_roboflow_coco(sys.argv[1], "lost", progress=end_the_server)
except fcm.CocoMaskError as error:
    print(error)
sys.stdout.flush()
# FiftyOne's own farewell would wait for the database.
import os
os._exit(0)
"""


def test_a_database_that_goes_away_is_said_in_one_sentence(tmp_path: Path) -> None:
    names = [image_name(f"{number:03}") for number in range(420)]
    export = write_split(
        tmp_path / "export", names, [annotation(n, n) for n in range(420)]
    )
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE, str(export), str(tmp_path / "own")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("FIFTYONE_")},
    )
    # MongoDB's own log is there too, before it or behind.
    said = [line for line in done.stdout.splitlines() if not line.startswith("{")]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("The connection to MongoDB was lost")


def test_nothing_rests_on_the_estimated_number_of_samples(
    new_dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB says anything from 0 up to the real number after it was killed."""
    monkeypatch.setattr(fo.Dataset, "_estimated_count", lambda *args, **kwargs: 0)
    names = [image_name(f"{number}") for number in range(3)]
    export = write_split(tmp_path / "export", names, [annotation(0, 0)])
    dataset, _ = import_roboflow_coco(export, "estimated")
    assert len(dataset) == 0
    totals = []
    compute_masks(dataset, progress=lambda bar: totals.append(bar.total))
    compute_masks(dataset, mask_field="other", rasterizer="opencv")
    comparison = compare_masks(dataset, "other", eval_key="compared")
    assert comparison.summary()["images"] == 3
    assert set(totals) == {3}
    area = evaluate_mask_area(dataset, label_field="segmentations")
    assert area.per_split()["images"].sum() == 3
    report = export_roboflow_coco(dataset, tmp_path / "out")
    assert (report.images, report.annotations) == (3, 1)
    import_roboflow_coco(export, dataset)
    assert len(dataset.values("id")) == 3
