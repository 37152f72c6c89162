"""What holds of any input."""

from __future__ import annotations

import json
import math
import os
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import bson
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pycocotools import mask as mask_utils

from fiftyone_cocomask.coco.attributes import (
    RESERVED_NAMES,
    decode_key,
    encode_key,
    original_value,
    plain_value,
    safe_name,
)
from fiftyone_cocomask.coco.counted_issues import COUNTED_CODES
from fiftyone_cocomask.coco.document import normal_id, parse_document
from fiftyone_cocomask.coco.files import UnsafeNameError, checked_name
from fiftyone_cocomask.coco.frames import Frame
from fiftyone_cocomask.coco.issues import Action
from fiftyone_cocomask.coco.report import ExportReport
from fiftyone_cocomask.coco.ring_figures import measure_rings
from fiftyone_cocomask.coco.shapes import read_box, read_shape
from fiftyone_cocomask.errors import ExportError

from .exports import annotation, document, image_entry, read, write_export

numbers = st.one_of(
    st.integers(-(10**30), 10**30), st.floats(), st.sampled_from(["1", "0.6", "nan"])
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.text(max_size=8), inner, max_size=4),
    ),
    max_leaves=20,
)
rings_like = st.lists(st.lists(numbers, max_size=9), max_size=3)
rles_like = st.fixed_dictionaries(
    {"size": st.lists(st.integers(-2, 40), max_size=3), "counts": json_values}
)
coordinates = st.floats(0, 100, width=32)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=12).map(
    lambda points: [number for point in points for number in point]
)


def ignored(*_: Any) -> None:
    """Takes what a function tells."""


@settings(max_examples=150, deadline=None)
@given(
    segmentation=st.one_of(json_values, rings_like, rles_like),
    bbox=st.one_of(json_values, st.lists(numbers, min_size=4, max_size=4)),
    other=st.dictionaries(
        st.sampled_from(["id", "area", "iscrowd", "category_id", "a"]),
        json_values,
        max_size=3,
    ),
)
def test_any_annotation_is_accounted_for(
    segmentation: Any, bbox: Any, other: dict[str, Any]
) -> None:
    entry = {**annotation(segmentation=segmentation, bbox=bbox), **other}
    with tempfile.TemporaryDirectory() as folder:
        # `read` asserts that the report and the records account for all of them.
        found = read(write_export(Path(folder), document([annotation(id=2), entry])))

    assert found.report.annotations == 2
    assert len(found.record.annotations) >= 1
    if found.report.dropped:
        assert any(issue.action is Action.DROPPED for issue in found.report.issues)


@given(st.lists(rings, min_size=1, max_size=3))
def test_good_rings_are_read_exactly(given_rings: list[list[float]]) -> None:
    # Through text, as in a file.
    shape = read_shape(json.loads(json.dumps(given_rings)), ignored)

    assert shape.rings == given_rings
    assert shape.lost == 0


@given(st.one_of(json_values, rings_like))
def test_rings_are_lists_of_points_whatever_is_given(value: Any) -> None:
    shape = read_shape(value, ignored)

    for ring in shape.rings:
        assert len(ring) >= 6
        assert len(ring) % 2 == 0
        assert all(type(number) is float for number in ring)


@given(st.one_of(json_values, st.lists(numbers, min_size=4, max_size=4)))
def test_boxes_are_finite_and_not_empty_whatever_is_given(value: Any) -> None:
    told: list[Any] = []
    box = read_box(value, lambda *finding: told.append(finding))

    if box is None:
        assert told
    else:
        assert all(map(math.isfinite, box))
        assert min(box[2:]) > 0


@given(st.lists(rings, min_size=1, max_size=5))
def test_measures_are_those_of_exact_arithmetic(given_rings: list[list[float]]) -> None:
    figures = measure_rings(given_rings)

    for place, ring in enumerate(given_rings):
        points = [
            (Fraction(x), Fraction(y))
            for x, y in zip(ring[::2], ring[1::2], strict=True)
        ]
        following = points[1:] + points[:1]
        doubled = Fraction(0)
        for (x, y), (next_x, next_y) in zip(points, following, strict=True):
            doubled += x * next_y - next_x * y
        assert figures.areas[place] == pytest.approx(float(abs(doubled) / 2), abs=1e-9)
        assert figures.ring(place).ravel().tolist() == ring
        assert (figures.x0[place], figures.x1[place]) == (
            min(ring[::2]),
            max(ring[::2]),
        )
        assert (figures.y0[place], figures.y1[place]) == (
            min(ring[1::2]),
            max(ring[1::2]),
        )
        length = sum(
            abs(x - next_x) + abs(y - next_y)
            for (x, y), (next_x, next_y) in zip(points, following, strict=True)
        )
        assert figures.length(place) == pytest.approx(float(length))


@given(st.one_of(json_values, st.integers(), st.floats(), st.text("0123456789-.")))
def test_normal_form_of_an_id_is_its_own(value: Any) -> None:
    found = normal_id(value)

    assert normal_id(found) == found
    assert found is None or isinstance(found, (int, str))
    assert not isinstance(found, bool)
    bson.encode({"id": found})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_names_of_attributes_are_such_as_labels_can_have(name: str) -> None:
    safe = safe_name(name)

    assert safe.isidentifier()
    assert not safe.startswith("_")
    assert safe not in RESERVED_NAMES
    assert safe_name(safe) == safe


special_keys = st.one_of(
    st.text(alphabet="%$_.\0245FEclsid", max_size=8),
    st.sampled_from(["_cls", "_id", "$oid", "$merge", "a.b", "", "%5Fcls", "%%", "%"]),
)


