"""The skill for agents: FiftyOne finds it, and its calls are played, as they stand."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import fiftyone.plugins as fop
import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]
from pycocotools import mask as mask_utils

from fiftyone_cocomask.datasets.comparison.metrics import METRICS
from tests.conftest import REPOSITORY
from tests.plugin import PLUGIN
from tests.skill import SKILL, Call, skill_calls, skill_scripts

from ..stored import stored
from .delegation import run_next
from .mcp_server import Answer, mcp_server

DATASET = "butterflies"
JSON = "_annotations.coco.json"

# The App alone has a use for these.
OF_THE_APP = {"open_form", "open_mask_evaluation", "show_dataset"}
# It takes ids of labels, which no literal call can name.
OF_IDS = {"delete_objects"}
# Any text is right for these.
FREE = {"dataset", "into"}

Answers = dict[str, list[dict[str, Any]]]


def test_fiftyone_finds_the_skill() -> None:
    (skill,) = fop.list_skills(plugin=PLUGIN)
    assert skill.name == "roboflow-coco-masks"
    assert skill.category == "curation"
    assert "COCO export" in skill.description
    assert fop.list_skills(category="curation")
    assert Path(SKILL).read_text().endswith(skill.content)


def test_it_calls_every_operator_that_an_agent_has_a_use_for() -> None:
    manifest = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
    called = {call.operator for call in skill_calls() if call.operator}
    metrics = {metric.name for metric in METRICS}
    assert called == set(manifest["operators"]) - metrics - OF_THE_APP - OF_IDS
    assert all(f"@cocomask/cocomask/{name}`" in SKILL.read_text() for name in OF_IDS)


def test_its_script_runs_and_prints_tables_whole(
    demo_export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (script,) = skill_scripts()
    exec(script, {"path": demo_export})
    printed = capsys.readouterr().out
    assert "moth" in printed
    assert "..." not in printed
    # The last column of the widest table.
    assert "share_of_foreground" in printed
    assert fo.load_dataset(DATASET).list_runs() == ["area", "coverage", "mask_issues"]


@pytest.fixture
def paths(demo_export: Path, tmp_path: Path) -> dict[str, object]:
    """The demo's export with a label twice, and its next version, with one renamed."""
    old = shutil.copytree(demo_export, tmp_path / "old")
    with _edited(old / "train" / JSON) as content:
        twin = {**content["annotations"][0], "id": len(content["annotations"])}
        content["annotations"].append(twin)
    new = shutil.copytree(old, tmp_path / "new")
    with _edited(new / "valid" / JSON) as content:
        renamed = content["annotations"][0]
        renamed["category_id"] = 3 - renamed["category_id"]
    return {
        "/path/to/export": old,
        "/path/to/new-export": new,
        "/path/to/output": tmp_path / "output",
    }


