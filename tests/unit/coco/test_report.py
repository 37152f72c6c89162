"""The report: what a person and a program can read from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fiftyone_cocomask.coco.check import check_export
from fiftyone_cocomask.coco.issues import Action, Issue, IssueCode, Severity

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


def test_a_shortened_report_keeps_what_matters_most(broken_export: Path) -> None:
    values = check_export(broken_export).to_dict(max_issues=11)

    # Five annotations of two issues each and one image are lost.
    assert [issue["severity"] for issue in values["issues"]] == ["error"] * 11
    assert values["issues_omitted"] == sum(values["counts"].values()) - 11


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
