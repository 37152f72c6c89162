"""The three-way merge of labels: its table over all pairs of changes, and more."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from fiftyone_cocomask.datasets.import_base.base import (
    DEFAULT_FIELDS,
    SampleBase,
    base_annotation,
)
from fiftyone_cocomask.datasets.importing.changing import MergedLabels
from fiftyone_cocomask.datasets.importing.label_merging import merge_labels

Pair = tuple[dict[str, Any] | None, dict[str, Any] | None]
CONFLICT = "merge_conflict"


def square(x: float, y: float, size: float = 0.1) -> list[list[list[float]]]:
    return [[[x, y], [x + size, y], [x + size, y + size], [x, y + size]]]


def pair_of(
    number: int, label: str = "wing", place: float | None = None, **more: Any
) -> Pair:
    """Returns the two labels of an annotation that is a square."""
    x = 0.15 * number if place is None else place
    common = {
        "label": label,
        "tags": [],
        "attributes": {},
        "coco_id": number,
        "coco_category_id": 1,
        "iscrowd": 0,
        "annotated_area": 100.0,
        **more,
    }
    line = {
        **common,
        "_id": ObjectId(),
        "_cls": "Polyline",
        "points": square(x, 0.3),
        "closed": True,
        "filled": True,
    }
    box = {
        **common,
        "_id": ObjectId(),
        "_cls": "Detection",
        "bounding_box": [x, 0.3, 0.1, 0.1],
    }
    return line, box


class Dataset:
    """A sample's labels and base, as an import leaves them."""

    def __init__(self, pairs: list[Pair], names: tuple[str, ...] = ()) -> None:
        self.lines = [copy.deepcopy(a) for a, _ in pairs if a]
        self.boxes = [copy.deepcopy(b) for _, b in pairs if b]
        self.names = names
        base = SampleBase(tuple(base_annotation(*p, names) for p in pairs), names)
        self.base = SampleBase.from_document(base.to_document(), DEFAULT_FIELDS)

    def merge(self, export: list[Pair], **options: Any) -> MergedLabels:
        """Merges an export whose labels have ids of their own, and keeps the result."""
        pairs = copy.deepcopy(export)
        for pair in pairs:
            for label in pair:
                if label:
                    label["_id"] = ObjectId()
        before = copy.deepcopy((self.lines, self.boxes))
        merged = merge_labels(
            self.base, self.lines, self.boxes, pairs, self.names, **options
        )
        # A merge changes nothing of what it is given.
        assert (self.lines, self.boxes) == before
        self.lines, self.boxes = merged.polylines, merged.detections
        base = SampleBase(tuple(merged.annotations), self.names)
        self.base = SampleBase.from_document(base.to_document(), DEFAULT_FIELDS)
        return merged

    def without_base(self) -> Dataset:
        self.base = None
        return self


def counts(merged: MergedLabels) -> tuple[int, int, int, int, int]:
    """Returns updated, added, deleted, edits kept and conflicts."""
    return (
        merged.updated,
        merged.added,
        merged.deleted,
        merged.edits_kept,
        len(merged.conflicts),
    )


