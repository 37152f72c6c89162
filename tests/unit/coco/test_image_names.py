"""Entries and names of images: what is not an image, leads out, or is written oddly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    annotation,
    document,
    image_entry,
    pixels,
    read,
    read_with_image,
    write_export,
    write_image,
)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        7,
        "a.png",
        [],
        {},
        {"id": 1},
        {"id": 1, "file_name": 7},
        {"id": 1, "file_name": " "},
        {"file_name": "a.png"},
        {"id": None, "file_name": "a.png"},
    ],
    ids=str,
)
def test_entry_that_is_not_an_image_is_left_out(tmp_path: Path, entry: Any) -> None:
    images = [entry, image_entry(id=2, file_name="b.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts, files=("a.png", "b.png")))

    assert found.record.file_name == "b.png"
    assert found.report.images == 2
    assert found.issue(IssueCode.IMAGE_MALFORMED).action is Action.DROPPED
    assert found.report.dropped == 1


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "/etc/hostname",
        "a/../../secret.png",
        "..\\secret.png",
        "C:\\secret.png",
        "\\\\host\\share\\a.png",
        "a\0.png",
        ".",
        "./",
        "..",
        "/",
    ],
)
def test_name_that_leads_out_of_the_export_is_refused(
    tmp_path: Path, name: str
) -> None:
    write_image(tmp_path / "secret.png")
    parts = document([annotation()], images=[image_entry(file_name=name)])
    found = read(write_export(tmp_path / "export", parts, files=()))

    assert found.records == []
    issue = found.issue(IssueCode.FILE_NAME_UNSAFE)
    assert (issue.file_name, issue.action) == (name, Action.DROPPED)


def test_link_that_leads_out_of_the_export_is_refused(tmp_path: Path) -> None:
    secret = write_image(tmp_path / "secret.png")
    write_image(tmp_path / "elsewhere" / "c.png")
    images = [
        image_entry(),
        image_entry(id=2, file_name="b.png"),
        image_entry(id=3, file_name="folder/c.png"),
    ]
    parts = document([annotation()], images=images)
    folder = write_export(tmp_path / "export", parts, files=("a.png",))
    (folder / "b.png").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    found = read(folder)

    assert found.record.file_name == "a.png"
    refused = found.issues(IssueCode.FILE_NAME_UNSAFE)
    assert [issue.file_name for issue in refused] == ["b.png", "folder/c.png"]
    assert len(found.issues(IssueCode.LINK_REFUSED)) == 2


def test_links_within_the_export_and_hard_links_are_followed(tmp_path: Path) -> None:
    images = [image_entry(), *(image_entry(id=n, file_name=f"{n}.png") for n in (2, 3))]
    parts = document([annotation()], images=images)
    folder = write_export(tmp_path, parts, files=("a.png",))
    (folder / "2.png").symlink_to("a.png")
    os.link(folder / "a.png", folder / "3.png")
    found = read(folder)

    assert [record.file_name for record in found.records] == ["a.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    "name",
    [
        "sch\u00f6n \u2014 \u86c7 \U0001f98b.png",
        "n" * 250 + ".png",
        "a b%20c'\".png",
        "-rf.png",
    ],
)
def test_unusual_names(tmp_path: Path, name: str) -> None:
    found = read_with_image(tmp_path, name, write_image)

    assert found.record.file_name == name
    assert pixels(found.annotation) == 600


def test_name_longer_than_files_have_is_missing(tmp_path: Path) -> None:
    found = read_with_image(tmp_path, "n" * 5000, lambda path: None)

    assert found.issue(IssueCode.IMAGE_MISSING).action is Action.DROPPED


def test_accents_written_in_two_characters_are_the_same_name(tmp_path: Path) -> None:
    # As macOS writes them into a zip.
    found = read_with_image(
        tmp_path, "caf\u00e9.png", lambda path: write_image(tmp_path / "cafe\u0301.png")
    )

    assert found.record.file_name == "caf\u00e9.png"
    assert found.record.path == tmp_path.resolve() / "cafe\u0301.png"
    assert found.actions() == {(IssueCode.IMAGE_FOUND_ELSEWHERE, Action.REPAIRED)}


def test_names_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    images = [image_entry(), image_entry(id=2, file_name="A.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts, files=("a.png", "A.png")))

    assert [r.path.name for r in found.records] == ["a.png", "A.png"]
    assert found.actions() == {(IssueCode.FILE_NAMES_DIFFER_IN_CASE, Action.KEPT)}


def test_file_that_two_names_lead_to_is_reported(tmp_path: Path) -> None:
    images = [image_entry(), image_entry(id=2, file_name="images/a.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts))

    assert [len(record.annotations) for record in found.records] == [1, 1]
    issue = found.issue(IssueCode.DUPLICATE_FILE_NAME)
    assert (issue.file_name, issue.action) == ("images/a.png", Action.KEPT)
