"""The text of a JSON: encodings, what Python writes and JSON has not, broken files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fiftyone_cocomask.coco.check import check_export
from fiftyone_cocomask.coco.issues import Action, IssueCode
from fiftyone_cocomask.errors import ExportError

from .exports import (
    CATEGORIES,
    annotation,
    document,
    image_entry,
    pixels,
    read,
    write_export,
    write_image,
)

NAME = "sch\u00f6n \u86c7 \U0001f98b.png"


def named_document() -> str:
    parts = document(
        [annotation()],
        images=[image_entry(file_name=NAME)],
        categories=[{"id": 1, "name": "Gr\u00f6\u00dfe"}],
    )
    return json.dumps(parts, ensure_ascii=False)


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"],
)
def test_text_in_any_unicode_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    folder = write_export(tmp_path, named_document().encode(encoding), files=(NAME,))
    found = read(folder)

    assert found.record.file_name == NAME
    assert found.annotation.label == "Gr\u00f6\u00dfe"
    assert pixels(found.annotation) == 600
    assert found.actions() == set()


@pytest.mark.parametrize("indent", [None, 0, 4, "\t\r\n"])
def test_json_is_minified_or_pretty_printed(tmp_path: Path, indent: int | None) -> None:
    separators = (",", ":") if indent is None else None
    text = json.dumps(document([annotation()]), indent=indent, separators=separators)
    found = read(write_export(tmp_path, text))

    assert pixels(found.annotation) == 600
    assert found.actions() == set()


def test_order_of_the_parts_does_not_matter(tmp_path: Path) -> None:
    parts = document([annotation()])
    found = read(write_export(tmp_path, dict(reversed(parts.items()))))

    assert pixels(found.annotation) == 600


def test_bytes_that_are_not_text_are_replaced_and_reported(tmp_path: Path) -> None:
    # "Gr\xf6\xdfe" in Latin-1.
    parts = document([annotation()], categories=[{"id": 1, "name": "?"}])
    data = json.dumps(parts).encode().replace(b'"?"', b'"Gr\xf6\xdfe"')
    found = read(write_export(tmp_path, data))

    assert found.annotation.label == "Gr\ufffd\ufffde"
    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.TEXT_REPAIRED, Action.REPAIRED)}


@pytest.mark.parametrize("half", ["\\ud800", "\\udc00x", "a\\ud83d\\u0041", "\\uDBFF"])
def test_half_characters_are_replaced_and_reported(tmp_path: Path, half: str) -> None:
    parts = document([annotation(note="?")])
    found = read(write_export(tmp_path, json.dumps(parts).replace('"?"', f'"{half}"')))

    note = found.annotation.attributes["note"]
    assert "\ufffd" in note
    note.encode()  # what MongoDB does
    assert found.actions() == {(IssueCode.TEXT_REPAIRED, Action.REPAIRED)}


def test_what_strings_hold_stays_as_it_is(tmp_path: Path) -> None:
    # The pass that mends what is not JSON must not touch these.
    note = 'NaN, -Infinity \\ud800 "NaN" \\\\" \U0001f98b [NaN]'
    entries = [annotation(note=note), annotation(id=2, area=float("nan"))]
    found = read(write_export(tmp_path, document(entries)))

    assert found.record.annotations[0].attributes == {"note": note}
    assert found.issue(IssueCode.AREA_INVALID).annotation_id == 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\0" * 100, "is empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1",
            "Git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n<html></html>", "is HTML or XML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><annotation/>", "is HTML or XML"),
        (b"hello", "is not valid JSON: invalid character (byte 0)"),
        (b"\x89PNG\r\n\x1a\n", "not valid JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "nor a zip: it is a binary file"),
        (b"{'images': []}", "not valid JSON"),
        (b"null", "holds null where an object was expected"),
        (b"[]", "holds a list where an object was expected"),
        (b"7", "holds a number where an object was expected"),
        (b'"text"', "holds text where an object was expected"),
        (b"{}", "has no 'images'"),
        (b'{"images": []}', "has no 'annotations'"),
        (b'{"images": {}, "annotations": []}', "has an object at 'images'"),
        (b'{"images": [], "annotations": 7}', "has a number at 'annotations'"),
        (
            b'{"images": [], "annotations": [], "categories": "cat"}',
            "has text at 'categories'",
        ),
        (b'{"images": [], "annotations": []} {}', "not valid JSON"),
    ],
    ids=range(20),
)
def test_file_that_is_not_a_coco_json(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ExportError) as caught:
        check_export(write_export(tmp_path, data))

    assert reason in str(caught.value)
    assert str(tmp_path / "_annotations.coco.json") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_file_that_is_cut_off(tmp_path: Path, part: float) -> None:
    text = json.dumps(document([annotation(id=n) for n in range(50)]))
    with pytest.raises(ExportError, match=r"is cut off|not valid JSON"):
        check_export(write_export(tmp_path, text[: int(len(text) * part)]))


@pytest.mark.parametrize("place", ["top", "info", "annotation"])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nesting_100_000_deep(tmp_path: Path, place: str, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    deep = opening * 100_000 + "1" + brackets[1] * 100_000
    parts = document([annotation(note="?")], info="?" if place == "info" else {})
    if place == "annotation":
        text = json.dumps(parts).replace('"?"', deep)
    else:
        text = json.dumps({**parts, "annotations": []}).replace('"?"', deep)
    with pytest.raises(ExportError, match="nested too deeply"):
        check_export(write_export(tmp_path, deep if place == "top" else text))


def test_nesting_that_can_be_read_costs_nothing_else(tmp_path: Path) -> None:
    deep = "[" * 500 + "]" * 500
    text = json.dumps(document([annotation(note="?")])).replace('"?"', deep)

    assert pixels(read(write_export(tmp_path, text)).annotation) == 600


def test_numbers_that_no_computer_holds_cost_only_their_annotation(
    tmp_path: Path,
) -> None:
    entries = [annotation(), annotation(id=2, area="?", note="?", category_id="?")]
    text = json.dumps(document(entries)).replace('"?"', "9" * 10_000)
    found = read(write_export(tmp_path, text))

    assert [pixels(each) for each in found.record.annotations] == [600, 600]
    assert found.issue(IssueCode.UNKNOWN_CATEGORY).annotation_id == 2


@pytest.mark.parametrize("digits", [20, 30, 300])
def test_a_number_out_of_range_leaves_the_ids_beside_it_as_they_are(
    tmp_path: Path, digits: int
) -> None:
    # Where a number is too large for a double, its entry is read in another way.
    large = int("9" * digits)
    text = json.dumps(
        document(
            [annotation(id=large, image_id=large, category_id=large, note="?")],
            images=[image_entry(id=large, note="?")],
            categories=[{"id": large, "name": "cat", "note": "?"}],
        )
    )
    plain = read(write_export(tmp_path / "plain", text))
    found = read(write_export(tmp_path / "odd", text.replace('"?"', "1e400")))

    for reading in (plain, found):
        assert reading.record.coco_id == str(large)
        assert reading.annotation.coco_id == str(large)
        assert reading.annotation.label == "cat"


@pytest.mark.parametrize("missing", ["info", "licenses"])
@pytest.mark.parametrize("value", ["absent", None, "text", 7])
def test_info_and_licenses_may_be_anything(
    tmp_path: Path, missing: str, value: object
) -> None:
    parts = document([annotation()])
    if value == "absent":
        del parts[missing]
    else:
        parts[missing] = value
    found = read(write_export(tmp_path, parts))

    assert pixels(found.annotation) == 600
    assert found.actions() == set()


def test_json_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "_annotations.coco.json").mkdir()
    with pytest.raises(ExportError, match=r"holds no _annotations\.coco\.json"):
        check_export(tmp_path)


# Other formats: one sentence that says what it is.

OTHER_JSONS = {
    "a COCO results file": [{"image_id": 1, "category_id": 1, "score": 0.5}],
    "a COCO captions results file": [{"image_id": 1, "caption": "A cat."}],
    "COCO captions": {
        "images": [image_entry()],
        "annotations": [{"id": 1, "image_id": 1, "caption": "A cat."}],
    },
    "COCO panoptic segmentation": {
        "images": [image_entry()],
        "annotations": [{"image_id": 1, "file_name": "1.png", "segments_info": []}],
        "categories": [],
    },
    "a LabelMe file": {"version": "5", "flags": {}, "shapes": [], "imagePath": "a.png"},
    "a GeoJSON file": {"type": "FeatureCollection", "features": []},
    "a VGG Image Annotator project": {"_via_settings": {}, "_via_img_metadata": {}},
    "a VGG Image Annotator file": {"a.png1": {"filename": "a.png", "regions": []}},
    "a CreateML file": [{"image": "a.png", "annotations": []}],
    "a Label Studio export": [{"id": 1, "data": {}, "annotations": []}],
    "a FiftyOne dataset": {"version": "1", "samples": []},
    "a YOLO configuration": {"names": ["cat"], "nc": 1, "train": "images"},
}


@pytest.mark.parametrize("kind", OTHER_JSONS)
def test_json_of_another_format_is_named(tmp_path: Path, kind: str) -> None:
    for path in (tmp_path / "x.json", tmp_path / "_annotations.coco.json"):
        path.write_text(json.dumps(OTHER_JSONS[kind]))
        with pytest.raises(ExportError) as caught:
            check_export(path)

        assert f"{path} is {kind}" in str(caught.value)
        assert "not a COCO export" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("a YOLO export", ["data.yaml", "train/images/a.png", "train/labels/a.txt"]),
        ("a YOLO export", ["labels/a.txt", "images/a.png"]),
        ("a Pascal VOC export", ["train/a.png", "train/a.xml"]),
        ("a TFRecord export", ["train/birds.tfrecord", "train/birds_label_map.pbtxt"]),
        ("a CSV export", ["train/_annotations.csv"]),
        ("a mask export", ["train/a.jpg", "train/a_mask.png"]),
    ],
)
def test_folder_of_another_format_is_named(
    tmp_path: Path, kind: str, names: list[str]
) -> None:
    for name in names:
        write_image(tmp_path / "image.png").rename(tmp_path / "image")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "image").rename(tmp_path / name)
    with pytest.raises(ExportError, match=f"it looks like {kind}: export it as COCO"):
        check_export(tmp_path)


def test_folder_of_labelme_files_is_named(tmp_path: Path) -> None:
    for number in range(30):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(OTHER_JSONS["a LabelMe file"]))
    with pytest.raises(ExportError, match=r"0\.json is a LabelMe file"):
        check_export(tmp_path)


def test_a_key_that_is_there_ten_thousand_times_costs_nothing_else(
    tmp_path: Path,
) -> None:
    whole = json.dumps(document([annotation()]))
    for repeated in ('"info":{"version":"}],"}', '"licenses":[[{}]]', '"note":1'):
        text = whole[:-1] + f",{repeated}" * 10_000 + "}"
        reading = read(write_export(tmp_path, text))
        assert len(reading.record.annotations) == 1


def test_annotations_that_are_there_and_null_are_not_said_to_be_missing(
    tmp_path: Path,
) -> None:
    text = json.dumps(document([annotation()]))
    reading = read(write_export(tmp_path, f'{text[:-1]},"annotations":null}}'))

    assert reading.annotation.coco_id == 1
    reading.issue(IssueCode.DUPLICATE_KEY)
    assert reading.issues(IssueCode.ANNOTATIONS_MISSING) == []


def test_lists_that_are_there_many_times_are_put_together(tmp_path: Path) -> None:
    lists = [json.dumps([annotation(id=number)]) for number in range(3000)]
    several = ",".join(f'"annotations":{entries}' for entries in lists)
    text = json.dumps({"images": [image_entry()], "categories": CATEGORIES})
    text = f"{text[:-1]},{several}}}"
    reading = read(write_export(tmp_path, text))
    assert [a.coco_id for a in reading.record.annotations] == list(range(3000))
