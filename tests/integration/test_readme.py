"""The README's code runs as it is printed, from top to bottom."""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]

import fiftyone_cocomask as fcm
from fiftyone_cocomask import cli
from fiftyone_cocomask.datasets.comparison.metrics import METRICS
from fiftyone_cocomask.datasets.issues import MaskIssue
from tests.conftest import REPOSITORY
from tests.plugin import link_plugin, uri
from tests.readme import blocks, readme_blocks, sections

OPERATORS_PAGE = "docs/operators.md"

# Blocks that install or download are for a person's machine; `make demo` and
# `make test` are what runs this. The recipe for PyTorch is in tests/recipes.
NOT_RUN = (
    *("fiftyone plugins", "pip install", "make ", "fiftyone-cocomask install"),
    # tests/integration/operators/test_tasks.py runs these.
    *("fiftyone delegated", "export FIFTYONE_"),
)


@pytest.fixture
def folder(
    demo_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield demo_export
    for name in fo.list_datasets():
        fo.delete_dataset(name)


HEADINGS = (
    "From an export to a fixed dataset, and back",
    "Against another mask",
    "Files for other programs",
    "A training set",
    "In the App",
    "Several machines",
    "For agents",
)


def run_the_blocks(path: Path) -> dict[str, Any]:
    """Runs the README's blocks, and returns the names that they have set."""
    link_plugin(fo.config.plugins_dir)
    names: dict[str, Any] = {"path": path}
    for heading in HEADINGS:
        blocks = readme_blocks("python", heading)
        assert blocks, heading
        for block in blocks:
            # tests/recipes runs that one.
            if "import torch" not in block:
                exec(compile(block, f"README.md, {heading}", "exec"), names)
    return names


def test_the_python_blocks_run(folder: Path, capsys: pytest.CaptureFixture) -> None:
    names = run_the_blocks(folder)
    printed = capsys.readouterr().out
    assert "21 of 21 images usable" in printed
    assert len(list(Path("masks").rglob("*.png"))) == 21
    assert len(list(Path("cutouts").rglob("*.png"))) > 20
    for issue, view in names["issues"].views.items():
        assert view == f"mask_issues: {issue}"
        assert f"\n{issue} " in printed
    assert names["issues"].counts["coarse"] > 0
    dataset = fo.load_dataset("butterflies")
    assert "16 operations are queued" in printed
    assert dataset.list_runs() == ["area", "coverage", "size"]
    assert "opencv_vs_coco" in dataset.list_evaluations()
    # What was found is taken away again at the end of its part.
    assert not dataset.list_saved_views()


@pytest.fixture
def real_export(
    request: pytest.FixtureRequest, exports: Path, tmp_path: Path
) -> Iterator[Path]:
    """A real export, with few images where it has many objects.

    Images that are not there are drawn: one of the exports is its JSON alone.
    """
    source, target = exports / request.param, tmp_path / request.param
    for path in source.rglob("*.json"):
        content = json.loads(path.read_text())
        if len(content["annotations"]) > MANY:
            content["images"] = content["images"][:IMAGES_OF_MANY]
            kept = {image["id"] for image in content["images"]}
            content["annotations"] = [
                item for item in content["annotations"] if item["image_id"] in kept
            ]
        folder = target / path.parent.relative_to(source)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path.name).write_text(json.dumps(content))
        for image in content["images"]:
            name = image["file_name"]
            if (path.parent / name).exists():
                shutil.copy(path.parent / name, folder / name)
            else:
                size = image["height"], image["width"], 3
                pixels = np.full(size, image["id"] % 256, np.uint8)
                assert cv2.imwrite(str(folder / name), pixels)
    yield target
    for name in fo.list_datasets():
        fo.delete_dataset(name)


MANY, IMAGES_OF_MANY = 500, 2


