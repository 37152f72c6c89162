"""What Roboflow knows: sources of augmented copies, tags, versions, leakage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import annotation, document, image_entry, read, write_export, write_image

HEX = "95a3ad09a8ccf4286211ce31a12c16f0"
MIXED = "aB3dE5gH7jK9mN1pQ3rS"


@pytest.mark.parametrize(
    ("file_name", "extra", "expected"),
    [
        (f"apollo_webp.rf.{HEX}.jpg", None, "apollo_webp"),
        (f"apollo_webp.rf.{MIXED}.jpg", None, "apollo_webp"),
        (f"97_21_jpg.rf.{HEX}.jpg", {"name": "97.21.jpg"}, "97.21.jpg"),
        (f"a.b_png.rf.{HEX}.png", {"user_tags": []}, "a.b_png"),
        (f"images/a_png.rf.{HEX}.jpg", {}, "a_png"),
        (f"a_jpg.rf.{HEX}.jpg", {"name": ""}, "a_jpg"),
        (f"a_jpg.rf.{HEX}.jpg", {"name": 7}, "a_jpg"),
        (f"a_jpg.rf.{HEX}.jpg", "text", "a_jpg"),
        ("plain.jpg", None, "plain.jpg"),
        (".rf.jpg", None, ".rf.jpg"),
    ],
)
def test_source_of_a_copy(
    tmp_path: Path, file_name: str, extra: Any, expected: str
) -> None:
    parts = document([], images=[image_entry(file_name=file_name, extra=extra)])
    found = read(write_export(tmp_path, parts, files=(file_name,)))

    assert found.record.source_name == expected


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"user_tags": ["ripe", "round", "ripe"]}, ["ripe", "round"]),
        ({"user_tags": "ripe"}, ["ripe"]),
        ({"user_tags": ["ripe", None, 7, ""]}, ["ripe"]),
        ({"user_tags": None}, []),
        ({}, []),
        (None, []),
        ([1], []),
    ],
)
def test_tags_of_an_image(tmp_path: Path, extra: Any, expected: list[str]) -> None:
    found = read(
        write_export(tmp_path, document([], images=[image_entry(extra=extra)]))
    )

    assert found.record.user_tags == expected


def test_what_else_the_json_says_of_an_image_is_kept(tmp_path: Path) -> None:
    entry = image_entry(license=1, date_captured="2024-10-12", extra={"name": "x.jpg"})
    found = read(write_export(tmp_path, document([], images=[entry])))

    assert found.record.original is not None
    assert json.loads(found.record.original) == {
        "rest": {
            "license": 1,
            "date_captured": "2024-10-12",
            "extra": {"name": "x.jpg"},
        }
    }


README = """
Birds - v2 2024-05-09 5:51pm
==============================

This dataset was exported via roboflow.com on January 30, 2025 at 10:18 AM GMT

Roboflow is an end-to-end computer vision platform
"""
DATASET_README = """# Birds > 2024-05-09 5:51pm
https://universe.roboflow.com/somebody/birds

Provided by a Roboflow user
License: CC BY 4.0
"""


def test_readmes_tell_project_version_date_and_licence(tmp_path: Path) -> None:
    write_export(tmp_path / "train", document([]))
    (tmp_path / "README.roboflow.txt").write_text(README)
    (tmp_path / "README.dataset.txt").write_text(DATASET_README)

    with ExportReader(tmp_path) as reader:
        assert reader.roboflow == {
            "project": "Birds",
            "version": "2",
            "exported": "January 30, 2025 at 10:18 AM GMT",
            "license": "CC BY 4.0",
            "url": "https://universe.roboflow.com/somebody/birds",
        }


def test_without_readmes_the_json_tells(tmp_path: Path) -> None:
    info = {"version": "4", "date_created": "2026-02-01T04:19:49+00:00", "url": "u"}
    licenses = [{"id": 1, "name": "Public Domain"}]
    write_export(tmp_path, document([], info=info, licenses=licenses))

    with ExportReader(tmp_path) as reader:
        assert reader.roboflow == {
            "version": "4",
            "exported": "2026-02-01T04:19:49+00:00",
            "license": "Public Domain",
            "url": "u",
        }


def test_info_of_each_split_is_kept(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        info = {"description": split, "a.b": 10**30}
        write_export(tmp_path / split, document([annotation()], info=info))

    with ExportReader(tmp_path) as reader:
        assert reader.info["name"] == tmp_path.name
        assert list(reader.info["splits"]) == ["train", "valid"]
        valid = reader.info["splits"]["valid"]
    assert valid["info"] == {"description": "valid", "a%2Eb": str(10**30)}
    assert valid["licenses"] == [{"id": 1, "name": "CC BY 4.0"}]
    assert [category["name"] for category in valid["categories"]] == [
        "animals",
        "cat",
        "dog",
    ]


# Leakage.


def write_split(folder: Path, name: str, extra: Any = None, color: int = 0) -> None:
    parts = document([], images=[image_entry(file_name=name, extra=extra)])
    write_export(folder, parts, files=())
    image = write_image(folder / name)
    image.write_bytes(image.read_bytes() + bytes([color]))


@pytest.mark.parametrize(
    "extras",
    [(None, None), ({"name": "a.jpg"}, None), ({"name": "a.jpg"}, {"name": "a.jpg"})],
)
def test_source_with_copies_in_two_splits_is_reported(
    tmp_path: Path, extras: tuple[Any, Any]
) -> None:
    write_split(tmp_path / "train", f"a_jpg.rf.{HEX}.png", extras[0])
    write_split(tmp_path / "valid", f"a_jpg.rf.{MIXED}.png", extras[1])
    write_split(tmp_path / "test", f"b_jpg.rf.{HEX}.png")
    found = read(tmp_path)

    issue = found.issue(IssueCode.SOURCE_IN_SEVERAL_SPLITS)
    assert issue.action is Action.KEPT
    assert "2 copies of 'a_jpg' lie in the splits train, valid" in issue.message
    # The samples say so too.
    leaking = {
        record.split
        for record in found.records
        if IssueCode.SOURCE_IN_SEVERAL_SPLITS in record.issues
    }
    assert leaking == {"train", "valid"}


def test_copies_within_one_split_are_not_leakage(tmp_path: Path) -> None:
    names = [f"a_jpg.rf.{n:032x}.png" for n in range(3)]
    images = [image_entry(id=n, file_name=name) for n, name in enumerate(names)]
    write_export(tmp_path / "train", document([], images=images), files=tuple(names))
    write_split(tmp_path / "valid", f"b_jpg.rf.{HEX}.png")

    assert read(tmp_path).issues(IssueCode.SOURCE_IN_SEVERAL_SPLITS) == []


@pytest.mark.parametrize(("color", "leaks"), [(0, True), (1, False)])
def test_one_name_in_two_splits_leaks_where_the_bytes_are_the_same(
    tmp_path: Path, color: int, leaks: bool
) -> None:
    write_split(tmp_path / "train", "0001.png")
    write_split(tmp_path / "valid", "0001.png", color=color)

    issues = read(tmp_path).issues(IssueCode.SOURCE_IN_SEVERAL_SPLITS)
    assert bool(issues) is leaks
