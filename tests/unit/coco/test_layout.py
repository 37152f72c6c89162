"""Shapes of an export: folders, splits, JSONs, and where their images lie."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.check import ExportReader, check_export
from fiftyone_cocomask.coco.issues import Action, IssueCode
from fiftyone_cocomask.errors import ExportError

from .exports import (
    ABSENT,
    Reading,
    annotation,
    document,
    image_entry,
    pixels,
    read,
    write_export,
    write_image,
)

ONE = document([annotation()])


def splits_of(found: Reading) -> dict[str, dict[str, int]]:
    return found.report.splits


def write_json(path: Path, parts: Any = ONE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(parts))
    return path


@pytest.mark.parametrize(
    "folders",
    [
        ("train", "valid", "test"),
        ("fold-1", "fold 2", "\u00fcbung"),
        ("export/v3/train", "export/v3/test"),
    ],
)
def test_each_folder_with_a_json_is_a_split(
    tmp_path: Path, folders: tuple[str, ...]
) -> None:
    for folder in folders:
        write_export(tmp_path / folder, ONE)
    found = read(tmp_path)

    names = sorted(folder.rpartition("/")[2] for folder in folders)
    counts = {"images": 1, "annotations": 1}
    assert list(splits_of(found).items()) == [(name, counts) for name in names]
    assert [record.split for record in found.records] == names
    assert found.report.images == found.report.annotations == len(folders)


def test_folders_of_one_name_are_splits_by_their_paths(tmp_path: Path) -> None:
    for folder in ("a/train", "b/train", "b/test"):
        write_export(tmp_path / folder, ONE)

    assert set(splits_of(read(tmp_path))) == {"a/train", "b/train", "test"}


def test_splits_whose_names_would_be_the_same_stay_apart(tmp_path: Path) -> None:
    for name in ("v1.0", "v1_0", "v1$0"):
        write_export(tmp_path / name, ONE)
    found = read(tmp_path)

    assert set(splits_of(found)) == {"v1_0", "v1_0-2", "v1_0-3"}
    assert found.report.imported == 3


def test_jsons_of_one_split_name_in_one_folder_stay_apart(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    for name in ("instances_train.json", "instances-train.json"):
        write_json(tmp_path / name)
    found = read(tmp_path)

    assert set(splits_of(found)) == {"train", "train-2"}
    assert found.report.imported == 2


@pytest.mark.parametrize(
    ("folder", "split"), [("birds", "default"), ("train", "train"), ("valid", "valid")]
)
def test_one_folder_is_one_split(tmp_path: Path, folder: str, split: str) -> None:
    found = read(write_export(tmp_path / folder, ONE))

    assert list(splits_of(found)) == [split]
    assert found.report.name == folder


def test_split_names_are_such_as_folders_and_keys_can_have(tmp_path: Path) -> None:
    write_export(tmp_path / "v1.0 $x", ONE)

    assert list(splits_of(read(tmp_path))) == ["v1_0 _x"]


@pytest.mark.parametrize(
    "below", ["images", "train", "train/images", "data", "deep/er"]
)
def test_images_may_lie_below_the_json(tmp_path: Path, below: str) -> None:
    write_export(tmp_path, ONE, files=(f"{below}/a.png",))
    found = read(tmp_path)

    assert found.record.path == tmp_path.resolve() / below / "a.png"
    assert found.actions() == set()


def test_image_is_not_taken_from_another_split(tmp_path: Path) -> None:
    write_export(tmp_path / "train", ONE, files=())
    write_export(tmp_path / "valid", ONE)
    found = read(tmp_path)

    assert found.record.split == "valid"
    assert found.issue(IssueCode.IMAGE_MISSING).split == "train"


def test_image_that_several_files_could_be_is_missing(tmp_path: Path) -> None:
    write_export(tmp_path, ONE, files=("one/a.png", "two/a.png"))
    found = read(tmp_path)

    issue = found.issue(IssueCode.IMAGE_MISSING)
    assert "one/a.png, two/a.png" in issue.message


@pytest.mark.parametrize(
    "name", ["elsewhere/a.png", "sub\\a.png", "images/train/a.png"]
)
def test_image_is_found_by_its_last_name(tmp_path: Path, name: str) -> None:
    parts = document([annotation()], images=[image_entry(file_name=name)])
    found = read(write_export(tmp_path, parts, files=("pictures/a.png",)))

    assert found.record.path.name == "a.png"
    assert found.record.file_name == name
    assert found.actions() == {(IssueCode.IMAGE_FOUND_ELSEWHERE, Action.REPAIRED)}


def test_name_with_a_folder_counts_from_the_json(tmp_path: Path) -> None:
    parts = document([annotation()], images=[image_entry(file_name="sub/a.png")])
    found = read(write_export(tmp_path, parts, files=("sub/a.png", "a.png")))

    assert found.record.path == tmp_path.resolve() / "sub" / "a.png"
    assert found.report.unlisted == 1


def test_json_with_images_beside_it(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    found = read(write_json(tmp_path / "instances_val2017.json"))

    assert list(splits_of(found)) == ["val2017"]
    assert pixels(found.annotation) == 600


def test_json_with_an_image_dir(tmp_path: Path) -> None:
    path = write_json(tmp_path / "json" / "instances_train.json")
    write_image(tmp_path / "pictures" / "a.png")

    assert read(path).records == []
    found = read(path, image_dir=tmp_path / "pictures")
    assert found.record.path == tmp_path.resolve() / "pictures" / "a.png"
    assert check_export(path, image_dir=str(tmp_path / "pictures")).imported == 1


@pytest.mark.parametrize("folder", ["", "val2017/", "images/"])
def test_image_of_lvis_is_found_by_its_url(tmp_path: Path, folder: str) -> None:
    url = "http://images.cocodataset.org/val2017/a%20b.png"
    image = image_entry(file_name=ABSENT, coco_url=url)
    path = write_json(
        tmp_path / "lvis_v1_val.json", document([annotation()], images=[image])
    )
    write_image(tmp_path / "pictures" / f"{folder}a b.png")

    found = read(path, image_dir=tmp_path / "pictures")
    assert found.record.path == (tmp_path.resolve() / "pictures" / f"{folder}a b.png")
    assert found.record.file_name == "val2017/a b.png"


@pytest.mark.parametrize("host", ["[bad", "ex\u2100mple.org", "[::1", "x]y"])
def test_url_that_is_none_costs_nothing_else(tmp_path: Path, host: str) -> None:
    images = [
        image_entry(id=1, file_name=ABSENT, coco_url=f"http://{host}/val2017/a.png"),
        image_entry(id=2, file_name="b.png"),
    ]
    entries = [annotation(id=1, image_id=1), annotation(id=2, image_id=2)]
    folder = write_export(
        tmp_path, document(entries, images=images), files=("a.png", "b.png")
    )

    found = read(folder)
    assert [record.path.name for record in found.records] == ["a.png", "b.png"]


@pytest.mark.parametrize("url", ["http://x.org/../../a.png", "file:///../a.png"])
def test_url_does_not_lead_out_of_the_export(tmp_path: Path, url: str) -> None:
    write_image(tmp_path / "a.png")
    image = image_entry(file_name=ABSENT, coco_url=url)
    path = write_json(
        tmp_path / "inner" / "lvis_v1_val.json",
        document([annotation()], images=[image]),
    )

    found = read(path)
    assert found.records == []
    found.issue(IssueCode.FILE_NAME_UNSAFE)


def test_json_in_a_folder_of_annotations(tmp_path: Path) -> None:
    # As COCO itself and CVAT lay their files out.
    for split in ("train", "val"):
        write_json(tmp_path / "annotations" / f"instances_{split}.json")
        write_image(tmp_path / "images" / split / "a.png")
    found = read(tmp_path)

    assert [
        r.path.relative_to(tmp_path.resolve()).as_posix() for r in found.records
    ] == [
        "images/train/a.png",
        "images/val/a.png",
    ]
    alone = read(tmp_path / "annotations" / "instances_val.json")
    assert alone.record.path.parent.name == "val"


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("_annotations.coco.json", "default"),
        ("annotations.json", "default"),
        ("result.json", "default"),
        ("instances_default.json", "default"),
        ("instances_train2017.json", "train2017"),
        ("train_annotations.coco.json", "train"),
        ("annotations-test.json", "test"),
        ("valid.json", "valid"),
    ],
)
def test_split_is_named_by_its_json(tmp_path: Path, name: str, split: str) -> None:
    write_image(tmp_path / "birds" / "a.png")
    found = read(write_json(tmp_path / "birds" / name))

    assert list(splits_of(found)) == [split]
    assert found.record.split == split


def test_only_roboflows_jsons_count_where_there_are_any(tmp_path: Path) -> None:
    write_export(tmp_path, ONE)
    write_json(tmp_path / "classes.json", ["cat"])
    found = read(tmp_path)

    assert found.report.images == 1
    assert "classes.json" in found.issue(IssueCode.JSON_IGNORED).message


def test_json_that_is_not_coco_is_left_out_where_another_is(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    write_json(tmp_path / "birds.json")
    write_json(tmp_path / "classes.json", ["cat"])
    found = read(tmp_path)

    assert list(splits_of(found)) == ["birds"]
    assert "classes.json" in found.issue(IssueCode.JSON_IGNORED).message


def test_junk_of_systems_is_ignored(tmp_path: Path) -> None:
    write_export(tmp_path / "train", ONE)
    for name in ("._annotations.coco.json", "._a.png", ".DS_Store", "Thumbs.db"):
        (tmp_path / "train" / name).write_bytes(b"\0\5\x16\7")
    write_export(tmp_path / "__MACOSX" / "train", "no JSON")
    write_export(tmp_path / ".ipynb_checkpoints", "no JSON")
    (tmp_path / "train" / ".__annotations.coco.json").write_bytes(b"\0\5\x16\7")
    found = read(tmp_path)

    assert list(splits_of(found)) == ["train"]
    assert found.actions() == set()
    assert found.report.unlisted == 0


def test_files_that_the_json_does_not_list_are_counted(tmp_path: Path) -> None:
    write_export(tmp_path / "train", ONE, files=("a.png", "b.png", "sub/c.jpg"))
    write_export(tmp_path / "valid", ONE)
    (tmp_path / "train" / "README.md").write_text("no image")
    found = read(tmp_path)

    assert found.report.unlisted == 2
    issue = found.issue(IssueCode.UNLISTED_FILES)
    assert (issue.split, issue.action) == ("train", Action.KEPT)
    assert "train/b.png, train/sub/c.jpg" in issue.message


def test_only_the_splits_asked_for_are_read(tmp_path: Path) -> None:
    for name in ("train", "valid", "test"):
        write_export(tmp_path / name, ONE)
    found = read(tmp_path, splits=["test", "train"])

    assert list(splits_of(found)) == ["test", "train"]
    assert found.report.unlisted == 0
    with pytest.raises(ExportError, match="no split 'val'; it has test, train, valid"):
        ExportReader(tmp_path, splits=["val"])
    with pytest.raises(ExportError, match="no split to read"):
        ExportReader(tmp_path, splits=[])


@pytest.mark.parametrize(
    "path", ["/no/such/folder", "/dev/null", "x" * 5000, "~nobody-of-this-name/x", ""]
)
def test_path_that_is_not_an_export(path: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"There is no export at|holds no"):
        check_export(path or tmp_path)


def test_pipe_is_not_an_export_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(ExportError, match="There is no export at"):
        check_export(tmp_path / "x.json")


def test_image_dir_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="image_dir is not a folder"):
        check_export(write_export(tmp_path, ONE), image_dir=tmp_path / "no")


def test_folder_without_json(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    with pytest.raises(ExportError, match=r"holds no _annotations\.coco\.json$"):
        check_export(tmp_path)


def test_link_to_a_json_outside_is_refused(tmp_path: Path) -> None:
    write_export(tmp_path / "elsewhere", ONE)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "train").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ExportError, match=r"links that lead out .* refused: train"):
        check_export(tmp_path / "export")


def test_links_in_a_circle(tmp_path: Path) -> None:
    write_export(tmp_path, ONE)
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "self.png").symlink_to("self.png")

    assert pixels(read(tmp_path).annotation) == 600


def test_export_through_a_link_to_it(tmp_path: Path) -> None:
    write_export(tmp_path / "real", ONE)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = read(tmp_path / "link")

    assert found.record.path == tmp_path.resolve() / "real" / "a.png"


def test_images_that_threads_unpack_ahead_stay_in_order(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(60)]
    images = [image_entry(id=n, file_name=name) for n, name in enumerate(names)]
    images.insert(30, image_entry(id="lost", file_name="lost.png"))
    folder = write_export(tmp_path, document([], images=images), files=tuple(names))

    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    with ExportReader(packed, unpack_to=tmp_path / "unpacked") as reader:
        found = [record.file_name for record in reader.images()]

    assert found == names


def test_folder_whose_name_is_not_text_is_refused(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xffrds"))
    write_export(folder, ONE)
    other = write_export(tmp_path / "x", ONE)
    for arguments in ((folder, None), (other, folder)):
        with pytest.raises(ExportError, match="has a name that is not valid UTF-8"):
            check_export(arguments[0], image_dir=arguments[1])


@pytest.mark.parametrize("name", ["\u00dcbung", "\u9d2c\u9ceb", "\U0001f98b", "a b"])
def test_folder_of_any_name(tmp_path: Path, name: str) -> None:
    found = read(write_export(tmp_path / name, ONE))

    assert found.report.name == name
    assert pixels(found.annotation) == 600


def test_names_that_are_not_text_are_passed_by(tmp_path: Path) -> None:
    write_export(tmp_path, ONE)
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))).write_bytes(b"")

    assert read(tmp_path).report.unlisted == 0


def test_folders_without_an_end_are_refused_in_a_sentence(tmp_path: Path) -> None:
    write_export(tmp_path, ONE)
    tmp_path.joinpath(*["a"] * 201).mkdir(parents=True)
    with pytest.raises(ExportError, match=r"has folders more than 200 deep"):
        check_export(tmp_path)
    os.rmdir(tmp_path.joinpath(*["a"] * 201))
    assert len(check_export(tmp_path).splits) == 1
