"""JSONs beside the first one: read, set aside, or an error that names them."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.cli.main import main
from fiftyone_cocomask.coco.check import check_export
from fiftyone_cocomask.coco.issues import IssueCode, Severity
from fiftyone_cocomask.errors import ExportError

from .exports import (
    Reading,
    annotation,
    document,
    image_entry,
    pixels,
    read,
    write_export,
    write_image,
)


def of_image(name: str, **changes: Any) -> dict[str, Any]:
    """Returns a COCO JSON of one image of this name."""
    entry = image_entry(file_name=name)
    return document([annotation(**changes)], images=[entry])


def write_json(path: Path, parts: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(parts))


def splits_and_files(found: Reading) -> list[tuple[str, str]]:
    return [(record.split, record.file_name) for record in found.records]


@pytest.mark.parametrize(
    ("first", "second", "splits"),
    [
        ("instances_default.json", "val_instances_default.json", ("default", "val")),
        ("instances_train.json", "valid.json", ("train", "valid")),
        ("_annotations.coco.json", "more.json", ("default", "more")),
        ("train.coco.json", "labels_test.json", ("train", "test")),
        ("a.json", "b.json", ("a", "b")),
    ],
)
def test_second_json_of_other_images_is_read(
    tmp_path: Path, first: str, second: str, splits: tuple[str, str]
) -> None:
    for name, file in ((first, "train/1.png"), (second, "val/1.png")):
        write_json(tmp_path / "annotations" / name, of_image(file))
        write_image(tmp_path / "images" / file)
    found = read(tmp_path)

    assert sorted(splits_and_files(found)) == sorted(
        [(splits[0], "train/1.png"), (splits[1], "val/1.png")]
    )
    assert found.report.imported == 2
    assert found.report.unlisted == 0


def test_any_number_of_jsons_is_read(tmp_path: Path) -> None:
    for number in range(25):
        write_json(tmp_path / "labels" / f"{number}.json", of_image(f"{number}.png"))
        write_image(tmp_path / "images" / f"{number}.png")
    found = read(tmp_path)

    assert found.report.imported == 25
    assert not found.issues(IssueCode.JSON_IGNORED)


def test_json_that_is_not_known_by_its_name_where_another_is(tmp_path: Path) -> None:
    # Both in folders of their own, one of them renamed.
    write_export(tmp_path / "train", document([annotation()]))
    write_json(tmp_path / "valid" / "export.json", document([annotation()]))
    write_image(tmp_path / "valid" / "a.png")

    assert read(tmp_path).report.imported == 2


@pytest.mark.parametrize("name", ["_annotations_v2.json", "backup.json"])
def test_other_annotations_of_the_same_images_are_an_error(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path, document([annotation()]))
    entries = [annotation(id=n) for n in range(3)]
    write_json(tmp_path / name, document(entries))
    found = read(tmp_path)

    issue = found.issue(IssueCode.JSON_NOT_READ)
    assert issue.severity is Severity.ERROR
    assert name in issue.message
    assert "3 annotations" in issue.message
    assert found.report.imported == 1
    assert main(["check", str(tmp_path)]) == 1
    assert name in capsys.readouterr().out


def test_jsons_known_by_their_content_may_share_images(tmp_path: Path) -> None:
    # One for each class.
    write_image(tmp_path / "a.png")
    for number, name in enumerate(("cats", "dogs"), start=1):
        parts = document([annotation(category_id=number, area=number)])
        write_json(tmp_path / f"{name}.json", parts)
    found = read(tmp_path)

    assert [record.annotations[0].label for record in found.records] == ["cat", "dog"]


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("first", ["_annotations.coco.json", "b.json"])
def test_copy_of_a_json_is_set_aside_with_a_warning(
    tmp_path: Path, indent: int | None, first: str
) -> None:
    parts = document([annotation(), annotation(id=2)])
    write_image(tmp_path / "a.png")
    write_json(tmp_path / first, parts)
    turned = {**parts, "annotations": parts["annotations"][::-1]}
    (tmp_path / "copy.json").write_text(json.dumps(turned, indent=indent))
    found = read(tmp_path)

    issue = found.issue(IssueCode.JSON_SET_ASIDE)
    assert issue.severity is Severity.WARNING
    assert "copy.json" in issue.message
    assert found.report.imported == 2
    assert main(["check", str(tmp_path)]) == 0
    assert main(["check", "--strict", str(tmp_path)]) == 1


IMAGES = [image_entry()]
OF_COCO = {
    "captions": {
        "images": IMAGES,
        "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}],
    },
    "panoptic": {
        "images": IMAGES,
        "annotations": [{"image_id": 1, "file_name": "1.png", "segments_info": []}],
        "categories": [],
    },
    "keypoints": {
        "images": IMAGES,
        "annotations": [annotation(keypoints=[1, 1, 2], num_keypoints=1)],
        "categories": [{"id": 1, "name": "person", "keypoints": ["nose"]}],
    },
    "results": [{"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [1, 1, 2, 2]}],
}


@pytest.mark.parametrize("first", ["instances_val.json", "objects.json"])
@pytest.mark.parametrize("kind", OF_COCO)
def test_other_jsons_of_coco_are_set_aside_with_a_warning(
    tmp_path: Path, kind: str, first: str
) -> None:
    write_image(tmp_path / "a.png")
    write_json(tmp_path / first, document([annotation()]))
    write_json(tmp_path / f"a_{kind}_val.json", OF_COCO[kind])
    found = read(tmp_path)

    issue = found.issue(IssueCode.JSON_SET_ASIDE)
    assert issue.severity is Severity.WARNING
    assert f"a_{kind}_val.json" in issue.message
    assert found.report.imported == 1
    assert "keypoints" not in found.annotation.attributes


def test_other_tools_jsons_are_a_note(tmp_path: Path) -> None:
    write_export(tmp_path, document([annotation()]))
    labelme = {"version": "5", "flags": {}, "shapes": [], "imagePath": "a.png"}
    for number in range(40):
        write_json(tmp_path / f"{number}.json", labelme)
    found = read(tmp_path)

    issue = found.issue(IssueCode.JSON_IGNORED)
    assert issue.severity is Severity.INFO
    assert issue.message.startswith("40 other JSON files")
    assert "0.json (a LabelMe file)" in issue.message


@pytest.mark.parametrize("first", ["_annotations.coco.json", "objects.json"])
def test_broken_coco_json_beside_another_is_an_error(
    tmp_path: Path, first: str
) -> None:
    write_image(tmp_path / "a.png")
    write_json(tmp_path / first, document([annotation()]))
    text = json.dumps(of_image("b.png"))
    (tmp_path / "val.json").write_text(text[:-20])
    (tmp_path / "test.json").write_text("version https://git-lfs.github.com/spec/v1")
    (tmp_path / "notes.json").write_text("{not: 'COCO'}")
    found = read(tmp_path)

    broken = found.issues(IssueCode.JSON_NOT_READ)
    assert ["test.json" in broken[0].message, "val.json" in broken[1].message] == [
        True,
        True,
    ]
    assert {issue.severity for issue in broken} == {Severity.ERROR}
    assert "notes.json" in found.issue(IssueCode.JSON_SET_ASIDE).message


def test_broken_coco_json_is_the_reason_where_no_other_is_one(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", ["cat"])
    (tmp_path / "val.json").write_text(json.dumps(of_image("b.png"))[:-20])
    with pytest.raises(ExportError, match=r"val\.json is cut off"):
        check_export(tmp_path)


# Splits without annotations.


@pytest.mark.parametrize("change", ["absent", None])
def test_split_without_annotations_is_of_negative_images(
    tmp_path: Path, change: str | None
) -> None:
    write_export(tmp_path / "train", document([annotation()]))
    parts = document([], images=[image_entry(file_name="b.png")])
    if change is None:
        parts["annotations"] = None
    else:
        del parts["annotations"]
    write_export(tmp_path / "test", parts, files=("b.png",))
    empty = document([], images=[])
    write_export(tmp_path / "valid", empty, files=())
    found = read(tmp_path)

    assert splits_and_files(found) == [("test", "b.png"), ("train", "a.png")]
    assert found.records[0].annotations == []
    assert found.report.splits["valid"] == {"images": 0, "annotations": 0}
    issue = found.issue(IssueCode.ANNOTATIONS_MISSING)
    assert (issue.split, issue.severity) == ("test", Severity.WARNING)


@pytest.mark.parametrize("absent", [("info", "licenses", "categories"), ()])
def test_list_of_images_alone_is_one_of_negative_images(
    tmp_path: Path, absent: tuple[str, ...]
) -> None:
    parts = {**document([]), "annotations": None}
    for name in absent:
        del parts[name]
    found = read(write_export(tmp_path, parts))

    assert found.record.annotations == []


@pytest.mark.parametrize(
    "parts",
    [
        {"images": None, "annotations": None, "categories": []},
        {"images": [], "annotations": [], "categories": None},
    ],
)
def test_export_of_nothing(tmp_path: Path, parts: Any) -> None:
    found = read(write_export(tmp_path, parts, files=()))

    assert found.report.splits == {"default": {"images": 0, "annotations": 0}}


# Keys that are there twice.


def with_twice(parts: dict[str, Any], key: str, first: Any, last: bool = False) -> str:
    """Returns the text of an object with a further value of a key, before or after."""
    text = json.dumps(parts)
    pair = f"{json.dumps(key)} : {json.dumps(first)}"
    return f"{text[:-1]},\n{pair} }}" if last else f"{{ {pair}, {text[1:]}"


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("indent", [False, True])
def test_lists_of_one_key_are_put_together(
    tmp_path: Path, last: bool, indent: bool
) -> None:
    parts = document([annotation(id=1, note='a "b": {[,')])
    text = with_twice(parts, "annotations", [annotation(id=2)], last)
    if indent:
        text = text.replace(", ", ",\n\t ")
    found = read(write_export(tmp_path, text))

    assert {each.coco_id for each in found.record.annotations} == {1, 2}
    issue = found.issue(IssueCode.DUPLICATE_KEY)
    assert issue.severity is Severity.ERROR
    assert "'annotations'" in issue.message


def test_all_lists_of_one_key_count_however_many_there_are(tmp_path: Path) -> None:
    lists = [[annotation(id=n)] for n in range(4)]
    pairs = ",".join(f'"annotations":{json.dumps(entries)}' for entries in lists)
    images = [image_entry(id=2, file_name="b.png")]
    rest = json.dumps(document([]))
    text = f'{{"images":{json.dumps(images)},{pairs},{rest[1:]}'
    found = read(write_export(tmp_path, text, files=("a.png", "b.png")))

    assert found.report.annotations == 4
    assert [r.file_name for r in found.records] == ["b.png", "a.png"]
    assert len(found.issues(IssueCode.DUPLICATE_KEY)) == 2


def test_other_parts_that_are_there_twice_are_named(tmp_path: Path) -> None:
    text = with_twice(document([annotation()]), "info", {"version": "0"})
    found = read(write_export(tmp_path, text))

    assert "'info'" in found.issue(IssueCode.DUPLICATE_KEY).message
    assert found.report.imported == 1


@pytest.mark.parametrize(
    ("key", "value"), [("bbox", [1, 1, 2, 2]), ("segmentation", []), ("id", 7)]
)
def test_key_of_an_annotation_that_is_there_twice(
    tmp_path: Path, key: str, value: Any
) -> None:
    inner = with_twice(annotation(note="12:30"), key, value)
    text = json.dumps(document(["?"])).replace('"?"', inner)
    found = read(write_export(tmp_path, text))

    issue = found.issue(IssueCode.DUPLICATE_KEY)
    assert (issue.annotation_id, issue.severity) == (1, Severity.ERROR)
    assert f"'{key}'" in issue.message
    assert pixels(found.annotation) == 600


def test_key_of_an_image_and_of_a_category_that_is_there_twice(tmp_path: Path) -> None:
    image = with_twice(image_entry(), "file_name", "b.png")
    category = with_twice({"id": 1, "name": "cat"}, "name", "dog")
    parts = document([annotation()], images=["?"], categories=["!"])
    text = json.dumps(parts).replace('"?"', image).replace('"!"', category)
    found = read(write_export(tmp_path, text))

    told = found.issues(IssueCode.DUPLICATE_KEY)
    assert {issue.file_name for issue in told} == {None, "a.png"}
    assert {"'name'" in t.message or "'file_name'" in t.message for t in told} == {True}


@pytest.mark.parametrize("deep", [False, True])
def test_key_with_the_same_value_twice_and_colons_in_text_are_nothing(
    tmp_path: Path, deep: bool
) -> None:
    extra = {"attributes": {"a": {"b": [{"c": 1}]}}} if deep else {}
    inner = with_twice(annotation(note="a: b", **extra), "area", 600)
    image = image_entry(date_captured="2026-01-01T10:20:30")
    text = json.dumps(document(["?"], images=[image])).replace('"?"', inner)
    found = read(write_export(tmp_path, text))

    assert not found.issues(IssueCode.DUPLICATE_KEY)


@pytest.mark.parametrize(("number", "leaks"), [(2, True), (6, False)])
def test_jsons_of_one_image_each_are_not_splits_that_leak(
    tmp_path: Path, number: int, leaks: bool
) -> None:
    for place in range(number):
        # Two copies of each source, as Roboflow names them.
        name = f"{place // 2}_jpg.rf.{place:032x}.jpg"
        write_json(tmp_path / f"{place}.json", of_image(name))
        write_image(tmp_path / name)
    found = read(tmp_path)
    assert len(found.report.splits) == number
    codes = {issue.code for issue in found.report.issues}
    assert (IssueCode.SOURCE_IN_SEVERAL_SPLITS in codes) == leaks


@pytest.mark.parametrize("end", ["}", ""])
def test_jsons_of_other_tools_are_not_kept_in_memory(tmp_path: Path, end: str) -> None:
    # LabelMe writes one for each image, with the image in it.
    write_export(tmp_path, document([annotation()]))
    size, number = 10**6, 20
    for place in range(number):
        text = f'{{"shapes": [], "imagePath": "a.png", "imageData": "{"A" * size}"{end}'
        (tmp_path / f"{place}.json").write_text(text)
    del text
    tracemalloc.start()
    try:
        assert check_export(tmp_path).imported == 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * size


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ([{"image_id": 1, "category_id": 1, "score": 0.5}], IssueCode.JSON_SET_ASIDE),
        ({"classes": ["cat"]}, IssueCode.JSON_IGNORED),
    ],
)
def test_results_that_are_named_as_cocos_own_are_set_aside(
    tmp_path: Path, other: Any, code: IssueCode
) -> None:
    # As COCO's own examples have them.
    name = "results/instances_val2014_fakebbox100_results.json"
    write_json(tmp_path / "annotations" / "instances_val2014.json", of_image("a.png"))
    write_json(tmp_path / name, other)
    write_image(tmp_path / "val2014" / "a.png")
    found = read(tmp_path)

    assert splits_and_files(found) == [("val2014", "a.png")]
    assert Path(name).name in found.issue(code).message


def test_named_jsons_that_are_all_something_else_are_an_error(tmp_path: Path) -> None:
    for number in range(2):
        write_json(tmp_path / f"instances_{number}.json", [{"image_id": 1}])
    with pytest.raises(ExportError, match=r"instances_0\.json is a COCO results file"):
        check_export(tmp_path)


def test_roboflows_own_name_is_believed(tmp_path: Path) -> None:
    write_export(tmp_path / "train", document([annotation()]))
    write_export(tmp_path / "valid", [{"image_id": 1}])
    with pytest.raises(ExportError, match="is a COCO results file"):
        check_export(tmp_path)
