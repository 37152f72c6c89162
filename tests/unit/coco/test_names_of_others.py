"""File names as other systems and tools write them, and the files that they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_cocomask.coco.issues import Action, IssueCode
from fiftyone_cocomask.coco.spellings import spellings

from .exports import Reading, annotation, document, image_entry, read, write_image


def read_named(
    folder: Path, names: list[str], files: list[str], **options: Any
) -> Reading:
    """Reads ``result.json`` of images of these names, beside which are these files."""
    images = [image_entry(id=n, file_name=name) for n, name in enumerate(names)]
    entries = [annotation(id=n, image_id=n) for n in range(len(names))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(document(entries, images=images)))
    for name in files:
        write_image(folder / name)
    return read(folder, **options)


def places(found: Reading, folder: Path) -> list[str]:
    root = folder.resolve()
    return [record.path.relative_to(root).as_posix() for record in found.records]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("..\\..\\label-studio\\upload\\4\\a.png", "images/a.png"),
        ("../../upload/4/a.png", "images/a.png"),
        ("/home/user/images/a.png", "images/a.png"),
        ("C:\\data\\images\\a.png", "images/a.png"),
        ("C:/data/images/a.png", "images/a.png"),
        ("c:a.png", "images/a.png"),
        ("\\\\server\\share\\images\\a.png", "images/a.png"),
        ("file:///home/user/images/a%20b.png", "images/a b.png"),
        ("file:///C:/data/a.png", "images/a.png"),
        ("https://x.org/images/a.png?token=1#page", "images/a.png"),
        ("http://x.org/o/images%2Fa.png?alt=media", "images/a.png"),
        ("s3://bucket/path/a.png", "images/a.png"),
        ("gs://bucket/path/a%2520b.png", "images/a b.png"),
        ("/data/local-files/?d=images/a.png", "images/a.png"),
        ("https://x.org/get?file=images%2Fa%20b.png&v=2", "images/a b.png"),
        ("images/a%20b.png", "images/a b.png"),
        ("images%2Fa.png", "images/a.png"),
        ("x%3Ay.png", "images/x:y.png"),
        ("%C3%BC%231.png", "images/\u00fc#1.png"),
        ("u%CC%88%231.png", "images/\u00fc#1.png"),
        ("u\u0308.png", "images/\u00fc.png"),
        ("\u00fc.png", "images/u\u0308.png"),
        ("a+b.png", "images/a b.png"),
        ("a.png?v=2", "images/a.png"),
        ("http://x.org/a#1.png", "images/a#1.png"),
        (" a.png\n", "images/a.png"),
        (".\\images\\a.png", "images/a.png"),
    ],
)
def test_file_is_found_by_its_last_part(tmp_path: Path, name: str, file: str) -> None:
    found = read_named(tmp_path / "export", [name], [file, "images/other.png"])

    assert places(found, tmp_path / "export") == [file]
    assert found.record.file_name == name
    assert len(found.record.annotations) == 1
    issue = found.issue(IssueCode.IMAGE_FOUND_ELSEWHERE)
    assert (issue.action, issue.file_name) == (Action.REPAIRED, name)
    assert file in issue.message


@pytest.mark.parametrize(
    ("name", "literal", "decoded"),
    [
        ("images/c%20d.png", "images/c%20d.png", "images/c d.png"),
        ("c%20d.png", "images/c%20d.png", "images/c d.png"),
        ("a+b.png", "images/a+b.png", "images/a b.png"),
        ("x#1.png", "images/x#1.png", "images/x.png"),
        ("x?1.png", "images/x?1.png", "images/x.png"),
    ],
)
def test_file_of_the_very_name_wins_over_the_decoded_one(
    tmp_path: Path, name: str, literal: str, decoded: str
) -> None:
    for files in ([literal, decoded], [decoded, literal]):
        found = read_named(tmp_path, [name], files)
        assert places(found, tmp_path) == [literal]


@pytest.mark.parametrize("name", ["C:\\x\\a.png", "../../a.png", "http://x.org/a.png"])
def test_several_files_that_a_name_could_mean_are_named_and_refused(
    tmp_path: Path, name: str
) -> None:
    found = read_named(tmp_path, [name], ["one/a.png", "two/a.png"])

    assert found.records == []
    issue = found.issue(IssueCode.IMAGE_MISSING)
    assert issue.action is Action.DROPPED
    assert "one/a.png" in issue.message
    assert "two/a.png" in issue.message


def test_of_several_files_the_one_in_the_folders_of_the_name_is_meant(
    tmp_path: Path,
) -> None:
    files = ["train/images/a.png", "valid/images/a.png"]
    names = ["/home/u/p/valid/images/a.png", "D:\\p\\train\\Images\\a.png"]

    assert places(read_named(tmp_path, names, files), tmp_path) == files[::-1]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "%2e%2e%2fsecret.png",
        "..%5Csecret.png",
        "file://{outside}/secret.png",
        "{outside}/secret.png",
        "\\..\\secret.png",
    ],
)
def test_nothing_outside_is_ever_opened(tmp_path: Path, name: str) -> None:
    secret = write_image(tmp_path / "secret.png")
    secret.chmod(0)
    found = read_named(
        tmp_path / "export", [name.format(outside=tmp_path)], ["images/a.png"]
    )

    assert found.records == []
    assert found.report.dropped == 1


def test_many_files_of_one_name_are_told_apart_by_their_folders(
    tmp_path: Path,
) -> None:
    files = [f"scene{n}/Frames/1.png" for n in range(120)]
    names = [f"D:\\old\\scene{n}\\frames\\1.png" for n in range(120)]
    found = read_named(tmp_path, [*names, "/old/1.png"], files)

    assert places(found, tmp_path) == files
    assert "several files could be it" in found.issue(IssueCode.IMAGE_MISSING).message


@pytest.mark.parametrize("name", ["1.jpg", "1.PNG"])
def test_many_files_that_differ_are_told_apart_by_their_folders(
    tmp_path: Path, name: str
) -> None:
    # Frames of videos, numbered in each from 1.
    files = [f"frames/video{n}/1.png" for n in range(120)]
    names = [f"video{n}/{name}" for n in range(120)]
    found = read_named(tmp_path, [*names, f"/old/{name}"], files)

    assert places(found, tmp_path) == files
    assert len(found.issues(IssueCode.IMAGE_NAME_DIFFERS)) == 120
    assert "several files could be it" in found.issue(IssueCode.IMAGE_MISSING).message


def test_of_many_files_that_differ_the_one_in_the_folder_of_images_is_meant(
    tmp_path: Path,
) -> None:
    others = [f"a{n}/1.png" for n in range(120)]
    found = read_named(tmp_path, ["1.jpg"], [*others, "images/1.png"])

    assert places(found, tmp_path) == ["images/1.png"]


def test_whole_path_of_a_file_in_the_export(tmp_path: Path) -> None:
    # As FiftyOne writes it with abs_paths=True.
    files = ["data/a.png", "copies/data/a.png"]
    name = str(tmp_path.resolve() / "data" / "a.png")

    assert places(read_named(tmp_path, [name], files), tmp_path) == ["data/a.png"]


@pytest.mark.parametrize("image_dir", ["pictures", "pictures/deep"])
def test_absolute_names_are_found_in_the_folder_of_images(
    tmp_path: Path, image_dir: str
) -> None:
    write_image(tmp_path / "pictures" / "deep" / "a.png")
    folder = tmp_path / "jsons"
    read_named(folder, ["/home/user/a.png", "C:\\x\\b.png"], [])
    write_image(tmp_path / "pictures" / "deep" / "b.png")
    found = read(folder / "result.json", image_dir=tmp_path / image_dir)

    assert [record.path.name for record in found.records] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("name", "file", "difference"),
    [
        ("a.JPG", "a.jpg", "case"),
        ("A.jpg", "a.jpg", "case"),
        ("Dog.Jpg", "dog.jpg", "case"),
        ("a", "a.png", "extension"),
        ("a.jpg", "a.png", "extension"),
        ("a.jpg", "a.jpeg", "extension"),
        ("a.tif", "A.TIFF", "extension"),
        ("frame.001", "frame.001.png", "extension"),
        ("images/a.jpg", "Images/a.JPG", "case"),
        ("%C3%9C.JPG", "\u00fc.jpg", "case"),
        ("C:\\x\\a.JPG", "a.jpeg", "extension"),
    ],
)
def test_file_that_differs_in_case_or_extension_is_taken_and_named(
    tmp_path: Path, name: str, file: str, difference: str
) -> None:
    found = read_named(tmp_path, [name], [file, "masks/a.bmp", "other.png"])

    assert places(found, tmp_path) == [file]
    issue = found.issue(IssueCode.IMAGE_NAME_DIFFERS)
    assert (issue.action, issue.file_name) == (Action.REPAIRED, name)
    assert file in issue.message
    assert difference in issue.message


def test_file_of_another_extension_is_not_guessed_where_several_are(
    tmp_path: Path,
) -> None:
    found = read_named(tmp_path, ["a.jpg"], ["a.png", "a.jpeg"])

    assert found.records == []
    assert "a.jpeg, a.png" in found.issue(IssueCode.IMAGE_MISSING).message


@pytest.mark.parametrize("folder", ["masks", "Labels", "SegmentationClass"])
def test_mask_is_not_taken_for_the_missing_image(tmp_path: Path, folder: str) -> None:
    found = read_named(tmp_path, ["a.jpg", "b.jpg"], ["b.jpg", f"{folder}/a.png"])

    assert places(found, tmp_path) == ["b.jpg"]
    assert found.issue(IssueCode.IMAGE_MISSING).file_name == "a.jpg"


def test_file_that_another_entry_names_is_not_guessed(tmp_path: Path) -> None:
    names = ["1.png", "1.jpg", "X.jpg", "x.jpg"]
    found = read_named(tmp_path, names, ["1.jpg", "x.jpg"])

    assert places(found, tmp_path) == ["1.jpg", "x.jpg"]
    missing = found.issues(IssueCode.IMAGE_MISSING)
    assert [issue.file_name for issue in missing] == ["1.png", "X.jpg"]


def test_images_that_are_elsewhere_are_asked_for(tmp_path: Path) -> None:
    found = read_named(tmp_path, ["a.png", "b.png"], ["holiday.png"])

    for issue in found.issues(IssueCode.IMAGE_MISSING):
        assert str(tmp_path.resolve()) in issue.message
        assert "give the folder of the images" in issue.message


# Folders.


@pytest.mark.parametrize(
    ("json_folder", "image_folder"),
    [
        ("Annotations", "Images"),
        ("annotations", "images"),
        ("ANNOTATIONS", "JPEGImages"),
        ("ann", "img"),
        ("labels", "images"),
        ("label", "image"),
        ("markup", "photos"),
        ("a/Annotations", "a/Images"),
        ("Annotations/deep", "Images/deep"),
        ("Annotations", "data/Train"),
        ("Annotations", ""),
    ],
)
def test_folder_of_images_beside_that_of_jsons(
    tmp_path: Path, json_folder: str, image_folder: str
) -> None:
    path = tmp_path / json_folder / "DJI_1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document([annotation()])))
    write_image(tmp_path / image_folder / "a.png")
    found = read(tmp_path)

    assert found.record.path == tmp_path.resolve() / image_folder / "a.png"
    assert found.actions() == set()


@pytest.mark.parametrize(
    ("json_folder", "image_folder"),
    [("Annotations", "Images"), ("ann", "img"), ("markup", "images")],
)
def test_json_alone_whose_images_are_in_the_folder_beside(
    tmp_path: Path, json_folder: str, image_folder: str
) -> None:
    path = tmp_path / json_folder / "DJI_1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document([annotation()])))
    write_image(tmp_path / image_folder / "a.png")

    assert len(read(path).record.annotations) == 1


def test_split_folders_in_upper_case(tmp_path: Path) -> None:
    for number, split in enumerate(("Train", "VALID"), start=1):
        (tmp_path / "annotations").mkdir(exist_ok=True)
        path = tmp_path / "annotations" / f"instances_{split.lower()}.json"
        path.write_text(json.dumps(document([annotation()])))
        write_image(tmp_path / "Images" / split / "a.png", size=(100, 80 * number))
    found = read(tmp_path)

    assert places(found, tmp_path) == ["Images/Train/a.png", "Images/VALID/a.png"]
    assert not found.issues(IssueCode.IMAGE_FOUND_ELSEWHERE)


def test_years_in_folders_of_splits(tmp_path: Path) -> None:
    for split in ("train", "val"):
        (tmp_path / "annotations").mkdir(exist_ok=True)
        path = tmp_path / "annotations" / f"instances_{split}.json"
        path.write_text(json.dumps(document([annotation()])))
    write_image(tmp_path / "train2017" / "a.png")
    found = read(tmp_path)

    assert [record.split for record in found.records] == ["train"]
    assert found.issue(IssueCode.IMAGE_MISSING).split == "val"


def test_json_in_the_root_keeps_its_folders_whatever_other_exports_are_called(
    tmp_path: Path,
) -> None:
    # Its images are in train/; an export below has a split of that name.
    parts = json.dumps(document([annotation()]))
    for folder in (tmp_path, tmp_path / "other" / "train"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_annotations.coco.json").write_text(parts)
    write_image(tmp_path / "train" / "a.png")
    write_image(tmp_path / "other" / "train" / "a.png")
    found = read(tmp_path)

    assert places(found, tmp_path) == ["train/a.png", "other/train/a.png"]
    assert found.report.unlisted == 0


def test_linked_json_is_where_the_link_is(tmp_path: Path) -> None:
    # As in the caches of Hugging Face and DVC.
    (tmp_path / "cache").mkdir()
    blob = tmp_path / "cache" / "0a1b"
    blob.write_text(json.dumps(document([annotation()])))
    (tmp_path / "project").mkdir()
    write_image(tmp_path / "project" / "a.png")
    (tmp_path / "project" / "instances.json").symlink_to(blob)

    found = read(tmp_path / "project" / "instances.json")
    assert found.record.file_name == "a.png"
    # Only links that are not followed are spoken of.
    assert "link_refused" not in found.report.counts()


def test_linked_json_whose_images_are_where_it_leads(tmp_path: Path) -> None:
    read_named(tmp_path / "real", ["a.png"], ["a.png"])
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "x.json").symlink_to(tmp_path / "real" / "result.json")

    assert read(tmp_path / "short" / "x.json").record.file_name == "a.png"


@pytest.mark.parametrize("json_folder", ["annotations", "markup"])
@pytest.mark.parametrize("place", ["project", "store"])
def test_json_in_a_linked_folder(tmp_path: Path, json_folder: str, place: str) -> None:
    # Its images are beside the link, or beside the folder that it leads to.
    path = tmp_path / "store" / json_folder / "instances_train.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document([annotation()])))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / json_folder).symlink_to(path.parent)
    write_image(tmp_path / place / "images" / "a.png")

    found = read(tmp_path / "project" / json_folder / "instances_train.json")
    assert found.record.path == tmp_path.resolve() / place / "images" / "a.png"
    assert "link_refused" not in found.report.counts()


def test_linked_json_in_a_folder_linked_within_the_export(tmp_path: Path) -> None:
    blob = tmp_path / "0a1b"
    blob.write_text(json.dumps(document([annotation()])))
    (tmp_path / "project" / "v2").mkdir(parents=True)
    (tmp_path / "project" / "v2" / "train.json").symlink_to(blob)
    (tmp_path / "project" / "annotations").symlink_to("v2")
    write_image(tmp_path / "project" / "images" / "a.png")

    found = read(tmp_path / "project" / "annotations" / "train.json")
    assert len(found.record.annotations) == 1
    assert "link_refused" not in found.report.counts()


def test_linked_image_says_where_it_leads(tmp_path: Path) -> None:
    blob = write_image(tmp_path / "blobs" / "0a1b.png")
    folder = tmp_path / "snapshot"
    read_named(folder, ["/data/a.png"], [])
    (folder / "deep").mkdir()
    (folder / "deep" / "a.png").symlink_to(blob)
    found = read(folder)

    issue = found.issue(IssueCode.FILE_NAME_UNSAFE)
    assert str(blob.resolve()) in issue.message


@given(st.text(max_size=40))
def test_no_spelling_climbs_or_is_absolute(name: str) -> None:
    for parts in spellings(name):
        assert parts
        assert not {"", ".", ".."} & set(parts)
        assert not any("/" in part or "\\" in part for part in parts)