@pytest.mark.parametrize(
    "real_export",
    ["bacteria", "butterflies", "fetal_brain", "leaf_veins", "mushrooms"],
    indirect=True,
)
def test_the_python_blocks_run_on_real_exports(
    real_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dataset = run_the_blocks(real_export)["dataset"]
    images = sum(
        len(json.loads(path.read_text())["images"])
        for path in real_export.rglob("*.json")
    )
    assert len(dataset) == images
    assert len(list(Path("masks").rglob("*.png"))) == images
    assert any(Path("training-set", "labels").glob("*.png"))
    assert any(Path("cutouts").rglob("*.png"))


def test_every_python_block_is_run_by_a_test() -> None:
    under = {heading for heading, text in sections().items() if blocks(text, "python")}
    assert under == set(HEADINGS)


def test_the_page_of_the_operators_runs(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    link_plugin(fo.config.plugins_dir)
    names: dict[str, Any] = {"path": folder}
    for heading, text in sections(OPERATORS_PAGE).items():
        for block in blocks(text, "python"):
            exec(compile(block, f"{OPERATORS_PAGE}, {heading}", "exec"), names)
    assert "['mask_area', 'mask_coverage']" in capsys.readouterr().out
    assert fcm.list_mask_evaluations(names["dataset"]) == ["mask_coverage"]


def test_the_page_of_the_operators_has_each_with_all_its_options() -> None:
    link_plugin(fo.config.plugins_dir)
    manifest = yaml.safe_load((REPOSITORY / "fiftyone.yml").read_text())
    operators = set(manifest["operators"]) - {metric.name for metric in METRICS}
    described = set()
    for heading, text in list(sections(OPERATORS_PAGE).items())[1:]:
        found = re.findall(r"`@cocomask/cocomask/(\w+)`", text)
        described |= set(found)
        expected: set[str] = set()
        for name in found:
            operator = foo.get_operator(uri(name))
            if callable(operator):
                expected |= set(inspect.signature(operator).parameters)
        options = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        assert options == expected - {"samples", "delegate"}, heading
        for picture in re.findall(r"\]\((images/.*?)\)", text):
            assert (REPOSITORY / "docs" / picture).is_file()
    assert described == operators


def test_the_reference_has_the_rule_of_every_issue() -> None:
    text = (REPOSITORY / "docs" / "reference.md").read_text()
    table = text[text.index("| issue | rule |") : text.index("Pairs of classes")]
    rows = re.findall(r"^\| (`.+?) \| .+ \|$", table, re.MULTILINE)
    named = re.findall(r"`(\w+)`", " ".join(rows))
    assert sorted(named) == sorted(issue.value for issue in MaskIssue)


def test_the_commands_of_the_table_are_those_of_the_program() -> None:
    text = (REPOSITORY / "README.md").read_text()
    table = text[text.index("## Command line") : text.index("## In the App")]
    listed = set(re.findall(r"^\| `(\w+)", table, re.MULTILINE))
    listed |= set(re.findall(r"^\| `\w+`, `(\w+)`", table, re.MULTILINE))
    shown = subprocess.run(
        [sys.executable, "-m", "fiftyone_cocomask", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    commands = set(re.findall(r"^    (\w+)(?:  |$)", shown, re.MULTILINE))
    assert listed == commands


def test_the_checks_exit_codes_are_as_stated(folder: Path) -> None:
    (block,) = readme_blocks("yaml", "Command line")
    command = re.search(r"fiftyone-cocomask (check.*)", block)
    assert command is not None
    arguments = shlex.split(command[1].replace("export.zip", str(folder)))
    # The polygon of one annotation of the demo's train split is lost.
    assert cli.main(arguments) == 1
    valid = str(folder / "valid" / "_annotations.coco.json")
    assert cli.main(["check", valid, "--strict"]) == 0
    with pytest.raises(SystemExit) as exit_:
        cli.main(["check"])
    assert exit_.value.code == 2


def test_every_other_command_is_one_that_installs_or_makes() -> None:
    text = (REPOSITORY / "README.md").read_text()
    for block in re.findall(r"^```shell\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            assert line.startswith((*NOT_RUN, "fiftyone-cocomask uninstall"))
