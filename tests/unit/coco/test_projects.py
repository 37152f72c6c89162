"""A folder of exports of several projects: said, and not put under one licence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.issues import IssueCode, Severity

from .exports import annotation, document, read, write_export

README = """
{project} - v{version} 2026-01-30 10:18am
==============================

This dataset was exported via roboflow.com on January 30, 2026 at 10:18 AM GMT
"""


def write_project(
    folder: Path, version: str, license_name: str, classes: tuple[str, ...], **info: Any
) -> None:
    categories = [{"id": n, "name": name} for n, name in enumerate(classes)]
    parts = document(
        [annotation(category_id=0)],
        categories=categories,
        info={"version": version, **info},
        licenses=[{"id": 1, "name": license_name}],
    )
    write_export(folder, parts)


@pytest.mark.parametrize(
    "second",
    [
        ("1", "CC0", ("cat",)),
        ("2", "CC BY 4.0", ("cat",)),
        ("1", "CC BY 4.0", ("leaf", "vein")),
    ],
)
def test_exports_of_several_projects_are_a_warning(
    tmp_path: Path, second: tuple[str, str, tuple[str, ...]]
) -> None:
    for split in ("train", "valid"):
        write_project(tmp_path / "pets" / split, "1", "CC BY 4.0", ("cat", "dog"))
    write_project(tmp_path / "other", *second)
    found = read(tmp_path)

    issue = found.issue(IssueCode.SEVERAL_PROJECTS)
    assert issue.severity is Severity.WARNING
    assert f"other (version {second[0]}, {second[1]}, 1 image)" in issue.message
    assert "pets (version 1, CC BY 4.0, 2 images)" in issue.message
    assert found.report.imported == 3
    with ExportReader(tmp_path) as reader:
        assert sorted(p.folders[0] for p in reader.projects) == ["other", "pets"]
        assert set(reader.roboflow["license"].split(", ")) == {second[1], "CC BY 4.0"}
        assert reader.roboflow.get("version") == ("1" if second[0] == "1" else None)


def test_readmes_tell_projects_apart(tmp_path: Path) -> None:
    for name, version in (("pets", "1"), ("birds", "1")):
        write_project(tmp_path / name / "train", "1", "CC0", ("cat",))
        text = README.format(project=name, version=version)
        (tmp_path / name / "README.roboflow.txt").write_text(text)

    assert (
        "exports of 2 projects"
        in read(tmp_path).issue(IssueCode.SEVERAL_PROJECTS).message
    )


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "valid", "test"),
        ("Train", "VAL2017"),
        ("fold-1", "fold 2", "\u00fcbung"),
        ("export/v3/train", "export/v3/annotations"),
        ("a/train", "b/train"),
        ("",),
    ],
)
def test_splits_and_folds_are_one_project(
    tmp_path: Path, folders: tuple[str, ...]
) -> None:
    for number, folder in enumerate(folders):
        classes = ("cat", f"only here {number}")
        write_project(tmp_path / folder, "1", "CC0", classes, date_created=str(number))
    found = read(tmp_path)

    assert not found.issues(IssueCode.SEVERAL_PROJECTS)


def test_real_exports_are_projects_of_their_own(exports: Path) -> None:
    with ExportReader(exports) as reader:
        folders = {project.folders[0] for project in reader.projects}
        assert folders == {path.name for path in exports.iterdir() if path.is_dir()}
        assert "CC BY 4.0" in reader.roboflow["license"]
        assert "Public Domain" in reader.roboflow["license"]
    for path in exports.iterdir():
        if path.is_dir():
            with ExportReader(path) as reader:
                assert len(reader.projects) == 1
