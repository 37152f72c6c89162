"""Classes that are one are merged, boxes and all, and that is undone exactly."""

from __future__ import annotations

import fiftyone as fo
import pytest

from fiftyone_cocomask import (
    CocoMaskError,
    compute_masks,
    evaluate_mask_area,
    load_mask_evaluation,
    merge_classes,
    refresh_mask_evaluations,
    undo_mask_fixes,
)
from fiftyone_cocomask.datasets.fixing.classes import count_classes
from fiftyone_cocomask.datasets.label_lists import LabelList
from fiftyone_cocomask.panels.evaluation.sections.class_names import ClassNames
from fiftyone_cocomask.panels.evaluation.shown import Choices, shown_of

from .conftest import Samples, polyline

LEFT = (5, 5, 20, 15)
NAMES = ("cerebelo", "cerebelo_1", "cerebelo-2", "vermis")


@pytest.fixture
def named(samples: Samples) -> Samples:
    """A polygon and a box of each class; the box of the last polygon has another."""
    lines = [polyline(LEFT, name, coco_id=i) for i, name in enumerate(NAMES)]
    boxes = [
        fo.Detection(label=name, bounding_box=[0.1, 0.1, 0.2, 0.2], coco_id=i)
        for i, name in enumerate([*NAMES[:3], "other"])
    ]
    sample = samples.add("a.jpg", lines=lines)
    sample["detections"] = fo.Detections(detections=boxes)
    sample.save()
    samples.dataset.add_dynamic_sample_fields()
    return samples


def classes(samples: Samples) -> tuple[list[str], list[str]]:
    raw = samples.raw(samples.dataset.first())
    lists = raw["segmentations"]["polylines"], raw["detections"]["detections"]
    lines, boxes = ([label["label"] for label in labels] for labels in lists)
    return lines, boxes


def test_names_that_are_nearly_the_same_become_one(named: Samples) -> None:
    before = named.raw(named.dataset.first())
    planned = merge_classes(named.dataset, "cerebelo", dry_run=True)
    assert planned.fixed == {"merged_class": 2}
    assert classes(named)[0] == list(NAMES)
    report = merge_classes(named.dataset, "cerebelo")
    assert report.fixed == {"merged_class": 2}
    merged = ["cerebelo", "cerebelo", "cerebelo"]
    assert classes(named) == ([*merged, "vermis"], [*merged, "other"])
    undo_mask_fixes(named.dataset, "merged_classes")
    after = named.raw(named.dataset.first())
    assert after["segmentations"] == before["segmentations"]
    assert after["detections"] == before["detections"]


def test_what_somebody_has_changed_since_stays_so(named: Samples) -> None:
    merge_classes(named.dataset, "brain", ["cerebelo", "vermis"])
    sample = named.dataset.first()
    sample.segmentations.polylines[3].label = "mine"
    sample.save()
    report = undo_mask_fixes(named.dataset, "merged_classes")
    assert report.num_skipped == 1
    assert classes(named)[0] == [*NAMES[:3], "mine"]


def test_objects_that_are_a_box_alone_are_merged_and_counted(named: Samples) -> None:
    dataset = named.dataset
    sample = dataset.first()
    found = sample.detections.detections
    found[1].coco_id = 7
    found.append(fo.Detection(label="Vermis 2", bounding_box=[0, 0, 1, 1]))
    sample.save()
    labels = LabelList.of_field(dataset, "segmentations")
    # The box of another class is of the last polygon's object.
    alone = {"cerebelo_1": 2, "Vermis 2": 1}
    assert count_classes(dataset, labels) == {**dict.fromkeys(NAMES, 1), **alone}
    # The polygon of the class, and the box that is alone now.
    report = merge_classes(dataset, "cerebelo", ["cerebelo_1"], dry_run=True)
    assert report.fixed == {"merged_class": 2}
    assert merge_classes(dataset, "vermis").fixed == {"merged_class": 1}
    assert classes(named)[1][-1] == "vermis"
    with pytest.raises(CocoMaskError, match="no labels of the class 'Vermis 3'"):
        merge_classes(dataset, "brain", ["Vermis 3"])


def test_a_class_that_nobody_has_is_refused_under_a_key_that_is_there(
    named: Samples,
) -> None:
    merge_classes(named.dataset, "cerebelo", ["cerebelo_1"])
    # As after a kill, whose class has no labels any more.
    merge_classes(named.dataset, "cerebelo", ["cerebelo_1", "cerebelo-2"])
    assert classes(named)[0] == [*["cerebelo"] * 3, "vermis"]
    with pytest.raises(CocoMaskError, match="no labels of the class 'vermiss'"):
        merge_classes(named.dataset, "cerebelo", ["vermiss"])


@pytest.mark.parametrize(
    ("arguments", "named_in_it"),
    [
        ({"into": " "}, "must be the name of a class"),
        ({"into": "a", "classes": ["nothing"]}, "no labels of the class 'nothing'"),
        ({"into": "vermis", "classes": ["vermis"]}, "into itself"),
        ({"into": "a", "label_field": "nothing"}, "nothing"),
        ({"into": "a", "fix_key": "no key"}, "no key"),
    ],
)
def test_wrong_arguments_are_refused(
    named: Samples, arguments: dict[str, str], named_in_it: str
) -> None:
    with pytest.raises(CocoMaskError, match=named_in_it):
        merge_classes(named.dataset, **arguments)
    assert classes(named)[0] == list(NAMES)


def test_the_panel_finds_classes_to_look_at(named: Samples) -> None:
    dataset = named.dataset
    other = [polyline(LEFT, name) for name in ("cerebelo", "cerebelo", "midline")]
    named.add("b.jpg", lines=other, tags=["valid"])
    compute_masks(dataset)
    area = evaluate_mask_area(dataset, label_field="segmentations")
    section = ClassNames()
    found = section.read(shown_of([area], dataset.view(), Choices()))
    assert found["similar"] == [["cerebelo", "cerebelo-2", "cerebelo_1"]]
    assert found["single"] == ["cerebelo-2", "cerebelo_1", "midline", "vermis"]
    (absent,) = (n for split, n in found["missing"].items() if split == "valid")
    assert absent == ["cerebelo-2", "cerebelo_1", "vermis"]
    merge_classes(dataset, "cerebelo")
    refresh_mask_evaluations(dataset)
    area = load_mask_evaluation(dataset, "mask_area")
    assert section.read(shown_of([area], dataset.view(), Choices()))["similar"] == []
