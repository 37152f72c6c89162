"""JSONs that are not held in memory: read in pieces, they say the same."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiftyone_cocomask.coco import jsons, large_json
from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.issues import IssueCode
from fiftyone_cocomask.coco.large_json import LargeFile, Unusual, large_parts
from fiftyone_cocomask.errors import ExportError

from .exports import SQUARE, annotation, document, image_entry, read, write_export

PIECE = 3000


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every JSON is a large one, and no piece holds more than an entry or two."""
    monkeypatch.setattr(jsons, "MIN_BYTES", 0)
    monkeypatch.setattr(large_json, "_PIECE", PIECE)


def plain(parts: dict[str, Any]) -> dict[str, Any]:
    """Returns the decoded values of what the scanner found."""
    return {
        key: [json.loads(bytes(raw)) for raw in part]
        if isinstance(part, large_json.LargeList)
        else json.loads(bytes(part))
        for key, part in parts.items()
    }


def many(number: int) -> dict[str, Any]:
    """Returns a JSON whose entries have all that can be mistaken for their ends."""
    rng = random.Random(number)
    entries = [
        annotation(
            id=n,
            note=rng.choice(['},{"', "]}", "\\", '"', "\u86c7", "a: [", "\n"]),
            attributes={"deep": [{"a": [{}]}, {"b": "},"}], "n": 12.125},
            segmentation=[SQUARE * rng.randint(1, 6)],
        )
        for n in range(number)
    ]
    return document(entries, info={"a": [{"b": "}"}], "c": "]"}, more=[1, "x"], n=-1.5)


@pytest.mark.parametrize("number", [0, 1, 2, 50])
@pytest.mark.parametrize("indent", [None, 1, "\t"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_pieces_give_what_the_whole_gives(
    tmp_path: Path, number: int, indent: int | str | None, is_ascii: bool
) -> None:
    parts = many(number)
    path = tmp_path / "x.json"
    text = json.dumps(parts, indent=indent, ensure_ascii=is_ascii)
    path.write_text(text, encoding="utf-8-sig" if number == 2 else "utf-8")

    assert plain(large_parts(path.open("rb"), "x.json")) == parts


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(-9, 9), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["images", "annotations", "a", '"', "\u00e9"]),
        st.one_of(json_values, st.lists(json_values, max_size=30)),
    ),
    st.integers(40, 400),
)
def test_any_json_is_read_right_or_left_to_the_other_way(
    parts: dict[str, Any], piece: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_json, "_PIECE", piece)
        path = Path(folder) / "x.json"
        path.write_text(json.dumps(parts))
        try:
            found = large_parts(path.open("rb"), "x.json")
        except Unusual:
            return
        assert plain(found) == parts


