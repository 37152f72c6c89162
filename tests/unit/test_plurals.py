"""Numbers and the nouns and verbs that go with them."""

from __future__ import annotations

import pytest

from fiftyone_cocomask.coco.counted_issues import Notes
from fiftyone_cocomask.coco.issue_codes import IssueCode
from fiftyone_cocomask.coco.report import ExportReport
from fiftyone_cocomask.words import agree, count, part_of, readable


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "image", "0 images"),
        (1, "image", "1 image"),
        (1234, "image", "1,234 images"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (1, "older copy", "1 older copy"),
        (2, "older copy", "2 older copies"),
        (2, "JSON file", "2 JSON files"),
    ],
)
def test_a_noun_takes_the_number_before_it(number: int, noun: str, text: str) -> None:
    assert count(number, noun) == text


def test_a_part_takes_the_noun_of_the_whole() -> None:
    assert part_of(1, 1, "image") == "1 of 1 image"
    assert part_of(1, 2000, "image") == "1 of 2,000 images"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (22470.3, "22,470"),
        (-1234567.8, "-1,234,568"),
        (0.0, "0"),
        (2.5, "2.5"),
        (0.123456, "0.1235"),
    ],
)
def test_a_figure_has_the_digits_that_people_read(number: float, text: str) -> None:
    assert readable(number) == text


def test_a_verb_goes_with_its_number() -> None:
    assert [agree(n, "has", "have") for n in (0, 1, 2)] == ["have", "has", "have"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "1 of 3 annotations has keypoints"),
        (2, "2 of 3 annotations have keypoints"),
    ],
)
def test_a_counted_finding_is_a_sentence(number: int, sentence: str) -> None:
    notes, report = Notes(), ExportReport("x")
    for annotation_id in range(number):
        notes.add(IssueCode.KEYPOINTS, "a.jpg", 1, annotation_id)
    notes.report(report, "train", 2, 3)
    assert report.issues[0].message.startswith(sentence)


def test_a_single_filled_box_is_one() -> None:
    notes, report = Notes(), ExportReport("x")
    notes.add(IssueCode.AREA_IS_BOX_AREA, "a.jpg", 1, 1)
    notes.count_stated_area(fills_box=False)
    notes.count_stated_area(fills_box=True)
    notes.report(report, "train", 1, 2)
    assert "; 1 more fills its box, so that" in report.issues[0].message
