"""What is read of an export, as bytes and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fiftyone_cocomask.coco.check import ExportReader
from fiftyone_cocomask.coco.packing import (
    packed,
    packed_image,
    unpacked,
    unpacked_image,
)
from fiftyone_cocomask.geometry.outlines import Outline


def test_images_come_back_as_they_were(demo_export: Path) -> None:
    with ExportReader(demo_export, wants_fingerprints=True) as reader:
        records = list(reader.images())
    annotations = [one for record in records for one in record.annotations]
    assert any(one.rle for one in annotations)
    assert any(one.issues for one in annotations)
    annotations[0].outline = Outline([np.array([[0.5, 1], [2, 0], [2, 2]])], 0.9)
    annotations[0].attributes |= {"n": 3, "x": 3.0, "deep": {"list": [True, None]}}
    for record in records:
        back = unpacked_image(unpacked(packed(packed_image(record))))
        np.testing.assert_equal(asdict(back), asdict(record))
        # The kinds of values too: 1, 1.0 and True are equal.
        assert repr(asdict(back)) == repr(asdict(record))
        assert all(
            ring.flags.writeable for one in back.annotations for ring in one.rings
        )


@pytest.mark.parametrize("value", [2**70, "half \ud800", object()])
def test_what_bytes_cannot_hold_is_an_error(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        packed(value)
