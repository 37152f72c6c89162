"""The operators that write files for other programs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from fiftyone_cocomask import compute_masks, import_roboflow_coco
from tests.plugin import uri

Operator = Callable[[str], Any]
NAMES = ("export_masks", "export_cutouts")


def chosen(path: Path) -> dict[str, Any]:
    """Returns what the App's file explorer makes of a path."""
    return {"absolute_path": str(path), "exists": True, "type": "directory"}


@pytest.fixture
def dataset(demo_export: Path) -> fo.Dataset:
    dataset, _ = import_roboflow_coco(demo_export, "demo")
    compute_masks(dataset)
    return dataset


def test_masks_are_written_by_the_app_and_say_where(
    app_request: Any, dataset: fo.Dataset, tmp_path: Path
) -> None:
    request = app_request("export_masks", dataset, output_dir=chosen(tmp_path))
    assert not request.problems()
    assert "Writes the files of 21 images" in request.notices()
    shown = request.messages()
    assert any("21 files written" in str(message) for message in shown)
    for sample in dataset:
        name = f"{Path(sample.filepath).stem}_mask.png"
        written = cv2.imread(str(tmp_path / sample.split / name), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(written, sample.mask.get_mask())


def test_masks_are_written_beside_the_images(
    operator: Operator, dataset: fo.Dataset, tmp_path: Path
) -> None:
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.zeros((8, 8, 3), np.uint8))
    mask = np.eye(8, dtype=np.uint8)
    dataset.add_sample(fo.Sample(str(image), mask=fo.Segmentation(mask=mask)))
    view = dataset.match({"filepath": str(image)})
    result = operator("export_masks")(view, beside_images=True, suffix="-m").result
    assert (result["files"], result["num_skipped"]) == (1, 0)
    written = cv2.imread(str(tmp_path / "a-m.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(written, 255 * mask)


def test_each_object_is_cut_out(
    operator: Operator, dataset: fo.Dataset, tmp_path: Path
) -> None:
    result = operator("export_cutouts")(dataset, output_dir=str(tmp_path)).result
    objects = dataset.count("segmentations.polylines")
    assert result["files"] + result["num_skipped"] == objects
    written = list(tmp_path.rglob("*.png"))
    assert len(written) == result["files"] > 20
    for path in written:
        rgba = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert rgba.shape[2] == 4
        assert set(np.unique(rgba[..., 3])) <= {0, 255}


def test_a_file_of_other_content_is_kept_and_said(
    app_request: Any, dataset: fo.Dataset, tmp_path: Path
) -> None:
    sample = dataset.first()
    path = tmp_path / sample.split / f"{Path(sample.filepath).stem}_mask.png"
    path.parent.mkdir()
    path.write_text("mine")
    request = app_request("export_masks", dataset, output_dir=chosen(tmp_path))
    assert any("1 file not written" in str(message) for message in request.messages())
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", NAMES)
def test_a_form_without_masks_or_objects_says_what_to_do(
    app_request: Any, new_dataset: Any, name: str
) -> None:
    assert "No dataset is open" in app_request(name).problems()[0]
    dataset = new_dataset()
    assert "has no samples" in app_request(name, dataset).problems()[0]
    dataset.add_sample(fo.Sample("a.png"))
    assert "has no" in app_request(name, dataset).problems()[0]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_folder_nothing_is_written(
    app_request: Any, dataset: fo.Dataset, name: str
) -> None:
    request = app_request(name, dataset)
    asked = request.form()["output_dir"]
    assert asked["required"]
    said = str(request.messages())
    assert "output_dir" in said or f"{asked['view']['label']} must be a path" in said


def test_an_ending_that_is_a_path_is_refused(
    app_request: Any, dataset: fo.Dataset, tmp_path: Path
) -> None:
    request = app_request(
        "export_masks", dataset, output_dir=chosen(tmp_path), suffix="/../x"
    )
    assert "part of a file name" in request.problems()[0]
    assert "part of a file name" in str(request.messages())
    assert not list(tmp_path.iterdir())


def test_what_follows_can_be_done(dataset: fo.Dataset, tmp_path: Path) -> None:
    def following(name: str, **params: Any) -> list[str]:
        result = foo.execute_operator(uri(name), dataset=dataset, params=params).result
        return [step["operator"].rpartition("/")[2] for step in result["next"]]

    place = {"output_dir": str(tmp_path / "cut")}
    assert following("list_mask_evaluations") == ["evaluate_mask_area"]
    assert following("export_cutouts", **place) == ["export_masks"]
    dataset.delete_sample_field("mask")
    assert following("list_mask_evaluations") == ["compute_masks"]
    assert following("export_cutouts", **place) == []


def test_an_ending_may_be_nothing(
    app_request: Any, operator: Operator, dataset: fo.Dataset, tmp_path: Path
) -> None:
    request = app_request(
        "export_masks", dataset, output_dir=chosen(tmp_path), suffix=""
    )
    assert "<image's name>.png" in request.notices()
    operator("export_masks")(dataset, "mask", tmp_path / "named", suffix="")
    written = {path.stem for path in (tmp_path / "named").rglob("*.png")}
    assert written == {Path(path).stem for path in dataset.values("filepath")}


def test_a_folder_of_several_projects_asks_which_is_meant(
    app_request: Any, demo_export: Path, tmp_path: Path
) -> None:
    shutil.copytree(demo_export, tmp_path / "both" / "insects")
    pets = tmp_path / "both" / "pets"
    pets.mkdir()
    write_small_project(pets)
    path = {"absolute_path": str(tmp_path / "both"), "type": "directory"}
    asked = app_request("import_roboflow_coco", path=path).form()["project"]
    assert asked["type"]["values"] == ["-", "insects", "pets"]
    assert asked["required"]
    assert "outcome" not in app_request("import_roboflow_coco", path=path).form()
    one = app_request("import_roboflow_coco", path=path, project="pets")
    assert "Creates the dataset **pets** with 1 image" in one.notices()
    one.messages()
    dataset = fo.load_dataset("pets")
    assert dataset.distinct("segmentations.polylines.label") == ["cat"]
    whole = app_request("import_roboflow_coco", path=path, project="-")
    assert "Creates the dataset **both** with 22 images" in whole.notices()
    # Another path is chosen then; the App keeps the project of the one before.
    path = {"absolute_path": str(tmp_path / "both" / "insects"), "type": "directory"}
    other = app_request("import_roboflow_coco", path=path, project="pets")
    assert "Creates the dataset **insects** with 21 images" in other.notices()
    other.messages()
    assert len(fo.load_dataset("insects")) == 21


def write_small_project(folder: Path) -> None:
    """Writes an export of one image of a cat, under another licence."""
    cv2.imwrite(str(folder / "cat.jpg"), np.zeros((20, 20, 3), np.uint8))
    ring = [2, 2, 12, 2, 12, 12, 2, 12]
    box = {"bbox": [2, 2, 10, 10], "area": 100, "iscrowd": 0}
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [ring]}
    content = {
        "info": {"version": "9"},
        "licenses": [{"id": 1, "name": "CC0", "url": "x"}],
        "images": [{"id": 1, "file_name": "cat.jpg", "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "cat", "supercategory": "pet"}],
        "annotations": [{**annotation, **box}],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(content))


def test_a_comparison_lists_some_changes_and_counts_all(
    operator: Operator,
    app_request: Any,
    dataset: fo.Dataset,
    demo_export: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare = operator("compare_exports")
    monkeypatch.setattr(import_module(type(compare).__module__), "MAX_NAMED", 2)
    polylines = dataset.values("segmentations.polylines")
    for group in polylines:
        for polyline in group:
            polyline.label += " of old"
    # One is edited, too.
    first = next(group[0] for group in polylines if group)
    first.points = [[(x * 0.99, y) for x, y in shape] for shape in first.points]
    dataset.set_values("segmentations.polylines", polylines)
    result = compare(dataset, demo_export).result
    number = sum(map(len, polylines))
    assert result["annotations"]["relabelled"] == number - 1
    assert result["annotations"]["edited"] == 1
    assert len(result["changes"]) == 2
    assert [row["label_id"] for row in result["edited"]] == [first.id]
    view = dataset.load_saved_view(result["views"]["relabelled"])
    shown = view.values("segmentations.polylines.id", unwind=True)
    assert len(shown) == number - 1
    request = app_request("compare_exports", dataset, path=chosen(demo_export))
    messages = str(request.messages())
    assert "1 edited object, the most changed first" in messages
    assert f"{number - 1:,} relabelled" in messages


def test_writing_among_the_images_of_an_export_is_asked_for_first(
    app_request: Any, dataset: fo.Dataset, operator: Operator
) -> None:
    folder = Path(dataset.first().filepath).parent
    before = sorted(folder.iterdir())
    request = app_request("export_masks", dataset, beside_images=True)
    assert any("is the folder of an export" in said for said in request.problems())
    with pytest.raises(ExecutionError, match="is the folder of an export"):
        foo.execute_operator(
            request.operator.uri, dataset=dataset, params={"beside_images": True}
        )
    assert sorted(folder.iterdir()) == before
    said_yes = app_request("export_masks", dataset, beside_images=True, confirm=True)
    assert not said_yes.problems()
    for name in ("export_masks", "export_cutouts", "compute_masks"):
        for inside in (folder, folder.parent, folder.parent / "new" / "masks"):
            request = app_request(name, dataset, output_dir=chosen(inside))
            said = request.problems()
            assert any("is the folder of an export" in line for line in said), said
    request = app_request(
        "export_masks", dataset, output_dir=chosen(folder), confirm=True
    )
    request.request["prompt_id"] = uuid4().hex
    assert not request.problems()
    request.request["params"]["output_dir"] = chosen(folder.parent / "new")
    assert request.problems() == [
        "This yes was to something else: switch it off, and on again"
    ]
    elsewhere = chosen(folder.parent.parent / "elsewhere")
    assert not app_request("export_masks", dataset, output_dir=elsewhere).problems()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("export_masks", "mask"),
        ("export_cutouts", "segmentations"),
        ("compute_masks", "segmentations"),
    ],
)
def test_a_caller_can_say_the_yes_that_a_refusal_asks_for(
    operator: Operator, dataset: fo.Dataset, demo_export: Path, name: str, field: str
) -> None:
    inside = demo_export / f"made by {name}"
    with pytest.raises(ExecutionError, match="confirm=True writes there all the same"):
        operator(name)(dataset, field, output_dir=inside)
    assert not inside.exists()
    try:
        operator(name)(dataset, field, output_dir=inside, confirm=True)
        assert list(inside.rglob("*.png"))
    finally:
        shutil.rmtree(inside)


def test_the_boxes_of_an_import_into_other_fields_are_written_with_it(
    app_request: Any, demo_export: Path, tmp_path: Path
) -> None:
    fields = {"label_field": "polys", "box_field": "rects"}
    dataset, _ = import_roboflow_coco(demo_export, "demo", **fields)
    request = app_request("export_roboflow_coco", dataset, output_dir=chosen(tmp_path))
    assert not request.problems()
    form = request.form()
    assert {name: form[name]["default"] for name in fields} == fields
