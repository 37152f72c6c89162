"""Documents of which one part stays encoded."""

from __future__ import annotations

import re
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from fiftyone_cocomask.datasets.documents import decode_without

OTHERS: dict[str, Any] = {
    "_id": bson.ObjectId(),
    "text": "\x03labels\x00",
    "labels2": {"labels": {"x": 1}},
    "number": 0.5,
    "small": 1,
    "large": bson.Int64(2**40),
    "is_so": True,
    "nothing": None,
    "bytes": b"\x03labels\x00",
    "list": [1, {"labels": 2}],
}
LABELS = {"polylines": [{"points": [[[0.5, 1.0]]], "label": None}]}
# No part of it can be passed over by its length alone.
PATTERN = {"pattern": re.compile("x")}


@pytest.mark.parametrize("before", [{}, OTHERS, PATTERN])
@pytest.mark.parametrize("after", [{}, {"last": 1, **OTHERS}])
def test_all_but_the_labels_is_decoded(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    encoded = bson.encode({**before, "labels": LABELS, **after})
    others, labels = decode_without(RawBSONDocument(encoded), "labels")
    assert labels is not None
    assert labels.raw == bson.encode(LABELS)
    others.pop("labels", None)
    assert others == bson.decode(bson.encode({**before, **after}))


@pytest.mark.parametrize("document", [OTHERS, {**OTHERS, "labels": None}, {}])
def test_labels_that_are_not_there_are_none(document: dict[str, Any]) -> None:
    encoded = RawBSONDocument(bson.encode(document))
    assert decode_without(encoded, "labels") == (bson.decode(encoded.raw), None)
