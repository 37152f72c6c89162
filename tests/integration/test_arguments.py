"""Wrong arguments of every function: one sentence, and nothing is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.field_names import IMPORT_FIELDS
from fiftyone_cocomask.datasets.importing.schema import _SAMPLE_FIELDS

from .small_export import write_small_export
from .stored import stored

# What no argument may be: neither the types that they have, nor their like.
STRANGE = (5.5, b"bytes", {"a": 1}, object(), ["a", 5], [["a"]], [None])
NO_TEXT = (*STRANGE, 5, True, "", "a\0b", "\ud800")
NO_NAME = (*NO_TEXT, "_x", "a.b", "a b", "$where", "1a", "a" * 500)
NO_NEW_FIELD = (
    *(*NO_NAME, "tags", "filepath", "metadata", "id", "split", "coco_id", "save"),
    *("source_name", "file_name", "import_issues", "last_modified_at", "pk"),
)
NO_FIELD = (*NO_TEXT, "_x", "$where", "absent", "tags", "split", "metadata")
NO_FLAG = (*STRANGE, 5, "yes", 0)
NO_CHOICE = (*STRANGE, 5, True, "", "absent", None)
NO_LIST_OF_TEXTS = (5.5, b"bytes", {"a": 1}, object(), 5, True, ["a", 5], "\ud800")
NO_PATH = (*STRANGE, 5, True, "", " ", "a\0b", "\ud800")
NO_SAMPLES = (*STRANGE, 5, None, "name", fo.Dataset)

WRONG: dict[str, tuple[Any, ...]] = {
    "samples": NO_SAMPLES,
    "dataset": (*STRANGE, 5, True, "", "\0", "?!", "\ud800", "a" * 2000),
    "path": (*NO_PATH, None, "/absent"),
    "image_dir": (*NO_PATH, "/absent"),
    "output_dir": NO_PATH,
    **dict.fromkeys(("old", "new", "source"), (*NO_PATH, None, "/absent")),
    "output_path": (*NO_PATH, None, "report.txt", "/dev/null/report.html"),
    "eval_keys": (*NO_LIST_OF_TEXTS, ["absent"]),
    "title": (*STRANGE, 5, True),
    "into": (*NO_TEXT, None),
    "coco_annotation_file": (*NO_PATH, None, "/absent"),
    "splits": (*NO_LIST_OF_TEXTS, ["absent"]),
    "tags": NO_LIST_OF_TEXTS,
    "classes": (*NO_LIST_OF_TEXTS, ["absent"]),
    "label_ids": (*NO_LIST_OF_TEXTS, ["absent"], [], None),
    "overlap": (*NO_LIST_OF_TEXTS, "absent", ["absent"], None),
    "num_workers": (*STRANGE, True, "1", -1),
    "progress": (*STRANGE, 5, "yes"),
    "limits": (*STRANGE, 5, True, "tiny"),
    "suffix": (*STRANGE, 5, True, None, "a/b", "a\\b", "a\0b"),
    "box_field": NO_NEW_FIELD,
    "label_field": NO_FIELD,
    # The older source of this call is a path.
    "old_label_field": (*NO_TEXT, "_x", "$where"),
    "mask_field": NO_FIELD,
    "pred_field": (*NO_FIELD, None),
    "gt_field": (*NO_FIELD, None),
    "label_or_mask_field": (*NO_FIELD, None),
    "eval_key": (*NO_NAME, None),
    "new_eval_key": (*NO_NAME, None, "cover"),
    "key": (*NO_NAME, None, "area"),
    "fix_key": (*NO_NAME, None, "area"),
    "outline_key": NO_NAME,
    "issues": (*NO_LIST_OF_TEXTS, ["absent"]),
    "prefer_classes": (*NO_LIST_OF_TEXTS, ["absent"]),
    **dict.fromkeys(
        (
            "mode",
            "rasterizer",
            "storage",
            "boxes",
            "if_exists",
            "images",
            "area",
            "masks",
            "values",
            "conflicts",
            "old_copies",
        ),
        NO_CHOICE,
    ),
    "kind": tuple(value for value in NO_CHOICE if value is not None),
    **dict.fromkeys(
        (
            *("overwrite", "include_crowd", "persistent", "beside_images", "crop"),
            *("dry_run", "per_class", "redo"),
        ),
        NO_FLAG,
    ),
}
# Where an argument means a field or a key to write, and not one that is there.
WRONG_OF: dict[tuple[str, str], tuple[Any, ...]] = {
    ("import_roboflow_coco", "label_field"): NO_NEW_FIELD,
    ("compute_masks", "mask_field"): NO_NEW_FIELD,
    ("compute_masks", "label_field"): (*NO_FIELD, None),
    ("find_mask_issues", "label_field"): (*NO_FIELD, None),
    ("load_mask_evaluation", "eval_key"): (*NO_NAME, None, "absent"),
    ("rename_mask_evaluation", "eval_key"): (*NO_NAME, None, "absent"),
    ("delete_mask_evaluation", "eval_key"): (*NO_NAME, None, "absent"),
    ("export_roboflow_coco", "label_field"): (*NO_FIELD, None),
    ("export_roboflow_coco", "box_field"): (*NO_TEXT, "_x", None),
    ("export_roboflow_coco", "output_dir"): (*NO_PATH, None, f"/{'a' * 500}"),
    ("compare_exports", "label_field"): (*NO_FIELD, None),
    ("rank_mask_outlines", "label_field"): (*NO_FIELD, None),
    ("fix_mask_issues", "label_field"): (*NO_FIELD, None),
    ("merge_classes", "label_field"): (*NO_FIELD, None),
    ("delete_objects", "label_field"): (*NO_FIELD, None),
    ("delete_objects", "dataset"): NO_SAMPLES,
    ("undo_mask_fixes", "dataset"): NO_SAMPLES,
    ("undo_mask_fixes", "fix_key"): (*NO_NAME, None, "absent"),
    ("load_outline_ranking", "eval_key"): (*NO_NAME, None, "absent"),
    ("delete_outline_ranking", "eval_key"): (*NO_NAME, None, "absent"),
    ("clear_mask_issues", "key"): (*NO_NAME, None, "absent"),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    export = write_small_export(tmp_path_factory.mktemp("arguments") / "export")
    dataset, _ = fcm.import_roboflow_coco(export, "arguments")
    fcm.compute_masks(dataset)
    fcm.evaluate_mask_area(dataset, eval_key="area")
    fcm.evaluate_mask_coverage(dataset, eval_key="cover")
    fcm.find_mask_issues(dataset)
    fcm.fix_mask_issues(dataset, fix_key="fixed")
    fcm.rank_mask_outlines(dataset)
    yield dataset
    fo.delete_dataset("arguments")


@pytest.fixture
def calls(dataset: fo.Dataset, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Returns arguments with which each function would work."""
    export = Path(dataset.info["coco"]["path"])
    output = tmp_path / "output"
    return {
        "check_export": {"path": export},
        "import_roboflow_coco": {
            "path": export,
            "dataset": dataset,
            "if_exists": "replace",
        },
        "compute_masks": {"samples": dataset, "overwrite": True, "mode": "semantic"},
        "evaluate_mask_area": {"samples": dataset, "eval_key": "area"},
        "evaluate_mask_coverage": {"samples": dataset, "eval_key": "cover"},
        "compare_masks": {"samples": dataset, "pred_field": "mask", "eval_key": "same"},
        "find_mask_issues": {"samples": dataset},
        "clear_mask_issues": {"samples": dataset},
        "rank_mask_outlines": {"samples": dataset},
        "load_outline_ranking": {"samples": dataset},
        "list_outline_rankings": {"samples": dataset},
        "delete_outline_ranking": {"samples": dataset},
        "fix_mask_issues": {"samples": dataset},
        "merge_classes": {"samples": dataset, "into": "body", "classes": ["wing"]},
        "delete_objects": {
            "dataset": dataset,
            "label_ids": [dataset.first().segmentations.polylines[0].id],
        },
        "undo_mask_fixes": {"dataset": dataset, "fix_key": "fixed"},
        "list_mask_fixes": {"samples": dataset},
        "list_mask_evaluations": {"samples": dataset},
        "load_mask_evaluation": {"samples": dataset, "eval_key": "area"},
        "rename_mask_evaluation": {
            "samples": dataset,
            "eval_key": "area",
            "new_eval_key": "renamed",
        },
        "delete_mask_evaluation": {"samples": dataset, "eval_key": "area"},
        "refresh_mask_evaluations": {"samples": dataset},
        "export_masks": {
            "samples": dataset,
            "mask_field": "mask",
            "output_dir": output,
        },
        "export_roboflow_coco": {"samples": dataset, "output_dir": output},
        "compare_exports": {"old": export, "new": dataset},
        "write_report": {"source": dataset, "output_path": tmp_path / "report.html"},
        "export_cutouts": {
            "samples": dataset,
            "label_or_mask_field": "mask",
            "output_dir": output,
        },
    }


