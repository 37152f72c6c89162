"""What the classes of an export, and the images of its splits, say about it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fiftyone_cocomask.coco.class_findings import similar_names
from fiftyone_cocomask.coco.issues import IssueCode, Severity

from .exports import Reading, annotation, document, image_entry, read, write_export


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["cerebelo", "cerebelo_1", "cerebelo-2", "talamo"], [3]),
        (["stop sign", "stop-sign", "StopSign", "stop"], [3]),
        (["mushroom", "mushrom", "mushrooms"], [3]),
        (["vehicle", "vehicel", "bicycle"], [2]),
        (["butterfly", "butterfly (1)", "moth"], [2]),
        (["helicopter", "helikopter"], [2]),
        # Numbers and letters alone tell classes apart.
        (["class 1", "class 2", "class 10"], []),
        (["7", "3.5", "75", "0"], []),
        (["hepatitisA", "hepatitisB"], []),
        (["category_a", "category_b"], []),
        # Short words are other words.
        (["boat", "goat", "cat", "bat", "house", "mouse"], []),
        # Case has a code of its own.
        (["cat", "Cat", "CAT"], []),
        (["!", "?", "--"], []),
    ],
)
def test_names_that_are_nearly_the_same(names: list[str], groups: list[int]) -> None:
    assert [len(group) for group in similar_names(names)] == groups


@pytest.mark.parametrize("name", ["a" * 20_000, "a_" * 10_000, "a1" * 10_000 + "x"])
def test_long_names_take_no_time(name: str) -> None:
    # An expression with backtracking never came back.
    assert similar_names([name, f"{name}_2", "cat"]) == [[name, f"{name}_2"]]


def read_splits(folder: Path, splits: dict[str, dict[str, int]]) -> Reading:
    """Reads an export of splits with so many annotations of each class."""
    names = list(dict.fromkeys(name for counts in splits.values() for name in counts))
    categories = [{"id": n, "name": name} for n, name in enumerate(names, start=1)]
    for split, counts in splits.items():
        entries: list[Any] = []
        for name, number in counts.items():
            for _ in range(number):
                category_id = names.index(name) + 1
                entries.append(annotation(id=len(entries), category_id=category_id))
        write_export(folder / split, document(entries, categories=categories))
    return read(folder)


def test_rare_and_missing_classes_are_told(tmp_path: Path) -> None:
    found = read_splits(
        tmp_path,
        {
            "train": {"cerebelo": 6, "cerebelo_1": 1, "talamo": 2},
            "valid": {"cerebelo": 3, "cerebelo-2": 1},
        },
    )

    similar = found.issue(IssueCode.CATEGORY_NAMES_SIMILAR)
    assert similar.severity is Severity.WARNING
    assert "with merge_classes once imported" in similar.message
    assert "'cerebelo' (9), 'cerebelo_1' (1) and 'cerebelo-2' (1)" in similar.message
    rare = [issue.message for issue in found.issues(IssueCode.CATEGORY_SINGLETON)]
    assert len(rare) == 2
    assert "'cerebelo_1'" in rare[0]
    missing = {
        issue.split: issue.message
        for issue in found.issues(IssueCode.CATEGORY_MISSING_FROM_SPLIT)
    }
    assert missing == {
        "train": "it has no annotation of 1 of 4 classes: 'cerebelo-2'",
        "valid": "it has no annotation of 2 of 4 classes: 'cerebelo_1' and 'talamo'",
    }
    examples = {kind["code"]: kind["example"] for kind in found.report.kinds()}
    assert examples["category_missing_from_split"].startswith("train: it has no")


def test_classes_that_every_split_has_are_not_findings(tmp_path: Path) -> None:
    counts = {"cat": 3, "dog": 2}
    found = read_splits(tmp_path, {"train": counts, "valid": counts, "test": {}})

    codes = {issue.code for issue in found.report.issues}
    assert not codes & {
        IssueCode.CATEGORY_NAMES_SIMILAR,
        IssueCode.CATEGORY_SINGLETON,
        IssueCode.CATEGORY_MISSING_FROM_SPLIT,
        IssueCode.IDS_DIFFER,
    }


def test_an_id_of_two_classes_in_two_splits(tmp_path: Path) -> None:
    # Roboflow's root may be called anything: nothing uses it.
    for split, root, name in (("train", "a", "cat"), ("valid", "b", "dog")):
        categories = [
            {"id": 0, "name": root},
            {"id": 1, "name": name},
            {"id": 2, "name": "owl"},
        ]
        entries = [annotation(), annotation(id=2, category_id=2)]
        write_export(tmp_path / split, document(entries, categories=categories))
    found = read(tmp_path)

    issue = found.issue(IssueCode.IDS_DIFFER)
    assert issue.severity is Severity.WARNING
    assert issue.message.startswith("category 1 is 'cat' in train and 'dog' in valid")
    labels = {r.split: [a.label for a in r.annotations] for r in found.records}
    assert labels == {"train": ["cat", "owl"], "valid": ["dog", "owl"]}


def write_noise(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (80, 100, 3), np.uint8)
    Image.fromarray(noise).save(path, compress_level=0)


@pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])
def test_files_of_one_content_in_two_splits_leak(tmp_path: Path, as_zip: bool) -> None:
    # All of one size: only their content tells them apart.
    seeds = {"train": [1, 2, 3], "valid": [4, 2], "test": [5, 6, 6]}
    folder = tmp_path / "export"
    for split, chosen in seeds.items():
        images = []
        for number, seed in enumerate(chosen):
            name = f"{split}{number}.png"
            images.append(image_entry(id=number, file_name=name))
            write_noise(folder / split / name, seed)
        write_export(folder / split, document([], images=images), files=())
    path = folder
    if as_zip:
        path = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder))
    found = read(path)

    issue = found.issue(IssueCode.LEAK)
    assert issue.severity is Severity.WARNING
    assert "2 files with the same content lie in the splits" in issue.message
    assert "train/train1.png" in issue.message
    assert "valid/valid1.png" in issue.message
    leaking = {r.file_name for r in found.records if IssueCode.LEAK in r.issues}
    assert leaking == {"train1.png", "valid1.png"}
    assert found.issues(IssueCode.SOURCE_IN_SEVERAL_SPLITS) == []


def test_many_categories_of_one_name_are_numbered_on(tmp_path: Path) -> None:
    number = 3_000
    categories = [{"id": n, "name": "cat"} for n in range(number)]
    categories.append({"id": number, "name": "cat (2)"})
    entries = [annotation(id=n, category_id=n) for n in range(number + 1)]
    found = read(write_export(tmp_path, document(entries, categories=categories)))

    labels = [a.label for a in found.record.annotations]
    numbers = [n for n in range(1, number + 1) if n != 2]
    expected = ["cat", *(f"cat ({n})" for n in numbers), "cat (2)"]
    assert labels == expected