@given(json_values)
def test_values_are_such_as_mongodb_takes(value: Any) -> None:
    bson.encode({"value": plain_value(value)}, check_keys=True)


@given(special_keys)
def test_a_key_is_given_back_and_interpreted_by_nothing(key: str) -> None:
    encoded = encode_key(key)
    assert decode_key(encoded) == key
    assert encoded
    assert encoded[0] not in "_$"
    assert not {".", "\0"} & set(encoded)


@given(
    st.recursive(
        st.booleans(),
        lambda v: st.dictionaries(special_keys, v) | st.lists(v),
        max_leaves=9,
    )
)
def test_keys_are_given_back_at_any_depth(value: Any) -> None:
    assert original_value(plain_value(value)) == value


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from(["..", ".", "", "a", "C:", "\\", "\\..", "\0", " "])
        ).map("/".join),
    )
)
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    try:
        safe = checked_name(name)
    except UnsafeNameError:
        return
    root = os.path.abspath("/export/folder")
    joined = os.path.normpath(os.path.join(root, safe))
    assert joined.startswith(root + os.sep)
    # What Windows would make of it.
    assert ".." not in safe.replace("\\", "/").split("/")


@settings(max_examples=50)
@given(
    orientation=st.sampled_from([5, 6, 7, 8]),
    size=st.tuples(st.integers(4, 30), st.integers(4, 30)),
    data=st.data(),
)
def test_points_and_masks_turn_alike(
    orientation: int, size: tuple[int, int], data: Any
) -> None:
    width, height = size
    x0, x1 = sorted(data.draw(st.lists(st.integers(0, width), min_size=2, max_size=2)))
    y0, y1 = sorted(data.draw(st.lists(st.integers(0, height), min_size=2, max_size=2)))
    stored = np.zeros((height, width), np.uint8)
    stored[y0:y1, x0:x1] = 1
    frame = Frame(width, height, height, width, orientation)
    rle: Any = mask_utils.encode(np.asfortranarray(stored))
    turned = mask_utils.decode(frame.rle(rle))

    # Pillow's own reading of the orientation.
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    assert np.array_equal(turned, np.asarray(ImageOps.exif_transpose(image)))
    x, y, box_width, box_height = frame.box((x0, y0, x1 - x0, y1 - y0))
    expected = np.zeros_like(turned)
    expected[int(y) : int(y + box_height), int(x) : int(x + box_width)] = 1
    assert np.array_equal(turned, expected)


@given(
    st.one_of(
        st.binary(),
        st.text().map(str.encode),
        json_values.map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_bytes_are_a_document_or_an_error(data: bytes) -> None:
    try:
        parsed = parse_document(data, "x.json")
    except ExportError:
        return
    # A text that is a document is an object with these lists in any other reading too.
    parts = json.loads(data)
    assert len(parsed.images) == len(parts["images"])
    assert len(parsed.annotations) == len(parts["annotations"])


@settings(max_examples=200)
@given(st.data())
def test_json_cut_or_changed_in_one_place_is_read_or_refused(data: Any) -> None:
    text = json.dumps(document([annotation(note='a\u00e9\\"')])).encode()
    place = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.one_of(st.none(), st.binary(max_size=3)))
    changed = text[:place] + (b"" if put is None else put + text[place + 1 :])
    try:
        parsed = parse_document(changed, "x.json")
    except ExportError:
        return
    assert len(parsed.annotations) <= 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "rest": st.lists(
                    st.tuples(st.floats(0, 70), st.floats(0, 70)), max_size=5
                ),
                "box": st.sampled_from(["own", "own", "whole", "long", "near", "off"]),
                "area": st.one_of(st.integers(0, 5000), st.floats(0, 5000)),
                "category_id": st.sampled_from([1, 1, 1, 2, 2, 2, 2.0, 7]),
                "iscrowd": st.sampled_from([0] * 9 + [1]),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([{}, {}, {}, {"width": 200, "height": 160}]),
)
def test_annotations_are_the_same_beside_one_that_is_unlike_the_others(
    drawn: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    """Those of an image that are all as usual are read together, in another way."""
    usual = []
    for number, values in enumerate(drawn, start=1):
        ring = [5, 5.25, 60.1, 9, 30, 50.5, *sum(values["rest"], ())]
        xs, ys = ring[::2], ring[1::2]
        box: list[Any] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
        if values["box"] == "whole":
            box = list(map(round, box))
        elif values["box"] == "off":
            box[0] += 5
        elif values["box"] == "near":
            box[2] += 1.5
        elif values["box"] == "long":
            box = [number + 1e-12 for number in box]
        facts = {key: values[key] for key in ("area", "category_id", "iscrowd")}
        usual.append(annotation(**facts, id=number, bbox=box, segmentation=[ring]))
    category = drawn[0]["category_id"]
    other = annotation(id=99, segmentation=[], bbox=None, category_id=category)
    size = image_entry(**changes)
    with tempfile.TemporaryDirectory() as folder:
        alone = read(write_export(Path(folder) / "a", document(usual, images=[size])))
        beside = read(
            write_export(Path(folder) / "b", document([*usual, other], images=[size]))
        )
    assert repr(alone.record.annotations) == repr(beside.record.annotations)

    def told(report: ExportReport) -> list[Any]:
        return [
            (issue.code, issue.annotation_id, issue.message.split(" of ")[0])
            for issue in report.issues
            if issue.annotation_id not in (None, 99) or issue.code in COUNTED_CODES
        ]

    assert told(alone.report) == told(beside.report)