def said(labels: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Returns what labels say, without ids, tags and facts."""
    return sorted(
        (
            label["label"],
            str(label.get("points") or label.get("bounding_box")),
            label["iscrowd"],
            label.get("pose"),
        )
        for label in labels
    )


# What can become of the first annotation, as a change of both its labels in place; None
# stands for its removal.
Edit = Callable[[dict[str, Any]], None]


def moved_by(distance: float) -> Edit:
    def edit(label: dict[str, Any]) -> None:
        if "points" in label:
            label["points"] = [
                [[x + distance, y] for x, y in ring] for ring in label["points"]
            ]
        else:
            label["bounding_box"][0] += distance

    return edit


EXPORT: dict[str, Edit | None] = {
    "unchanged": lambda label: None,
    "renumbered": lambda label: label.update(coco_id=977, annotated_area=1.0),
    "moved": moved_by(0.01),
    "relabelled": lambda label: label.update(label="body"),
    "attribute": lambda label: label.update(iscrowd=1),
    "removed": None,
}
PERSON: dict[str, Edit | None] = {
    "untouched": lambda label: None,
    "tagged": lambda label: label["tags"].append("good"),
    "noted": lambda label: label.update(note="by a program", area_px=31),
    "moved": moved_by(0.01),
    "moved elsewhere": moved_by(-0.02),
    "relabelled": lambda label: label.update(label="body"),
    "relabelled otherwise": lambda label: label.update(label="eye"),
    "attribute": lambda label: label.update(iscrowd=1),
    "deleted": None,
}
UNCHANGED = {"unchanged", "renumbered"}
UNTOUCHED = {"untouched", "noted", "tagged"}
SAME = {("moved", "moved"), ("relabelled", "relabelled")}
SAME |= {("attribute", "attribute"), ("removed", "deleted")}


def edited(pairs: list[Pair], edit: Edit | None) -> list[Pair]:
    pairs = copy.deepcopy(pairs)
    if edit is None:
        return pairs[1:]
    for label in pairs[0]:
        assert label is not None
        edit(label)
    return pairs


def labels_of(pairs: list[Pair], side: int) -> list[dict[str, Any]]:
    return [label for pair in pairs if (label := pair[side])]


def changed_by_both(export: str, person: str) -> tuple[Dataset, Any, Any]:
    """Returns a dataset, what a person has made of its pairs, and what the export."""
    imported = [pair_of(1), pair_of(2)]
    dataset = Dataset(imported)
    persons = edited(imported, PERSON[person])
    exports = edited(imported, EXPORT[export])
    dataset.lines, dataset.boxes = labels_of(persons, 0), labels_of(persons, 1)
    return dataset, persons, exports


@pytest.mark.parametrize("conflicts", ["keep", "export"])
@pytest.mark.parametrize("person", PERSON)
@pytest.mark.parametrize("export", EXPORT)
def test_the_table(export: str, person: str, conflicts: str) -> None:
    dataset, persons, exports = changed_by_both(export, person)
    merged = dataset.merge(exports, conflicts=conflicts)

    tagged_and_removed = (export, person) == ("removed", "tagged")
    is_conflict = tagged_and_removed or (
        export not in UNCHANGED
        and person not in UNTOUCHED
        and (export, person) not in SAME
    )
    takes_export = export not in UNCHANGED and (
        not is_conflict or conflicts == "export"
    )
    expected = exports if takes_export else persons
    for side, labels in enumerate((dataset.lines, dataset.boxes)):
        assert said(labels) == said(labels_of(expected, side))
        by_id = {label["_id"]: label for label in labels}
        for label in labels_of(persons, side):
            now = by_id.get(label["_id"])
            if now is None:
                assert export == "removed"
                continue
            # Its own id, tags and others' fields; the export's facts.
            assert now.get("note") == label.get("note")
            assert set(label["tags"]) <= set(now["tags"])
            stays = is_conflict and conflicts == "keep" and label["coco_id"] == 1
            assert (CONFLICT in now["tags"]) == stays
            if export == "renumbered" and label["coco_id"] == 1:
                assert (now["coco_id"], now["annotated_area"]) == (977, 1.0)
    assert len(merged.conflicts) == is_conflict
    is_kept = export in UNCHANGED and person not in UNTOUCHED
    assert merged.edits_kept == is_kept
    assert merged.added == 0
    is_deletion = export == "removed" and person != "deleted" and takes_export
    assert merged.deleted == is_deletion
    is_update = takes_export and export != "removed" and (export, person) not in SAME
    assert merged.updated == is_update


@pytest.mark.parametrize("person", PERSON)
@pytest.mark.parametrize("export", EXPORT)
def test_a_merge_done_again_changes_nothing(export: str, person: str) -> None:
    dataset, _, exports = changed_by_both(export, person)
    # The tag on the sample tells of a conflict where no label is left to.
    first = dataset.merge(exports, is_tagged=True)
    before = dataset.lines, dataset.boxes, dataset.base
    again = dataset.merge(exports, is_tagged=True)
    assert (dataset.lines, dataset.boxes, dataset.base) == before
    assert (again.updated, again.added, again.deleted) == (0, 0, 0)
    # A conflict is one until a person takes its tag away.
    assert len(again.conflicts) == len(first.conflicts)
    for label in dataset.lines + dataset.boxes:
        label["tags"] = [tag for tag in label["tags"] if tag != CONFLICT]
    resolved = dataset.merge(exports)
    assert not resolved.conflicts
    kept = [said(labels) for labels in before[:2]]
    assert [said(dataset.lines), said(dataset.boxes)] == kept


@pytest.mark.parametrize("export", [name for name in EXPORT if name not in UNCHANGED])
def test_an_open_conflict_can_be_given_to_the_export(export: str) -> None:
    imported = [pair_of(1), pair_of(2)]
    dataset = Dataset(imported)
    persons = edited(imported, PERSON["moved elsewhere"])
    exports = edited(imported, EXPORT[export])
    dataset.lines, dataset.boxes = labels_of(persons, 0), labels_of(persons, 1)
    assert len(dataset.merge(exports).conflicts) == 1
    dataset.merge(exports, conflicts="export")
    assert said(dataset.lines) == said(labels_of(exports, 0))
    assert not any(label["tags"] for label in dataset.lines + dataset.boxes)
    assert counts(dataset.merge(exports)) == (0, 0, 0, 0, 0)


def test_what_a_person_draws_stays_and_what_the_export_adds_comes() -> None:
    imported = [pair_of(1)]
    dataset = Dataset(imported)
    drawn = pair_of(9, place=0.7)[0]
    assert drawn is not None
    dataset.lines.append(drawn)
    merged = dataset.merge([*imported, pair_of(2), pair_of(3)])
    assert counts(merged) == (0, 2, 0, 1, 0)
    assert [label["coco_id"] for label in dataset.lines] == [1, 9, 2, 3]
    assert [label["coco_id"] for label in dataset.boxes] == [1, 2, 3]


def test_what_a_person_drew_and_the_export_has_by_now_is_one_annotation() -> None:
    imported = [pair_of(1)]
    dataset = Dataset(imported)
    drawn = pair_of(9, place=0.7)[0]
    assert drawn is not None
    del drawn["coco_id"]
    dataset.lines.append(drawn)
    line, box = pair_of(2, place=0.7)
    assert line is not None
    # As a JSON with three decimals gives it back.
    line["points"] = [[[x + 1e-6, y - 1e-6] for x, y in r] for r in line["points"]]
    merged = dataset.merge([*imported, (line, box)])
    assert counts(merged) == (0, 0, 0, 0, 0)
    assert [label["_id"] for label in dataset.lines][1] == drawn["_id"]
    assert [label["coco_id"] for label in dataset.lines] == [1, 2]
    # The box, which nobody had drawn, comes with it.
    assert [label["coco_id"] for label in dataset.boxes] == [1, 2]
    assert counts(dataset.merge([*imported, (line, box)])) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("conflicts", ["keep", "export"])
@pytest.mark.parametrize("is_box_only", [False, True])
def test_what_a_person_moved_far_and_the_export_has_there_is_one_annotation(
    conflicts: str, is_box_only: bool
) -> None:
    imported = [pair_of(1), pair_of(2)]
    if is_box_only:
        imported = [(None, box) for _, box in imported]
    dataset = Dataset(imported)
    ids = [label["_id"] for label in dataset.lines + dataset.boxes]
    for label in [*dataset.lines[:1], *dataset.boxes[:1]]:
        moved_by(0.6)(label)
        label["tags"] = ["good"]
    line, box = pair_of(1, place=0.15 + 0.6 + 1e-6)
    export = [(None if is_box_only else line, box), imported[1]]
    merged = dataset.merge(export, conflicts=conflicts)
    assert counts(merged) == (0, 0, 0, 0, 0)
    assert [label["_id"] for label in dataset.lines + dataset.boxes] == ids
    assert (dataset.lines or dataset.boxes)[0]["tags"] == ["good"]
    assert counts(dataset.merge(export)) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("conflicts", ["keep", "export"])
@pytest.mark.parametrize("is_box_left", [False, True])
def test_what_a_person_drew_anew_and_the_export_has_by_now_is_one_annotation(
    conflicts: str, is_box_left: bool
) -> None:
    imported = [pair_of(1), pair_of(2)]
    dataset = Dataset(imported)
    drawn = pair_of(1, place=0.16)[0]
    assert drawn is not None
    del drawn["coco_id"]
    dataset.lines[0] = drawn
    if not is_box_left:
        del dataset.boxes[0]
    export = [pair_of(1, place=0.16 + 1e-6), imported[1]]
    merged = dataset.merge(export, conflicts=conflicts)
    # The box of what it has taken the place of goes.
    assert counts(merged) == (0, 0, int(is_box_left), 0, 0)
    assert dataset.lines[0]["_id"] == drawn["_id"]
    lefts = [round(label["bounding_box"][0], 3) for label in dataset.boxes]
    assert sorted(lefts) == [0.16, 0.3]
    assert counts(dataset.merge(export)) == (0, 0, 0, 0, 0)


def test_two_classes_on_one_new_shape_are_a_conflict() -> None:
    dataset = Dataset([pair_of(1)])
    drawn = pair_of(9, label="eye", place=0.7)[0]
    assert drawn is not None
    dataset.lines.append(drawn)
    merged = dataset.merge([pair_of(1), pair_of(2, place=0.7)])
    assert counts(merged) == (0, 0, 0, 0, 1)
    assert [label["label"] for label in dataset.lines] == ["wing", "eye"]
    assert dataset.lines[1]["tags"] == [CONFLICT]


def test_ids_that_shift_move_no_tag_to_another_object() -> None:
    imported = [pair_of(number) for number in range(1, 6)]
    dataset = Dataset(imported)
    for label in dataset.lines:
        label["tags"] = [f"object {label['coco_id']}"]
    # The first is gone, so every id is that of the object after it; so is the order.
    shifted = []
    for line, box in reversed(imported[1:]):
        number = line["coco_id"] - 1 if line else 0
        shifted.append(({**(line or {}), "coco_id": number}, {**(box or {})}))
    dataset.lines[0]["tags"] = []
    assert counts(dataset.merge(shifted)) == (0, 0, 1, 0, 0)
    tags = {label["tags"][0]: label["coco_id"] for label in dataset.lines}
    assert tags == {f"object {n}": n - 1 for n in range(2, 6)}


def test_an_id_counts_only_where_the_shape_agrees() -> None:
    dataset = Dataset([pair_of(1, place=0.1)])
    dataset.lines[0]["label"] = "eye"
    merged = dataset.merge([pair_of(1, place=0.8)])
    # Another object: the person's stays in conflict with its removal, the other comes.
    assert counts(merged) == (0, 1, 0, 0, 1)
    assert [label["label"] for label in dataset.lines] == ["eye", "wing"]


def test_equal_shapes_are_told_apart_by_their_class() -> None:
    imported = [pair_of(1, "wing", 0.3), pair_of(2, "body", 0.3)]
    dataset = Dataset(imported)
    ids = {label["label"]: label["_id"] for label in dataset.lines}
    merged = dataset.merge([imported[1], imported[0]])
    assert counts(merged) == (0, 0, 0, 0, 0)
    assert {label["label"]: label["_id"] for label in dataset.lines} == ids
    assert {label["label"]: label["coco_id"] for label in dataset.lines} == {
        "wing": 1,
        "body": 2,
    }


@pytest.mark.parametrize("deleted", [0, 1])
def test_of_two_equal_annotations_the_one_that_both_deleted_is_gone(
    deleted: int,
) -> None:
    imported = [pair_of(1), pair_of(2, place=0.15), pair_of(3)]
    dataset = Dataset(imported)
    del dataset.lines[deleted], dataset.boxes[deleted]
    kept = [label["_id"] for label in dataset.lines + dataset.boxes]
    merged = dataset.merge([pair_of(1), pair_of(2, place=0.45)])
    assert counts(merged) == (0, 0, 0, 0, 0)
    assert [label["_id"] for label in dataset.lines + dataset.boxes] == kept


@pytest.mark.parametrize("side", [0, 1])
def test_deleting_either_label_is_a_persons_edit(side: int) -> None:
    imported = [pair_of(1)]
    dataset = Dataset(imported)
    (dataset.lines, dataset.boxes)[side].clear()
    assert counts(dataset.merge(imported)) == (0, 0, 0, 1, 0)
    assert len(dataset.lines) + len(dataset.boxes) == 1
    # The export removes the rest of it: that is what the person has begun.
    assert counts(dataset.merge([])) == (0, 0, 1, 0, 0)
    assert not dataset.lines + dataset.boxes


@pytest.mark.parametrize("side", [0, 1])
def test_an_annotation_can_lose_its_shape_or_its_box_in_the_export(side: int) -> None:
    pair = pair_of(1)
    dataset = Dataset([pair])
    less: Pair = (None, pair[1]) if side == 0 else (pair[0], None)
    assert counts(dataset.merge([less])) == (1, 0, 0, 0, 0)
    assert [len(dataset.lines), len(dataset.boxes)] == [side, 1 - side]
    assert counts(dataset.merge([pair])) == (1, 0, 0, 0, 0)
    assert [len(dataset.lines), len(dataset.boxes)] == [1, 1]


def test_own_attributes_are_merged_too() -> None:
    imported = [pair_of(1, pose="left")]
    dataset = Dataset(imported, ("pose",))
    dataset.lines[0]["pose"] = "right"
    assert counts(dataset.merge(imported)) == (0, 0, 0, 1, 0)
    assert dataset.lines[0]["pose"] == "right"
    changed = [pair_of(1, pose="up")]
    assert counts(dataset.merge(changed)) == (0, 0, 0, 0, 1)
    dataset.merge(changed, conflicts="export")
    assert [label["pose"] for label in dataset.lines + dataset.boxes] == ["up", "up"]


def test_without_a_base_every_difference_is_a_conflict() -> None:
    imported = [pair_of(number) for number in range(1, 6)]
    dataset = Dataset(imported).without_base()
    dataset.lines[0]["label"] = dataset.boxes[0]["label"] = "eye"
    del dataset.lines[1], dataset.boxes[1]
    moved_by(0.02)(dataset.lines[2])
    drawn = pair_of(0, place=0.9)[0]
    assert drawn is not None
    del drawn["coco_id"]
    dataset.lines.append(drawn)
    before = said(dataset.lines), said(dataset.boxes)
    merged = dataset.merge(imported[:4])
    # Relabelled, deleted or new, moved, removed; and one that is only the dataset's.
    assert counts(merged) == (0, 0, 0, 1, 4)
    assert (said(dataset.lines), said(dataset.boxes)) == before
    tagged = [bool(label["tags"]) for label in dataset.lines]
    assert tagged == [True, False, True, True, False]
    again = dataset.merge(imported[:4], is_tagged=True)
    assert counts(again)[:3] == (0, 0, 0)
    assert len(again.conflicts) == 4


def test_without_a_base_and_differences_there_is_nothing_to_do() -> None:
    imported = [pair_of(number) for number in range(1, 6)]
    dataset = Dataset(imported).without_base()
    assert counts(dataset.merge(imported)) == (0, 0, 0, 0, 0)
    assert counts(dataset.merge(imported[1:])) == (0, 0, 1, 0, 0)


def test_labels_of_another_origin_stay_beside_those_of_a_first_import() -> None:
    dataset = Dataset([pair_of(9, place=0.7)]).without_base()
    merged = dataset.merge([pair_of(1), pair_of(2)], is_imported=False)
    assert counts(merged) == (0, 2, 0, 1, 0)
    assert [label["coco_id"] for label in dataset.lines] == [9, 1, 2]


@given(
    st.lists(st.sampled_from(sorted(EXPORT)), min_size=6, max_size=6),
    st.lists(st.sampled_from(sorted(PERSON)), min_size=6, max_size=6),
    st.permutations(range(6)),
)
def test_many_changes_at_once_are_each_merged_alone(
    exports: list[str], persons: list[str], order: list[int]
) -> None:
    imported = [pair_of(number) for number in range(6)]
    dataset = Dataset(imported)
    dataset.lines, dataset.boxes = [], []
    new: dict[int, Pair] = {}
    expected = [0, 0]
    for number, (export, person) in enumerate(zip(exports, persons, strict=True)):
        for pair in edited([imported[number]], PERSON[person]):
            dataset.lines += labels_of([pair], 0)
            dataset.boxes += labels_of([pair], 1)
        for pair in edited([imported[number]], EXPORT[export]):
            new[number] = pair
        alone = Dataset([imported[number]])
        mine = edited([imported[number]], PERSON[person])
        alone.lines, alone.boxes = labels_of(mine, 0), labels_of(mine, 1)
        merged = alone.merge(edited([imported[number]], EXPORT[export]))
        expected[0] += merged.edits_kept
        expected[1] += len(merged.conflicts)
    merged = dataset.merge([new[number] for number in order if number in new])
    assert [merged.edits_kept, len(merged.conflicts)] == expected


def test_of_two_equal_annotations_the_one_that_is_there_stays() -> None:
    """A person has deleted the first, and the next export has one, of another kind."""
    first, second = pair_of(1), pair_of(1)
    dataset = Dataset([first, second])
    del dataset.lines[0], dataset.boxes[0]
    merged = dataset.merge([pair_of(1, iscrowd=1)])
    assert counts(merged) == (1, 0, 0, 0, 0)
    assert [x["_id"] for x in dataset.lines] == [second[0] and second[0]["_id"]]


def test_a_conflict_ends_where_the_export_and_a_person_have_deleted_its_polygon() -> (
    None
):
    imported = [pair_of(1), pair_of(2)]
    dataset = Dataset(imported)
    persons = edited(imported, PERSON["moved elsewhere"])
    dataset.lines, dataset.boxes = labels_of(persons, 0), labels_of(persons, 1)
    assert len(dataset.merge(edited(imported, EXPORT["moved"])).conflicts) == 1
    del dataset.lines[0]
    for _ in range(2):
        merged = dataset.merge(imported[1:], is_tagged=True)
        assert counts(merged) == (0, 0, 0, 1, 0)
        assert [box["tags"] for box in dataset.boxes] == [[], []]
