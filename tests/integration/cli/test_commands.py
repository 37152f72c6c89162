"""The commands that need a database, on an export from beginning to end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from pymongo.errors import AutoReconnect

from fiftyone_cocomask import find_mask_issues, load_mask_evaluation
from fiftyone_cocomask.cli import main
from fiftyone_cocomask.cli.main import _explained
from fiftyone_cocomask.errors import CocoMaskError
from tests.integration.small_export import annotation, image_name, write_split

NAME = "command-line"


@pytest.fixture
def export(demo_export: Path) -> Path:
    return demo_export


@pytest.fixture(autouse=True)
def _no_datasets_left(new_dataset: Any) -> None:
    """Datasets of these tests are deleted after them."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command with ``--json`` and returns its exit code and its result."""

    def run_command(*words: str | Path) -> tuple[int, Any]:
        code = main([*map(str, words), "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    return run_command


@pytest.fixture
def with_masks(export: Path, run: Any) -> fo.Dataset:
    assert run("import", export, "--dataset", NAME)[0] == 0
    assert run("masks", NAME)[0] == 0
    return fo.load_dataset(NAME)


def test_import_makes_a_dataset_that_stays(export: Path, run: Any) -> None:
    code, result = run("import", export, "--dataset", NAME, "--splits", "train")
    dataset = fo.load_dataset(NAME)
    assert code == 0
    assert (result["dataset"], result["samples"]) == (NAME, len(dataset))
    assert dataset.persistent
    assert dataset.distinct("split") == ["train"]


def test_issues_are_found_repaired_and_given_back(
    with_masks: fo.Dataset, run: Any
) -> None:
    before = with_masks.count_label_tags("segmentations")
    code, found = run("issues", NAME)
    assert (code, found["counts"]["coarse"]) == (0, 1)
    assert run("issues", NAME, "--strict")[0] == 1
    code, planned = run("fix", NAME, "--dry-run")
    assert (code, planned["fixed"]) == (0, {"box_only": 1})
    assert run("fix", NAME, "--issues", "box_only")[1]["fixed"] == {"box_only": 1}
    assert with_masks.count_label_tags("detections")["redraw"] == 1
    assert run("fix", NAME, "--undo")[1]["undone"] is True
    assert with_masks.count_label_tags("detections") == {"mask_issues:box_only": 1}
    assert run("fix", NAME, "--issues", "hidden")[0] == 1
    assert before == {}


def test_an_undo_of_a_view_is_refused_as_it_would_be_of_all(
    with_masks: fo.Dataset, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("issues", NAME)[0] == run("fix", NAME, "--issues", "box_only")[0] == 0
    with_masks.save_view("other", with_masks.match_tags("test"))
    assert main(["fix", NAME, "--undo", "--view", "other"]) == 1
    assert "leave --view out" in capsys.readouterr().err
    assert with_masks.count_label_tags("detections")["redraw"] == 1
    assert run("fix", NAME, "--undo")[1]["undone"] is True


def test_strict_import_says_that_something_is_missing(tmp_path: Path, run: Any) -> None:
    lost = [annotation(1, 0), annotation(2, 99)]
    write_split(tmp_path / "lost", [image_name("a")], lost)
    words = ("import", tmp_path / "lost", "--dataset", NAME)
    assert run(*words)[0] == 0
    code, result = run(*words, "--strict")
    assert code == 1
    assert result["report"]["dropped"] == 1


def test_masks_takes_every_option(export: Path, run: Any, tmp_path: Path) -> None:
    run("import", export, "--dataset", NAME)
    folder = tmp_path / "masks"
    words = ["masks", NAME, "--mode", "semantic", "--rasterizer", "opencv"]
    words += [
        "--overlap-classes",
        "moth",
        "butterfly",
        "--classes",
        "moth",
        "butterfly",
    ]
    code, result = run(*words, "--output-dir", folder, "--workers", "1")
    dataset = fo.load_dataset(NAME)
    assert code == 0
    assert result["images"] == len(dataset)
    made = dataset.get_field("mask").info["cocomask"]
    assert (made["mode"], made["rasterizer"]) == ("semantic", "opencv")
    assert list(made["overlap"]) == ["moth", "butterfly"]
    assert Path(dataset.first().mask.mask_path).is_relative_to(folder)


def test_masks_of_a_saved_view_leave_the_rest(export: Path, run: Any) -> None:
    run("import", export, "--dataset", NAME)
    dataset = fo.load_dataset(NAME)
    dataset.save_view("small", dataset.limit(2))
    code, result = run("masks", NAME, "--view", "small")
    assert (code, result["images"]) == (0, 2)
    assert len(dataset.exists("mask")) == 2


def test_evaluate_measures_the_objects_that_the_masks_were_drawn_of(
    with_masks: fo.Dataset, run: Any
) -> None:
    code, result = run("evaluate", NAME)
    assert code == 0
    assert set(result) == {"area", "coverage"}
    summary = result["area"]["summary"]
    assert summary["label_field"] == "segmentations"
    assert summary["foreground_px"] == with_masks.sum("mask_area_px")
    assert {row["split"] for row in result["area"]["per_class"]} == {
        "train", "valid", "test"
    }  # fmt: skip
    ratio = with_masks.mean("mask_coverage_ratio")
    found = result["coverage"]["summary"]["mean_coverage_over_images"]
    assert found == pytest.approx(ratio)


def test_evaluate_only_one_under_a_key(with_masks: fo.Dataset, run: Any) -> None:
    code, result = run("evaluate", NAME, "--only", "area", "--area-key", "px2")
    assert (code, list(result)) == (0, ["area"])
    assert with_masks.list_runs() == ["px2"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--coverage-key", "a b"], "--coverage-key must be a name"),
        (["--coverage-key", "taken"], "'taken' is the key of a run of another kind"),
        (
            ["--area-key", "one", "--coverage-key", "one"],
            "--area-key and --coverage-key are both 'one'; give two names",
        ),
    ],
)
def test_keys_are_checked_before_the_first_evaluation_is_made(
    with_masks: fo.Dataset,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    says: str,
) -> None:
    find_mask_issues(with_masks, key="taken")
    before = with_masks.get_field_schema()
    assert main(["evaluate", NAME, *words]) == 1
    assert says in capsys.readouterr().err
    with_masks.reload()
    assert with_masks.list_runs() == ["taken"]
    assert set(with_masks.get_field_schema()) == set(before)


def test_figures_are_those_of_the_evaluation(
    with_masks: fo.Dataset, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figures", NAME]) == 1
    assert "run `evaluate` first" in capsys.readouterr().err
    assert run("evaluate", NAME)[0] == 0
    code, found = run("figures", NAME)
    assert (code, found["eval_key"]) == (0, "mask_area")
    with_masks.reload()
    area = load_mask_evaluation(with_masks, "mask_area")
    assert found["resized_objects"] == area.resized_objects().to_dict("records")
    assert found["co_occurrence"] == area.co_occurrence().to_dict("records")
    texts = [row["text"] for row in found["split_drift"]]
    assert texts == area.split_drift()["text"].tolist()
    for heatmap in found["heatmaps"]:
        expected = area.heatmap(heatmap["class"])
        assert np.array_equal(heatmap["shares"], expected)
    assert main(["figures", NAME, "--eval-key", "mask_coverage"]) == 0
    assert "Small objects" not in (text := capsys.readouterr().out)
    assert "e+0" not in text
    assert "Where: centre and spread" in text


def test_evaluate_prints_a_table_of_classes(
    with_masks: fo.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", NAME]) == 0
    out = capsys.readouterr().out
    assert "butterfly" in out
    assert f"{with_masks.sum('mask_area_px'):,} px of foreground" in out
    assert f"{with_masks.mean('mask_coverage_ratio'):.1%} over images" in out


def test_strict_evaluate_fails_if_a_mask_is_gone(
    with_masks: fo.Dataset, run: Any
) -> None:
    Path(with_masks.first().mask.mask_path).unlink()
    assert run("evaluate", NAME)[0] == 0
    assert run("evaluate", NAME, "--strict")[0] == 1


def test_export_masks_and_cutouts(
    with_masks: fo.Dataset, run: Any, tmp_path: Path
) -> None:
    code, masks = run("export", "masks", NAME, "--output-dir", tmp_path / "masks")
    files = list((tmp_path / "masks").rglob("*_mask.png"))
    assert (code, masks["files"]) == (0, len(with_masks))
    assert len(files) == len(with_masks)
    words = ("export", "cutouts", NAME, "--output-dir", tmp_path / "cut", "--no-crop")
    code, cutouts = run(*words)
    cut = next((tmp_path / "cut").rglob("*.png"))
    assert code == 0
    assert cutouts["files"] > 0
    assert cv2.imread(str(cut), cv2.IMREAD_UNCHANGED).shape[2] == 4


def test_strict_export_fails_if_a_file_is_in_the_way(
    with_masks: fo.Dataset, run: Any, tmp_path: Path
) -> None:
    words = ("export", "masks", NAME, "--output-dir", tmp_path, "--strict")
    assert run(*words)[0] == 0
    next(tmp_path.rglob("*.png")).write_bytes(b"mine")
    assert run(*words)[0] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["masks", "command-lime"], "did you mean 'command-line'?"),
        (["masks", NAME, "--view", "nonsense"], "no saved view 'nonsense'"),
        (["masks", NAME, "--label-field", "nonsense"], "nonsense"),
        (["evaluate", NAME, "--mask-field", "nonsense"], "nonsense"),
        (["evaluate", NAME, "--area-key", "no good"], "no good"),
        (["export", "cutouts", NAME, "--field", "no", "--output-dir", "."], "'no'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_name_is_an_error_in_one_line(
    words: list[str],
    sentence: str,
    with_masks: fo.Dataset,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert main(words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert sentence in errors[0]
    assert said.err.splitlines()[-1] == errors[0]


@pytest.mark.parametrize(
    "words",
    [["report", "command-lime", "--output", "r.html"], ["diff", "command-lime", NAME]],
    ids=lambda words: words[0],
)
def test_a_name_of_neither_an_export_nor_a_dataset_is_told_what_is_like_it(
    words: list[str], with_masks: fo.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(words) in (1, 2)
    said = "error: No export or dataset 'command-lime'; did you mean 'command-line'?"
    assert said in capsys.readouterr().err


def test_a_folders_name_alone_means_the_dataset_if_there_is_one(
    export: Path,
    run: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As after an import, which names the dataset after the export's folder."""
    shutil.copytree(export, tmp_path / "insects")
    monkeypatch.chdir(tmp_path)
    assert run("diff", "insects", f".{os.sep}insects")[0] == 0
    assert run("import", "insects")[0] == 0
    dataset = fo.load_dataset("insects")
    dataset.delete_samples(dataset.first())
    code, changed = run("diff", "insects", f".{os.sep}insects")
    assert (code, changed["images"]["added"]) == (1, 1)
    assert run("diff", f".{os.sep}insects", f"insects{os.sep}")[0] == 0
    capsys.readouterr()
    # A report of a dataset needs evaluations.
    assert main(["report", "insects", "--output", "r.html"]) == 1
    said = capsys.readouterr().err
    assert f"the folder is .{os.sep}insects" in said
    assert "Dataset 'insects' has no mask evaluations to report" in said
    assert main(["report", f".{os.sep}insects", "--output", "r.html"]) == 0


def test_a_folder_is_taken_aloud_where_no_database_answers(
    export: Path, tmp_path: Path
) -> None:
    """There may be a dataset of that name, which was meant."""
    shutil.copytree(export, tmp_path / "insects")
    nowhere = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fiftyone_cocomask"),
            *("report", "insects", "--output", "r.html"),
        ],
        cwd=tmp_path,
        env={**os.environ, "FIFTYONE_DATABASE_URI": nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "database does not answer: the folder is taken" in done.stderr


def test_large_numbers_of_the_table_of_areas_are_written_as_those_below_it(
    with_masks: fo.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["evaluate", NAME, "--only", "area"]) == 0
    table, total = capsys.readouterr().out.strip().rsplit("\n", 1)
    pixels = 0
    for path in with_masks.values("mask.mask_path"):
        mask = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        assert mask is not None
        pixels += np.count_nonzero(mask)
    assert pixels >= 1000
    assert f"{pixels:,} px of foreground" in total
    assert not re.search(r"\d{4}", table)


def test_there_is_no_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "nothing-like-it"]) == 1
    assert "error: No dataset 'nothing-like-it'" in capsys.readouterr().err


def said_why_nothing(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Returns the one line that says why a command did nothing."""
    capsys.readouterr()
    assert main([*map(str, words)]) == 1
    lines = capsys.readouterr().err.splitlines()
    (line,) = [line for line in lines if line.startswith("error: ")]
    return line


def test_an_import_that_can_use_no_image_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [image_name("a"), image_name("b")]
    export = write_split(tmp_path / "gone", names, [annotation(1, 0)])
    for name in names:
        (export / name).unlink()
    line = said_why_nothing(capsys, "import", export, "--dataset", "new")
    assert "None of the export's 2 images could be used" in line
    assert "_annotations.coco.json" not in line
    assert not fo.dataset_exists("new")


def test_an_import_of_no_images_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = write_split(tmp_path / "empty", [], [])
    line = said_why_nothing(capsys, "import", export, "--dataset", NAME)
    assert "lists no images" in line


def test_commands_on_no_samples_fail(
    with_masks: fo.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_masks.save_view("none", with_masks.match_tags("no such tag"))
    view = (NAME, "--view", "none")
    for words in (
        ("masks", *view),
        ("evaluate", *view),
        ("export", "masks", *view, "--output-dir", tmp_path),
        ("export", "cutouts", *view, "--output-dir", tmp_path),
    ):
        assert "there are no samples" in said_why_nothing(capsys, *words)


def test_commands_that_skip_every_sample_say_why(
    with_masks: fo.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in with_masks.values("mask.mask_path"):
        Path(path).unlink()
    line = said_why_nothing(capsys, "evaluate", NAME, "--only", "coverage")
    assert "No image got a number; the first is" in line
    words = ("export", "masks", NAME, "--output-dir", tmp_path)
    assert "No image got a file; the first is" in said_why_nothing(capsys, *words)
    with_masks.set_values("filepath", [f"/gone/{i}.png" for i in range(21)])
    with_masks.clear_sample_field("metadata")
    line = said_why_nothing(capsys, "masks", NAME, "--overwrite")
    assert "No image got a mask; the first is /gone/0.png" in line


def test_masks_that_are_unchanged_say_how_many_objects_they_hold(
    with_masks: fo.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    number = with_masks.count("segmentations.polylines")
    capsys.readouterr()
    assert main(["masks", NAME]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"21 masks of {number:,} objects, all unchanged, in ")


class _Stopped:
    """Presses Ctrl-C at the first step of a bar."""

    def __init__(self, **kwargs: Any) -> None:
        """Takes what FiftyOne's own bar takes."""

    def __enter__(self) -> _Stopped:
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        """Has nothing to end."""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("import {export}", "run the same command again, with --dataset butterflies_"),
        ("masks {name} --overwrite", "Masks drawn so far are kept"),
        ("evaluate {name}", "An evaluation that was being made has no results yet"),
        ("export masks {name} --output-dir {folder}", "Files written so far are whole"),
        ("export cutouts {name} --output-dir {folder}", "Files written so far are"),
    ],
)
def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    words: str,
    sentence: str,
    export: Path,
    with_masks: fo.Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fo.Dataset("butterflies")
    monkeypatch.setattr("fiftyone.core.utils.ProgressBar", _Stopped)
    names = {"export": export, "name": NAME, "folder": tmp_path}
    assert main([word.format(**names) for word in words.split()]) == 130
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("Stopped. ")
    assert sentence in said


@pytest.mark.parametrize("error", [AutoReconnect("127.0.0.1:1"), ConnectionError("x")])
def test_what_is_raised_about_mongodb_becomes_a_sentence(error: Exception) -> None:
    explained = _explained(error)
    assert isinstance(explained, CocoMaskError)
    assert str(explained).startswith("The connection to MongoDB was lost")


def test_a_defect_stays_what_it_is() -> None:
    defect = KeyError("x")
    assert _explained(defect) is defect


def test_errors_name_the_options_and_not_the_arguments_of_python(
    export: Path, tmp_path: Path, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def error(*words: str | Path) -> str:
        assert main([*map(str, words)]) == 1
        return capsys.readouterr().err

    assert run("import", export, "--dataset", NAME)[0] == 0
    folder = tmp_path / "written"
    assert run("export", "coco", NAME, "--output-dir", folder)[0] == 0
    again = error("export", "coco", NAME, "--output-dir", folder)
    assert "give another --output-dir, or --overwrite to" in again
    existing = error("import", export, "--dataset", NAME, "--if-exists", "error")
    assert "set --if-exists to 'merge' or 'replace'" in existing
    field = error("masks", NAME, "--label-field", "nothing")
    assert "give --label-field a field of Polylines" in field
    assert "give another --mask-field" in error(
        "masks", NAME, "--mask-field", "detections"
    )
