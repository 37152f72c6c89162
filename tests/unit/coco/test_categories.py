"""Categories: known and unknown, of one name or none, in use or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.issues import Action, IssueCode, Severity

from .exports import (
    ABSENT,
    annotation,
    document,
    pixels,
    read,
    read_parts,
    write_export,
)


@pytest.mark.parametrize(
    ("category_id", "label"),
    [
        (9, "category 9"),
        ("dog", "category dog"),
        (None, "no category"),
        (ABSENT, "no category"),
        (True, "no category"),
        ([1], "no category"),
    ],
)
def test_annotation_of_an_unknown_category_gets_a_label_that_says_so(
    tmp_path: Path, category_id: Any, label: str
) -> None:
    found = read_parts(tmp_path, [annotation(category_id=category_id)])

    assert found.annotation.label == label
    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.UNKNOWN_CATEGORY, Action.REPAIRED)}


@pytest.mark.parametrize("category_id", ["1", 1.0])
def test_category_id_is_found_however_it_is_written(
    tmp_path: Path, category_id: Any
) -> None:
    found = read_parts(tmp_path, [annotation(category_id=category_id)])

    assert (found.annotation.label, found.annotation.category_id) == ("cat", 1)
    assert found.annotation.supercategory == "animals"
    assert found.actions() == set()


BUTTERFLIES = [
    {"id": 0, "name": "butterfly", "supercategory": "none"},
    {"id": 1, "name": "butterfly", "supercategory": "butterfly"},
]


def test_unused_root_takes_no_name_from_the_class_of_its_name(tmp_path: Path) -> None:
    folder = write_export(tmp_path, document([annotation()], categories=BUTTERFLIES))

    with ExportReader(folder) as reader:
        records = list(reader.images())

    assert records[0].annotations[0].label == "butterfly"
    assert reader.classes == ["butterfly"]
    assert [c.id for c in reader.used_categories()] == [1]
    assert [c.used for c in reader.categories["default"]] == [False, True]
    unused = [i for i in reader.report.issues if i.code is IssueCode.CATEGORY_UNUSED]
    assert len(unused) == 1
    assert "category 0 'butterfly'" in unused[0].message
    assert reader.report.categories == 2


def test_two_categories_in_use_with_one_name_stay_two(tmp_path: Path) -> None:
    entries = [annotation(category_id=1), annotation(id=2, category_id=0)]
    folder = write_export(tmp_path, document(entries, categories=BUTTERFLIES))

    with ExportReader(folder) as reader:
        records = list(reader.images())

    labels = [(a.category_id, a.label) for a in records[0].annotations]
    assert labels == [(1, "butterfly (1)"), (0, "butterfly")]
    assert reader.classes == ["butterfly", "butterfly (1)"]
    issues = [
        i for i in reader.report.issues if i.code is IssueCode.DUPLICATE_CATEGORY_NAME
    ]
    assert [issue.action for issue in issues] == [Action.REPAIRED]


def test_a_made_up_name_takes_none_that_is_there(tmp_path: Path) -> None:
    categories = [*BUTTERFLIES, {"id": 2, "name": "butterfly (1)"}]
    entries = [annotation(id=n, category_id=n) for n in range(3)]
    found = read_parts(tmp_path, entries, categories=categories)

    labels = [a.label for a in found.record.annotations]
    assert labels == ["butterfly", "butterfly (2)", "butterfly (1)"]


def test_a_category_has_one_name_in_all_splits(tmp_path: Path) -> None:
    # In valid only the second category is in use; it must not become the first.
    both = [annotation(id=n, category_id=n) for n in range(2)]
    write_export(tmp_path / "train", document(both, categories=BUTTERFLIES))
    one = [annotation(category_id=1)]
    write_export(tmp_path / "valid", document(one, categories=BUTTERFLIES))
    found = read(tmp_path)

    labels = {r.split: [a.label for a in r.annotations] for r in found.records}
    assert labels == {
        "train": ["butterfly", "butterfly (1)"],
        "valid": ["butterfly (1)"],
    }


def test_categories_that_share_an_id(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]
    found = read_parts(tmp_path, [annotation()], categories=categories)

    assert found.annotation.label == "cat"
    assert found.issue(IssueCode.DUPLICATE_CATEGORY_ID).action is Action.DROPPED


def test_category_that_is_listed_again_loses_nothing(tmp_path: Path) -> None:
    # As in a JSON that was put together of several.
    categories = [
        {"id": 1, "name": "cat", "supercategory": "pets"},
        {"id": "1", "name": "cat"},
    ]
    found = read_parts(tmp_path, [annotation()], categories=categories)

    issue = found.issue(IssueCode.DUPLICATE_CATEGORY_ID)
    assert (issue.action, issue.severity) == (Action.REPAIRED, Severity.WARNING)
    assert issue.message == "category 1 'cat' is listed twice; the first one counts"
    assert found.annotation.supercategory == "pets"


@pytest.mark.parametrize("name", [ABSENT, None, "", "  ", {}, ["cat"]])
def test_category_without_name_is_named_by_its_id(tmp_path: Path, name: Any) -> None:
    category = {"id": 1, "name": name}
    if name is ABSENT:
        del category["name"]
    found = read_parts(tmp_path, [annotation()], categories=[category])

    assert found.annotation.label == "category 1"
    assert found.annotation.supercategory is None
    assert found.actions() == {(IssueCode.CATEGORY_WITHOUT_NAME, Action.REPAIRED)}


@pytest.mark.parametrize(
    ("name", "label"),
    [(7, "7"), (3.5, "3.5"), (0, "0"), (-1, "-1"), (True, "true"), (False, "false")],
)
def test_a_name_that_is_not_text_is_its_text(
    tmp_path: Path, name: Any, label: str
) -> None:
    category = {"id": 1, "name": name, "supercategory": name}
    found = read_parts(tmp_path, [annotation()], categories=[category])

    assert found.annotation.label == label
    assert found.annotation.supercategory == label
    assert found.actions() == {(IssueCode.CATEGORY_NAME_NOT_TEXT, Action.REPAIRED)}


def test_names_that_are_one_text_stay_two_classes(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": 7}, {"id": 2, "name": "7"}]
    entries = [annotation(), annotation(id=2, category_id=2)]
    found = read_parts(tmp_path, entries, categories=categories)

    assert [a.label for a in found.record.annotations] == ["7", "7 (1)"]


def test_names_of_100_kb_are_shortened_and_stay_apart(tmp_path: Path) -> None:
    categories = [
        {"id": n, "name": f"{'x' * 100_000}", "supercategory": "y" * 10**6}
        for n in (1, 2)
    ]
    entries = [annotation(id=n, category_id=1 + n % 2) for n in range(1000)]
    found = read_parts(tmp_path, entries, categories=categories)

    assert len(found.record.annotations) == 1000
    labels = {a.label for a in found.record.annotations}
    assert len(labels) == 2
    assert max(map(len, labels)) < 600
    assert len(found.issues(IssueCode.CATEGORY_NAME_TOO_LONG)) == 2


@pytest.mark.parametrize("entry", [None, "cat", 1, [], {"name": "cat"}, {"id": True}])
def test_entry_that_is_not_a_category_is_left_out(tmp_path: Path, entry: Any) -> None:
    categories = [entry, {"id": 1, "name": "cat"}]
    found = read_parts(tmp_path, [annotation()], categories=categories)

    assert found.annotation.label == "cat"
    assert found.actions() == {(IssueCode.CATEGORY_MALFORMED, Action.DROPPED)}


def test_categories_missing_altogether(tmp_path: Path) -> None:
    found = read_parts(tmp_path, [annotation()], categories=ABSENT)

    assert found.annotation.label == "category 1"
    assert found.actions() == {
        (IssueCode.CATEGORIES_MISSING, Action.REPAIRED),
        (IssueCode.UNKNOWN_CATEGORY, Action.REPAIRED),
    }


def test_category_names_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "Cat"}]
    entries = [annotation(), annotation(id=2, category_id=2)]
    found = read_parts(tmp_path, entries, categories=categories)

    assert [a.label for a in found.record.annotations] == ["cat", "Cat"]
    issue = found.issue(IssueCode.CATEGORY_NAMES_DIFFER_IN_CASE)
    assert issue.action is Action.KEPT


def test_labels_that_a_dataset_has_stay_with_their_categories(tmp_path: Path) -> None:
    categories = [*BUTTERFLIES, {"id": 2, "name": "butterfly"}]
    entries = [annotation(id=number, category_id=number) for number in range(3)]
    path = write_export(tmp_path, document(entries, categories=categories))
    for known, expected in (
        ({}, ["butterfly", "butterfly (1)", "butterfly (2)"]),
        ({1: "butterfly"}, ["butterfly (1)", "butterfly", "butterfly (2)"]),
        ({0: None}, ["butterfly (2)", "butterfly", "butterfly (1)"]),
        (
            {2: "butterfly", 0: "butterfly (1)"},
            ["butterfly (1)", "butterfly (2)", "butterfly"],
        ),
        ({1: "butterfly (7)"}, ["butterfly", "butterfly (7)", "butterfly (1)"]),
    ):
        labels = {(number, "butterfly"): label for number, label in known.items()}
        with ExportReader(path, known_labels=labels) as reader:
            (record,) = reader.images()
        assert [a.label for a in record.annotations] == expected