def functions() -> list[str]:
    return [n for n in fcm.__all__ if inspect.isfunction(getattr(fcm, n))]


def state(folders: list[Path]) -> tuple[Any, ...]:
    """Returns what the database and folders hold."""
    files = [
        (path, path.stat().st_mtime_ns)
        for folder in folders
        for path in sorted(folder.rglob("*"))
    ]
    return stored(), files


def test_every_function_is_called_with_wrong_arguments(calls: Any) -> None:
    assert set(functions()) == set(calls)


@pytest.mark.parametrize("name", functions())
def test_a_wrong_argument_is_one_sentence_and_nothing_is_written(
    dataset: fo.Dataset, calls: Any, tmp_path: Path, name: str
) -> None:
    function: Callable[..., Any] = getattr(fcm, name)
    folders = [tmp_path, Path(fo.config.default_dataset_dir)]
    before = state(folders)
    for parameter in inspect.signature(function).parameters:
        for value in WRONG_OF.get((name, parameter), WRONG[parameter]):
            given = {**calls[name], parameter: value}
            try:
                function(**given)
            except fcm.CocoMaskError as error:
                message = str(error)
            else:
                pytest.fail(f"{name}({parameter}={value!r}) was not refused")
            assert "\n" not in message, message
            assert len(message) < 600, message
            quoted = (
                [str(item) for item in value] if value == ["absent"] else [str(value)]
            )
            is_named = any(text in message for text in (parameter, *quoted))
            assert is_named, f"{parameter}={value!r}: {message}"
        assert state(folders) == before, parameter


def test_no_field_has_the_name_of_one_that_imports_write() -> None:
    assert {name for name, *_ in _SAMPLE_FIELDS} <= IMPORT_FIELDS


def test_a_single_text_is_a_list_of_one(new_dataset: Any, tmp_path: Path) -> None:
    export = write_small_export(tmp_path / "export")
    dataset, report = fcm.import_roboflow_coco(
        export, "small", tags="mine", splits="train"
    )
    assert dataset.distinct("tags") == ["mine", "train"]
    assert report.images == 2
