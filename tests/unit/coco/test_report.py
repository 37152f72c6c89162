"""The report: what a person and a program can read from it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from fiftyone_cocomask.coco.check import check_export
from fiftyone_cocomask.coco.issues import Action, Issue, IssueCode, Severity
from fiftyone_cocomask.coco.report import ExportReport

from .exports import annotation, document, image_entry, read, write_export


@pytest.fixture
def broken_export(tmp_path: Path) -> Path:
    entries = [annotation(id=n, bbox=None, segmentation=[]) for n in range(5)]
    entries += [annotation(id=n, bbox=None) for n in range(5, 12)]
    images = [image_entry(), image_entry(id=2, file_name="lost.png")]
    write_export(tmp_path / "train", document(entries, images=images))
    write_export(tmp_path / "valid", document([annotation()]))
    return tmp_path


def test_report_counts(broken_export: Path) -> None:
    report = check_export(broken_export)

    assert report.images == 3
    assert report.usable_images == 2
    assert report.annotations == 13
    assert report.categories == 3
    assert report.splits == {
        "train": {"images": 2, "annotations": 12},
        "valid": {"images": 1, "annotations": 1},
    }
    assert (report.imported, report.dropped, report.accounted) == (8, 5, 13)
    assert report.counts()["box_missing"] == 12


def test_report_as_plain_values(broken_export: Path) -> None:
    report = check_export(broken_export)
    values = report.to_dict()

    assert json.loads(json.dumps(values)) == values
    assert values["annotations"] == 13
    assert len(values["issues"]) == len(report.issues)
    assert values["issues_omitted"] == 0
    issue = next(i for i in values["issues"] if i["code"] == "image_missing")
    assert issue == {
        "code": "image_missing",
        "severity": "error",
        "action": "dropped",
        "split": "train",
        "file_name": "lost.png",
        "image_id": 2,
        "message": "there is no such file in the export",
    }


def test_a_shortened_report_has_some_of_every_kind_the_harmful_first(
    broken_export: Path,
) -> None:
    report = check_export(broken_export)
    every = {(issue.severity, issue.action, issue.code) for issue in report.issues}
    values = report.to_dict(max_issues=len(every) + 4)

    # One of each kind, and two more of each of the two kinds that have more errors.
    kept = Counter((i["severity"], i["action"], i["code"]) for i in values["issues"])
    assert kept.keys() == every
    assert kept["error", "dropped", "image_missing"] == 1
    assert (
        kept["error", "dropped", "box_missing"]
        == kept["error", "dropped", "segmentation_missing"]
        == 3
    )
    assert values["issues"][0]["code"] == "image_missing"
    severities = [issue["severity"] for issue in values["issues"]]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert values["issues_omitted"] == len(report.issues) - len(every) - 4
    assert values["counts"]["box_missing"] == 12


def test_seven_lost_polygons_are_found_among_thousands_of_repairs() -> None:
    report = ExportReport("bulk")
    for number in range(3000):
        report.add(IssueCode.BOX_DIFFERS, "m", Action.REPAIRED, annotation_id=number)
    for number in range(7):
        report.add(
            IssueCode.RING_JOINED_NUMBERS, "m", Action.BOX_ONLY, annotation_id=number
        )
    report.add(IssueCode.IMAGE_MISSING, "m", Action.DROPPED, file_name="a.png")
    for _ in range(40):
        report.add(IssueCode.ANNOTATION_OF_DROPPED_IMAGE, "m", Action.DROPPED)

    values = report.to_dict(max_issues=100)
    kept = Counter(issue["code"] for issue in values["issues"])
    assert kept == {
        "image_missing": 1,
        "annotation_of_dropped_image": 40,
        "ring_joined_numbers": 7,
        "box_differs": 52,
    }
    kinds = [(kind["code"], kind["action"], kind["count"]) for kind in values["kinds"]]
    assert kinds == [
        ("image_missing", "dropped", 1),
        ("annotation_of_dropped_image", "dropped", 40),
        ("ring_joined_numbers", "box_only", 7),
        ("box_differs", "repaired", 3000),
    ]
    lines = [line for line in report.summary().splitlines() if line[:3].strip()]
    codes = [line.split(":")[0].strip() for line in lines if line.startswith("  ")]
    assert codes[1:] == [kind[0] for kind in kinds]


def test_what_a_dataset_keeps_of_a_report_is_bounded_in_bytes() -> None:
    report = ExportReport("long names")
    for number in range(1000):
        name = f"{number}{'x' * 20_000}.png"
        report.add(IssueCode.IMAGE_MISSING, "m" * 5000, Action.DROPPED, file_name=name)

    values = report.to_dict(1000, 500_000)
    assert 10 < len(values["issues"]) < 25
    assert values["issues_omitted"] == 1000 - len(values["issues"])
    assert len(json.dumps(values)) < 600_000


def test_names_in_a_summary_keep_the_token_that_tells_copies_apart() -> None:
    token = "0123456789abcdef0123456789abcdef"
    name = f"{'a-long-name-of-a-source-' * 5}_jpg.rf.{token}.jpg"
    report = ExportReport("tokens")
    report.add(IssueCode.IMAGE_MISSING, "m", Action.DROPPED, file_name=name)

    line = report.summary().splitlines()[-1]
    assert f"...rf.{token}.jpg" in line
    assert "[a-long-name-of-a-source-" in line
    assert len(line) < 100


def test_a_polygon_that_is_lost_is_an_error(tmp_path: Path) -> None:
    lost = annotation(segmentation=[[1, 2, "x", 4, 5, 6]])
    report = check_export(write_export(tmp_path, document([lost])))

    (issue,) = [i for i in report.issues if i.code is IssueCode.RING_NOT_NUMBERS]
    assert (issue.severity, issue.action) == (Severity.ERROR, Action.BOX_ONLY)


def test_a_part_of_a_polygon_that_is_lost_is_an_error(tmp_path: Path) -> None:
    square = [10, 10, 40, 10, 40, 30, 10, 30]
    lost = annotation(segmentation=[square, [1, 2, "x", 4, 5, 6]])
    short = annotation(id=2, segmentation=[square, [1, 2, 3, 4]])
    report = check_export(write_export(tmp_path, document([lost, short])))

    found = {i.code: (i.severity, i.action) for i in report.issues}
    assert found[IssueCode.RING_NOT_NUMBERS] == (Severity.ERROR, Action.REPAIRED)
    # Two points enclose nothing.
    assert found[IssueCode.RING_TOO_SHORT] == (Severity.WARNING, Action.REPAIRED)


def test_summary_names_counts_actions_and_first_examples(broken_export: Path) -> None:
    lines = check_export(broken_export).summary().splitlines()

    assert lines[0] == f"Export {broken_export.name}"
    assert [line.split() for line in lines[1:5]] == [
        ["split", "images", "annotations"],
        ["train", "2", "12"],
        ["valid", "1", "1"],
        ["all", "3", "13"],
    ]
    assert "2 of 3 images usable, 8 of 13 annotations usable, 5 dropped" in lines[5]
    errors, warnings = lines.index("Errors"), lines.index("Warnings")
    assert errors < warnings < lines.index("Notes")
    place = lines.index("  box_missing: 5 dropped")
    assert errors < place < warnings
    assert lines[place + 1 : place + 5] == [
        f"    [train, a.png, annotation {n}] it has no box; nothing is left of it"
        for n in range(3)
    ] + ["    ... and 2 more"]
    assert "  box_missing: 7 repaired" in lines[warnings:]
    assert "    [train, lost.png] there is no such file in the export" in lines


def test_summary_of_an_export_without_issues(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}]
    write_export(tmp_path, document([annotation()], categories=categories))

    assert check_export(tmp_path).summary().splitlines()[-1] == "No issues."


def test_every_code_has_a_name_of_its_own_and_words() -> None:
    for code in IssueCode:
        assert code.value == code.name.lower()
        assert isinstance(code.severity, Severity)


def test_what_is_dropped_is_an_error_whatever_the_code(tmp_path: Path) -> None:
    entries = [
        annotation(segmentation=None),
        annotation(id=2, segmentation=None, bbox=[]),
    ]
    found = read(write_export(tmp_path, document(entries)))

    severities = {
        issue.annotation_id: (issue.severity, issue.action)
        for issue in found.issues(IssueCode.SEGMENTATION_MISSING)
    }
    assert severities == {
        1: (Severity.INFO, Action.BOX_ONLY),
        2: (Severity.ERROR, Action.DROPPED),
    }


def test_issue_says_where_it_is() -> None:
    issue = Issue(
        IssueCode.BOX_EMPTY,
        Severity.WARNING,
        "train",
        "a.png",
        0,
        None,
        "m",
        Action.KEPT,
    )

    assert issue.to_dict()["image_id"] == 0
    assert "annotation_id" not in issue.to_dict()


def test_summary_commands_no_terminal(tmp_path: Path) -> None:
    images = [image_entry(file_name="\x1b[31mred\n\u202e.png")]
    parts = document([], images=images, categories=[{"id": 7, "name": "\x1b]0;x\x07"}])
    summary = check_export(write_export(tmp_path, parts, files=())).summary()

    assert all(line.isprintable() for line in summary.splitlines())
    assert "[31mred" in summary
