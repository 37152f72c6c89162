"""What the import remembers of each annotation, and what became of it since."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import datetime
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
from fiftyone_cocomask.datasets.importing.states import (
    AnnotationState,
    Change,
    annotation_states,
)

NAMES = ("depth", "pose")


def polyline(**changes: Any) -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "_cls": "Polyline",
        "attributes": {},
        "tags": [],
        "label": "wing",
        "points": [[[0.1, 0.2], [0.5, 0.2], [0.5, 0.7]]],
        "closed": True,
        "filled": True,
        "coco_id": 3,
        "iscrowd": 0,
        "annotated_area": 20.0,
        "depth": 3,
        **changes,
    }


def detection(**changes: Any) -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "_cls": "Detection",
        "tags": [],
        "label": "wing",
        "bounding_box": [0.1, 0.2, 0.4, 0.5],
        "coco_id": 3,
        "iscrowd": 0,
        "depth": 3,
        **changes,
    }


def stored(base: SampleBase) -> SampleBase:
    """Returns a base as the database gives it back."""
    again = SampleBase.from_document(base.to_document(), DEFAULT_FIELDS)
    assert again is not None
    return again


def state_after(
    line: dict[str, Any] | None, box: dict[str, Any] | None
) -> AnnotationState:
    """Imports one annotation, puts two labels in place of its own, compares."""
    before = (polyline(), detection())
    base = stored(SampleBase((base_annotation(*before, NAMES),), NAMES))
    for old, new in zip(before, (line, box), strict=True):
        if new is not None:
            new["_id"] = old["_id"]
    (state,) = annotation_states(base, [line] if line else [], [box] if box else [])
    return state


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": ["good"]},
        {"coco_id": 77, "annotated_area": 5.0, "supercategory": "insect"},
        {"area_px": 31, "note": "another program's"},
        # The App and Python write numbers in their own ways.
        {"depth": 3.0, "iscrowd": False},
        {"points": [[(0.1, 0.2), (0.5, 0.2), (0.5, 0.7)]]},
        {"pose": None},
    ],
)
def test_what_is_not_an_edit(changes: dict[str, Any]) -> None:
    assert state_after(polyline(**changes), detection()).change is Change.UNCHANGED


@pytest.mark.parametrize(
    "changes",
    [
        {"points": [[[0.1, 0.2], [0.5, 0.2], [0.5, 0.7000001]]]},
        {"points": [[[0.1, 0.2], [0.5, 0.2]], [[0.5, 0.7]]]},
        {"points": []},
        {"closed": False},
        {"filled": False},
        {"rle": {"size": [4, 4], "counts": "52203"}},
        {"depth": 4},
        {"depth": None},
        {"pose": "left"},
        {"iscrowd": 1},
        {"label": "body", "depth": 4},
    ],
)
def test_every_edit_of_a_polyline_is_seen(changes: dict[str, Any]) -> None:
    state = state_after(polyline(**changes), detection())
    assert state.change is Change.EDITED
    assert (state.is_polyline_changed, state.is_detection_changed) == (True, False)


@pytest.mark.parametrize(
    "changes", [{"bounding_box": [0.1, 0.2, 0.4, 0.6]}, {"mask": b"x"}, {"depth": 9}]
)
def test_every_edit_of_a_detection_is_seen(changes: dict[str, Any]) -> None:
    state = state_after(polyline(), detection(**changes))
    assert state.change is Change.EDITED
    assert (state.is_polyline_changed, state.is_detection_changed) == (False, True)


def test_another_class_on_either_label_is_seen() -> None:
    first = state_after(polyline(label="body"), detection())
    second = state_after(polyline(), detection(label="body"))
    unnamed = state_after(polyline(label=None), detection(label=None))
    assert {s.change for s in (first, second, unnamed)} == {Change.RELABELLED}


def test_deleted_labels_are_seen() -> None:
    assert state_after(None, None).change is Change.DELETED
    one = state_after(None, detection())
    assert (one.change, one.is_polyline_changed) == (Change.EDITED, True)


def test_labels_that_the_import_did_not_write_are_added() -> None:
    pair = polyline(), detection()
    base = SampleBase((base_annotation(*pair, ()),))
    added = polyline()
    states = annotation_states(stored(base), [pair[0], added], [pair[1]])
    assert [state.change for state in states] == [Change.UNCHANGED, Change.ADDED]
    assert states[1].polyline is added
    without = annotation_states(None, [pair[0]], [pair[1]])
    assert [state.change for state in without] == [Change.ADDED, Change.ADDED]


@pytest.mark.parametrize("document", [None, {}, {"labels": "abc"}, {"labels": 3}])
def test_a_base_that_is_not_there_or_broken_is_none(document: Any) -> None:
    assert SampleBase.from_document(document, DEFAULT_FIELDS) is None


numbers = st.floats(-0.2, 1.2)
points = st.lists(st.lists(st.tuples(numbers, numbers), max_size=5), max_size=3)
lines = st.builds(
    polyline, points=points, label=st.sampled_from("ab"), depth=st.integers(0, 3)
)
boxes = st.builds(detection, bounding_box=st.lists(numbers, min_size=4, max_size=4))


@given(st.lists(st.tuples(st.none() | lines, st.none() | boxes), max_size=4))
def test_a_stored_base_knows_its_own_labels_again(pairs: Any) -> None:
    pairs = [pair for pair in pairs if any(pair)]
    # The two labels of an annotation have one class and the same attributes.
    for line, box in pairs:
        if line and box:
            box.update(label=line["label"], depth=line["depth"])
    base = SampleBase(
        tuple(base_annotation(line, box, NAMES) for line, box in pairs),
        NAMES,
        "train",
        ("x",),
    )
    assert stored(base) == base
    now = copy.deepcopy(pairs)
    states = annotation_states(
        stored(base), [a for a, _ in now if a], [b for _, b in now if b]
    )
    assert [(state.polyline, state.detection) for state in states] == now
    assert all(state.change is Change.UNCHANGED for state in states)


def test_a_sample_is_whole_only_where_it_was_written_and_told_the_same() -> None:
    then, later = datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 6)
    fields = ("segmentations", "detections")
    pair = polyline(), detection()
    base = SampleBase((base_annotation(*pair, ()),), said=b"nine byte", as_of=then)
    whole = base.to_document()
    assert SampleBase.is_kept_whole(whole, fields, b"nine byte", then)
    assert not SampleBase.is_kept_whole(whole, fields, b"nine byte", later)
    assert not SampleBase.is_kept_whole(whole, fields, b"other one", then)
    assert not SampleBase.is_kept_whole(whole, ("a", "b"), b"nine byte", then)
    # Samples that another program wrote have no time.
    timeless = replace(base, as_of=None).to_document()
    assert not SampleBase.is_kept_whole(timeless, fields, b"nine byte", None)
    assert not SampleBase.is_kept_whole(None, fields, b"nine byte", None)
