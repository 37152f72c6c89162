"""The label schemas that an import declares, for the App's Annotate tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

from fiftyone_cocomask import import_roboflow_coco, merge_classes
from tests.conftest import needs_posix

from .ready_process import ReadyProcess
from .small_export import annotation, image_name, write_small_export, write_split


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_small_export(tmp_path / "export")


# Its process is killed right after it has saved the dataset so many times.
KILLED = """
import os
import signal
import sys

import fiftyone as fo
import fiftyone_cocomask as fcm

left, save = int(sys.argv[2]), fo.Dataset.save


def save_and_die(dataset):
    global left
    save(dataset)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)


fo.Dataset.save = save_and_die
fcm.import_roboflow_coco(sys.argv[1], "killed", num_workers=1, progress=False)
"""


def attributes(dataset: Any, field: str) -> dict[str, dict[str, Any]]:
    return {a["name"]: a for a in dataset.label_schemas[field]["attributes"]}


def write_classes(folder: Path, *names: str) -> Path:
    """Writes an export with one annotation of each class."""
    return write_split(
        folder,
        [image_name("a")],
        [annotation(i, 0, category_id=i) for i in range(1, len(names) + 1)],
        categories=[{"id": i, "name": n} for i, n in enumerate(names, start=1)],
    )


def test_both_fields_can_be_edited_right_after_an_import(
    new_dataset: Any, export: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    assert dataset.active_label_schemas == ["segmentations", "detections"]
    for field, kind in (("segmentations", "polylines"), ("detections", "detections")):
        schema = dataset.label_schemas[field]
        assert (schema["type"], schema["classes"]) == (kind, ["wing", "body"])
        assert schema["component"] == "radio"
        found = attributes(dataset, field)
        for name in ("coco_id", "supercategory", "annotated_area"):
            assert found[name]["read_only"]
        crowd = found["iscrowd"]
        assert (crowd["values"], crowd["default"]) == ([0, 1], 0)
    drawn = attributes(dataset, "segmentations")
    assert (drawn["closed"]["default"], drawn["filled"]["default"]) == (True, True)


def test_own_attributes_of_an_export_can_be_edited(
    new_dataset: Any, tmp_path: Path
) -> None:
    annotations = [annotation(0, 0, depth=3, occluded=True)]
    write_split(tmp_path / "export", [image_name("a")], annotations)
    dataset, _ = import_roboflow_coco(tmp_path / "export", "own")
    found = attributes(dataset, "segmentations")
    assert (found["depth"]["type"], found["occluded"]["type"]) == ("int", "bool")
    assert not found["depth"].get("read_only")


def test_more_than_five_classes_are_a_list_to_search(
    new_dataset: Any, tmp_path: Path
) -> None:
    export = write_classes(tmp_path / "export", *"abcdef")
    dataset, _ = import_roboflow_coco(export, "many")
    assert dataset.label_schemas["segmentations"]["component"] == "dropdown"


def test_a_schema_that_a_person_made_gets_new_classes_and_nothing_else(
    new_dataset: Any, export: Path, tmp_path: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    own = {
        "type": "polylines",
        "component": "dropdown",
        "classes": ["mine", "wing"],
        "attributes": [{"name": "note", "type": "str", "component": "text"}],
    }
    dataset.update_label_schema("segmentations", own, allow_new_attrs=True)
    dataset.active_label_schemas = ["detections"]
    import_roboflow_coco(write_classes(tmp_path / "v2", "wing", "eye"), dataset)
    classes = ["mine", "wing", "eye"]
    assert dataset.label_schemas["segmentations"] == {**own, "classes": classes}
    assert dataset.label_schemas["detections"]["classes"] == ["wing", "body", "eye"]
    assert dataset.active_label_schemas == ["detections"]


def test_a_class_that_a_person_took_off_the_lists_stays_off(
    new_dataset: Any, tmp_path: Path
) -> None:
    export = write_classes(tmp_path / "export", "wing", "wnig")
    dataset, _ = import_roboflow_coco(export, "small")
    merge_classes(dataset, "wing", ["wnig"])
    for field in ("segmentations", "detections"):
        schema = dataset.label_schemas[field]
        schema["classes"].remove("wnig")
        dataset.update_label_schema(field, schema)
    dataset.default_classes = ["wing"]
    newer = write_classes(tmp_path / "v2", "wing", "wnig", "eye")
    for path, classes in ((export, ["wing"]), (newer, ["wing", "eye"])):
        import_roboflow_coco(path, dataset)
        assert dataset.default_classes == classes
        for field in ("segmentations", "detections"):
            assert dataset.label_schemas[field]["classes"] == classes


def test_a_schema_without_classes_stays_as_it_is(
    new_dataset: Any, export: Path
) -> None:
    dataset, _ = import_roboflow_coco(export, "small")
    own = {"type": "polylines", "component": "text", "attributes": []}
    dataset.update_label_schema("segmentations", own)
    import_roboflow_coco(export, dataset)
    assert dataset.label_schemas["segmentations"] == own


def test_more_classes_than_a_schema_takes_do_not_end_an_import(
    new_dataset: Any, tmp_path: Path
) -> None:
    for name, first in (("few", 0), ("many", 500)):
        numbers = range(first, first + 501 + 2 * first)
        entries = [annotation(n, 0, category_id=n) for n in numbers]
        categories = [{"id": n, "name": f"class {n}"} for n in numbers]
        write_split(tmp_path / name, ["a.jpg"], entries, categories=categories)
    dataset, _ = import_roboflow_coco(tmp_path / "many", "many")
    schema = dataset.label_schemas["segmentations"]
    assert (schema["component"], "classes" in schema) == ("text", False)
    dataset, _ = import_roboflow_coco(tmp_path / "few", "few")
    assert len(dataset.label_schemas["segmentations"]["classes"]) == 501
    import_roboflow_coco(tmp_path / "many", dataset)
    assert len(dataset.label_schemas["segmentations"]["classes"]) == 501
    assert len(dataset.default_classes) == 2001


@needs_posix
def test_an_import_killed_after_any_save_leaves_no_schema_inactive(
    new_dataset: Any, export: Path
) -> None:
    with_a_schema = 0
    for saves in range(1, 100):
        if fo.dataset_exists("killed"):
            fo.delete_dataset("killed")
        with ReadyProcess(KILLED, str(export), str(saves)) as process:
            process.communicate(60)
            if process.exit_code == 0:
                break
        if fo.dataset_exists("killed"):
            with_a_schema += bool(fo.load_dataset("killed").label_schemas)
        dataset, _ = import_roboflow_coco(export, "killed")
        assert dataset.active_label_schemas == ["segmentations", "detections"]
    assert with_a_schema, "no import was killed between its schemas"
    assert process.exit_code == 0, "no import came to its end"
