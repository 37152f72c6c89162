"""The demo, as `make demo` runs it in a terminal, with a FiftyOne of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone
from tests.conftest import needs_posix

from .cli.test_terminal import in_terminal
from .small_export import annotation, image_name, write_split

JOB = """
import json, os, sys
from pathlib import Path
from fiftyone_cocomask.cli import main
from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone
for _ in range(2):
    code = main(["demo", "--no-app", "--folder", sys.argv[1]])
    print("EXIT", code, flush=True)
import fiftyone as fo
dataset = fo.load_dataset("cocomask-demo")
written = Path(sys.argv[1], "cocomask-demo")
exported = written / "export-fixed" / "train" / "_annotations.coco.json"
spaces = dataset.load_workspace("mask evaluation")
found = {
    "samples": len(dataset),
    "masks": dataset.count("mask"),
    "runs": dataset.list_runs(),
    "comparisons": dataset.list_evaluations(),
    "redraw": dataset.match_labels(tags="redraw").count(),
    "reported": "moth" in (written / "report.html").read_text(),
    "exported": len(json.loads(exported.read_text())["annotations"]),
    "orientation": spaces.orientation,
    "panels": [child.children[0].type for child in spaces.children],
    "shown": [child.active_child for child in spaces.children],
}
print("FOUND" + json.dumps(found), flush=True)
delete_own_fiftyone(Path(sys.argv[1]))
# FiftyOne's own farewell would wait for the database.
os._exit(0)
"""


@needs_posix
def test_the_demo_leaves_a_dataset_with_runs_and_a_workspace(tmp_path: Path) -> None:
    shown = in_terminal(sys.executable, "-c", JOB, str(tmp_path))
    # The second time it finds what the first one has made.
    assert shown.count("EXIT 0") == 2, shown
    assert shown.count("21 of 21 images usable") == 2
    assert "The database, masks and plugin link are in" in shown
    assert "100% |" in shown
    assert shown.count("undone in 1 sample") == 2
    assert "Traceback" not in shown
    found = json.loads(shown.partition("FOUND")[2].splitlines()[0])
    assert (found["samples"], found["masks"]) == (21, 21)
    assert {"area", "coverage", "mask_issues", "outline"} <= set(found["runs"])
    assert "opencv_vs_coco" in found["comparisons"]
    # The annotation whose polygon the export has lost.
    assert found["redraw"] == 1
    assert found["reported"]
    assert found["exported"] == 27
    assert found["orientation"] == "horizontal"
    assert found["panels"] == ["Samples", "mask_evaluation"]
    assert all(found["shown"])


JOB_ON_OTHERS = """
import os, sys
from pathlib import Path
from fiftyone_cocomask.cli import main
from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone
folder, *exports = sys.argv[1:]
for export in exports:
    code = main(["demo", "--no-app", "--folder", folder, "--export", export])
    print("EXIT", code, flush=True)
delete_own_fiftyone(Path(folder))
os._exit(0)
"""


@needs_posix
def test_an_export_without_polygons_or_images_is_told_so(tmp_path: Path) -> None:
    """As a detection project is exported: boxes, and negative images."""
    # Of one name, and so are their JSONs: each is a dataset of its own all the same.
    boxes = write_split(
        tmp_path / "1" / "demo", [image_name("a")], [annotation(1, 0, segmentation=[])]
    )
    negative = write_split(tmp_path / "2" / "demo", [image_name("b")], [])
    gone = write_split(tmp_path / "3" / "demo", [image_name("a")], [annotation(1, 0)])
    (gone / image_name("a")).unlink()
    exports = map(str, (boxes, negative, gone, boxes))
    own = str(tmp_path / "own")
    shown = in_terminal(sys.executable, "-c", JOB_ON_OTHERS, own, *exports)
    assert "Traceback" not in shown
    first, second, third, again, _ = shown.split("EXIT")
    for told in (first, second, again):
        assert "No class has a pixel" in told
        assert "No label has an outline to rank" in told
        assert "There is no pixel to compare" in told
    assert "1 image and 1 annotation in" in first
    for told in (first, again):
        assert "No changes in 1 image, 1 annotation" in told
    assert "No changes in 1 image, 0 annotations" in second
    assert f"error: There is no image in {gone} that can be used" in third
    codes = [line.split()[0] for line in shown.split("EXIT")[1:]]
    assert codes == ["0", "0", "1", "0"]


def test_a_folder_without_a_database_is_deleted_without_starting_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> None:
        raise AssertionError("a database was started")

    monkeypatch.delenv("FIFTYONE_PRIVATE_DATABASE_PORT", raising=False)
    monkeypatch.setattr("fiftyone.core.odm.get_db_client", start)
    folder = tmp_path / "own"
    (folder / "database").mkdir(parents=True)
    delete_own_fiftyone(folder)
    assert not folder.exists()