class _edited:
    """The content of a JSON, written back at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> dict[str, Any]:
        self.content: dict[str, Any] = json.loads(self.path.read_text())
        return self.content

    def __exit__(self, *_: object) -> None:
        self.path.write_text(json.dumps(self.content))


def test_an_agent_does_the_whole_job_with_its_calls_alone(
    paths: dict[str, object], tmp_path: Path
) -> None:
    answers: Answers = defaultdict(list)
    failed: list[tuple[Call, str]] = []
    accepted: list[tuple[Call, str]] = []
    with mcp_server(tmp_path / "server.log") as answer:
        for call in (call.at(paths) for call in skill_calls()):
            accepted += _not_refused(answer, call)
            said = answer(call)
            if not said["success"]:
                failed.append((call, said["error"]))
            elif call.tool == "execute_operator":
                answers[str(call.operator)].append(said["data"].get("result"))
            else:
                answers[call.tool].append(said["data"])
        outcome = run_next()
        (watch,) = (c for c in skill_calls() if c.tool == "list_delegated_operations")
        later = answer(watch)["data"]["operations"]
    # Not above, where the server would wrap what fails into groups of exceptions.
    assert not failed
    assert not accepted
    assert outcome.error is None
    assert outcome.result["eval_key"] == "area_delegated"
    assert [operation["run_state"] for operation in later] == ["completed"]
    _check_discovery(answers)
    _check_figures(answers, Path(str(paths["/path/to/export"])))
    _check_repairs(answers)
    _check_files(Path(str(paths["/path/to/output"])), answers)
    _check_merge(answers)
    _check_order(answers)


def _not_refused(answer: Answer, call: Call) -> list[tuple[Call, str]]:
    """Makes the call with each of its parameters wrong, one at a time.

    Returns:
        the calls that were not refused in one sentence that names the parameter,
        before anything was written, each with what was said instead
    """
    if call.tool != "execute_operator" or call.arguments.get("delegate"):
        return []
    before = stored()
    found = []
    for spoilt, name in _spoilt(call):
        said = answer(spoilt)
        error = said.get("error") or "no error"
        is_sentence = len(error) < 300 and "Traceback" not in error
        if not is_sentence or f"Path: {name}. Reason: " not in error:
            found.append((spoilt, error))
    if stored() != before:
        found.append((call, "something was written by a call that was refused"))
    return found


def _spoilt(call: Call) -> Iterator[tuple[Call, str]]:
    for name, value in call.params.items():
        if name in FREE:
            continue
        wrong = "perhaps" if isinstance(value, bool) else "no such"
        yield call.with_params(**{name: wrong}), name


def _check_discovery(answers: Answers) -> None:
    (operators,) = answers["list_operators"]
    listed = {operator["uri"] for operator in operators["operators"]}
    assert {call.arguments["operator_uri"] for call in _operator_calls()} <= listed
    (plugins,) = answers["list_plugins"]
    assert PLUGIN in [plugin["name"] for plugin in plugins["plugins"]]
    (summary,) = answers["dataset_summary"]
    assert summary["num_samples"] == 21
    path = answers["get_operator_schema"][0]["input_schema"]["type"]["properties"]
    # With `verbose`, it says whether a parameter is wrong.
    assert path["path"]["invalid"] is False


def _operator_calls() -> list[Call]:
    return [call for call in skill_calls() if call.operator]


def _check_figures(answers: Answers, export: Path) -> None:
    annotations = [
        annotation
        for path in export.rglob(JSON)
        for annotation in json.loads(path.read_text())["annotations"]
    ]
    (checked,) = answers["check_export"]
    assert checked["annotations"] == checked["imported"] == len(annotations)
    lost = [kind for kind in checked["kinds"] if kind["severity"] == "error"]
    assert [(kind["code"], kind["action"]) for kind in lost] == [
        ("ring_joined_numbers", "box_only")
    ]
    whole, train = (
        result["summary"] for result in answers["evaluate_mask_coverage"][:2]
    )
    assert answers["evaluate_mask_area"][0]["summary"]["foreground_px"] == sum(
        _foreground(path) for path in export.rglob(JSON)
    )
    assert whole["images"] == 21
    # The view that `custom_view_target` names.
    assert train["images"] == 15
    assert train["foreground_px"] == _foreground(export / "train" / JSON)


def _foreground(path: Path) -> int:
    """Returns the pixels of a split's masks, by pycocotools."""
    content = json.loads(path.read_text())
    total = 0
    for image in content["images"]:
        size = image["height"], image["width"]
        mask = np.zeros(size, bool)
        for annotation in content["annotations"]:
            shape = annotation["segmentation"]
            # Of the broken annotation, whose numbers are text, nothing is drawn.
            is_broken = isinstance(annotation["bbox"][2], str)
            if annotation["image_id"] != image["id"] or is_broken:
                continue
            if isinstance(shape, list):
                shape = mask_utils.merge(mask_utils.frPyObjects(shape, *size))
            mask |= mask_utils.decode(shape).astype(bool)
        total += int(mask.sum())
    return total


def _check_repairs(answers: Answers) -> None:
    planned, done = answers["fix_mask_issues"]
    assert planned["dry_run"]
    assert not done["dry_run"]
    assert planned["fixed"] == done["fixed"] == {"box_only": 1, "duplicate": 1}
    (undone,) = answers["undo_mask_fixes"]
    assert undone["fixed"] == done["fixed"]
    (merged,) = answers["merge_classes"]
    assert merged["dry_run"]
    assert merged["fixed"]["merged_class"] > 0
    # Taken back: the export is as it was, and only the next version differs.
    (exported,) = answers["export_roboflow_coco"]
    assert (exported["unchanged"], exported["images"]) == (39, 21)
    assert exported["edited"] == exported["deleted"] == exported["relabelled"] == 0
    (comparison,) = answers["compare_masks"]
    assert comparison["summary"]["mean_iou"] > 0.9


def _check_files(output: Path, answers: Answers) -> None:
    masks = list((output / "masks").rglob("*.png"))
    assert len(masks) == 21
    foreground = answers["evaluate_mask_area"][0]["summary"]["foreground_px"]
    pixels: list[int] = []
    for mask in masks:
        written = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        pixels.append(int(np.count_nonzero(written)))
    assert sum(pixels) == foreground
    assert len(list((output / "cutouts").rglob("*.png"))) == 38
    assert "coverage_train" in (output / "report.html").read_text()
    assert "Comparison: opencv_vs_coco" in (output / "report.html").read_text()
    assert len(list((output / "coco").rglob(JSON))) == 3


def _check_merge(answers: Answers) -> None:
    (comparison,) = answers["compare_exports"]
    assert not comparison["same"]
    assert comparison["annotations"]["relabelled"] == 1
    _, planned, done = answers["import_roboflow_coco"]
    assert planned["dry_run"]
    assert planned["merge"] == done["merge"]
    assert any("1 annotation" in line for line in done["merge"]), done["merge"]


def _check_order(answers: Answers) -> None:
    dataset = fo.load_dataset(DATASET)
    (listed,) = answers["list_mask_evaluations"]
    keys = [row["eval_key"] for row in listed["evaluations"]]
    assert sorted(keys) == ["area", "coverage", "coverage_train", "opencv_vs_coco"]
    assert set(dataset.list_runs()) == {
        *("area", "coverage", "area_delegated", "outline"),
    }
    # Those of the search are gone, and of the comparison with the next version left.
    (comparison,) = answers["compare_exports"]
    views = comparison["views"]
    assert views == {"relabelled": "compare_exports: relabelled"}
    assert dataset.list_saved_views() == list(views.values())