@pytest.mark.parametrize("is_zipped", [False, True])
def test_export_is_read_as_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_zipped: bool
) -> None:
    images = [image_entry(), image_entry(id=2, file_name="b.png")]
    entries = [annotation(id=n, image_id=1 + n % 3 % 2, note=n) for n in range(40)]
    entries.insert(5, annotation(id=99, image_id=7))
    folder = write_export(
        tmp_path / "x", document(entries, images=images), files=("a.png", "b.png")
    )
    if is_zipped:
        folder = Path(shutil.make_archive(str(tmp_path / "x"), "zip", folder))
    with ExportReader(folder) as reader:
        [(index, _)] = reader.take_indexes()
        assert isinstance(index.annotation_texts, large_json.LargeList)
    in_pieces = read(folder)
    monkeypatch.setattr(jsons, "MIN_BYTES", 2**40)
    at_once = read(folder)

    def told(report: Any) -> dict[str, Any]:
        values: dict[str, Any] = report.to_dict()
        return values

    assert told(in_pieces.report) == told(at_once.report)
    for ours, theirs in zip(in_pieces.records, at_once.records, strict=True):
        assert [a.coco_id for a in ours.annotations] == [
            a.coco_id for a in theirs.annotations
        ]
        assert [a.attributes for a in ours.annotations] == [
            a.attributes for a in theirs.annotations
        ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"images": [',
        '{"images": [{"id": 1}, {"id": 2',
        '{"images": [], "images": []}',
        '{"images": [{"id": NaN}]}',
        '{"images": [{"id": 1}]]}',
        '{"images": [{"id": 1}]} {}',
        '{"images": [{"id": 1},, {"id": 2}]}',
        '{"images": [{"id": 1},]}',
        '{"images": [, {"id": 1}]}',
        '{"images": [],, "a": 1}',
        '{, "images": []}',
        '{"images": [], }',
        '{"images" [1]}',
    ],
)
def test_what_is_unusual_is_left_to_the_other_way(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(Unusual):
        large_parts(path.open("rb"), "x.json")


def test_an_object_of_thousands_of_members_is_read_at_once(tmp_path: Path) -> None:
    # As VGG Image Annotator writes: to look for the end of each in pieces takes long.
    members: dict[str, Any] = {
        f"{number}.png": {"regions": []} for number in range(3000)
    }
    path = tmp_path / "via.json"
    path.write_text(json.dumps(members))
    with pytest.raises(Unusual):
        large_parts(path.open("rb"), "x.json")
    with pytest.raises(ExportError, match="is a VGG Image Annotator file"):
        ExportReader(path)
    folder = write_export(tmp_path / "export", document([annotation()]) | members)
    assert len(read(folder).record.annotations) == 1


RESULT = {"image_id": 1, "category_id": 1, "score": 0.5, "bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("start", "end", "kind"),
    [
        (" [", "]", "a COCO results file"),
        ("\ufeff[[1], ", "]", "a list"),
        ('[{"data": {"a": "]}"}, "annotations": []}, ', "]", "a Label Studio export"),
        ('{"type": "FeatureCollection", "features": [', "]}", "a GeoJSON file"),
        ('{"annotations": [', "]}", "no 'images'"),
    ],
)
def test_what_is_no_coco_json_is_not_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str, end: str, kind: str
) -> None:
    monkeypatch.setattr(large_json, "_PIECE", 2**16)
    monkeypatch.setattr(large_json, "_MAX_TEXT", 2**16)
    path = tmp_path / "predictions.json"
    entries = json.dumps([RESULT] * 200_000)[1:-1]
    path.write_text(start + entries + end, encoding="utf-8")
    size = path.stat().st_size
    del entries
    tracemalloc.start()
    try:
        with pytest.raises(ExportError, match=kind):
            ExportReader(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # The places of entries take 16 bytes each.
    assert peak < size / 2


@pytest.mark.parametrize("text", ["[", "[1", '[{"a": 1', '[{"a": "\xfc"}, 2]', "[}]"])
def test_a_list_that_does_not_begin_with_an_entry_is_left_to_the_other_way(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Unusual) as caught:
        large_parts(path.open("rb"), "x.json")
    assert type(caught.value) is Unusual
    with pytest.raises(ExportError):
        ExportReader(path)


@pytest.mark.parametrize(
    "member",
    [
        b'"images": tru',
        b'"categories": foo',
        b'"made by": 01',
        b'"made by": "a\nb"',
        b'"made\\x by": 1',
        b'"made\tby": [1]',
        b'"made by": {"a": "\\q"}',
    ],
)
def test_member_that_is_not_json_is_refused_in_a_sentence(
    tmp_path: Path, member: bytes
) -> None:
    rest = json.dumps({"annotations": [annotation()]}).encode()[1:]
    folder = write_export(tmp_path, b"{" + member + b", " + rest)
    with pytest.raises(ExportError, match="is not valid JSON"):
        ExportReader(folder)


@pytest.mark.parametrize("member", [b'"made by": "\xfc"', b'"made \xfc": [1]'])
def test_members_with_bytes_that_are_not_utf_8_are_repaired(
    tmp_path: Path, member: bytes
) -> None:
    rest = json.dumps(document([annotation()])).encode()[1:]
    found = read(write_export(tmp_path, b"{" + member + b", " + rest))

    assert found.annotation.coco_id == 1
    found.issue(IssueCode.TEXT_REPAIRED)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_text_in_another_encoding_is_read_at_once(
    tmp_path: Path, encoding: str
) -> None:
    parts = document([annotation(note="gr\u00fcn")])
    text = json.dumps(parts, ensure_ascii=False)
    found = read(write_export(tmp_path, text.encode(encoding)))

    assert len(found.record.annotations) == 1


def test_key_that_is_there_twice_is_told(tmp_path: Path) -> None:
    text = json.dumps(document([annotation()]))
    found = read(write_export(tmp_path, '{"annotations": [], ' + text[1:]))

    found.issue(IssueCode.DUPLICATE_KEY)


def test_json_that_is_changed_meanwhile_is_not_taken_for_what_it_was(
    tmp_path: Path,
) -> None:
    folder = write_export(tmp_path, document([annotation(id=n) for n in range(9)]))
    path = folder / "_annotations.coco.json"
    with ExportReader(folder) as reader:
        path.write_text(path.read_text().replace("[10,", "[11,") + " ")
        with pytest.raises(ExportError, match="was changed while it was read"):
            list(reader.images())


def test_entries_are_read_by_their_places(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"images": [{"n": n} for n in range(500)]}))
    entries = large_parts(path.open("rb"), "x.json")["images"]
    assert isinstance(entries, large_json.LargeList)

    assert len(entries) == 500
    assert [msgspec.json.decode(entries[n])["n"] for n in (0, 499, 7)] == [0, 499, 7]
    assert [msgspec.json.decode(raw)["n"] for raw in entries[3:6]] == [3, 4, 5]
    assert LargeFile(path.open("rb"), "x.json").size == path.stat().st_size
