"""Instance masks of Detections: placed where FiftyOne cut them out, pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as mask_utils

from fiftyone_cocomask import compute_masks, evaluate_mask_area, export_cutouts
from fiftyone_cocomask.datasets.labels import mask_objects
from fiftyone_cocomask.geometry.objects import Canvas

from .squares import mask_of


def _drawn(detection: fo.Detection, height: int, width: int) -> np.ndarray:
    document = fo.Detections(detections=[detection]).to_dict()
    (item,) = mask_objects(document, width, height)
    patch = Canvas(height, width, "coco").patch(item.geometry)
    mask = np.zeros((height, width), bool)
    mask[patch.window] = patch.mask
    return mask


@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
)
@settings(max_examples=300)
def test_a_mask_that_from_mask_cut_out_is_drawn_bit_for_bit(
    height: int, width: int, seed: int, size: int
) -> None:
    random = np.random.default_rng(seed)
    mask = np.zeros((height, width), bool)
    y, x = random.integers(0, height), random.integers(0, width)
    part = mask[y : y + size, x : x + size]
    part[:] = random.random(part.shape) < 0.5
    part[0, 0] = True
    detection = fo.Detection.from_mask(mask)
    np.testing.assert_array_equal(_drawn(detection, height, width), mask)


@given(
    st.tuples(st.floats(0, 60), st.floats(0, 50), st.floats(1, 30), st.floats(1, 30)),
    st.sampled_from([1.0, 2.0, 10.0, 1e6]),
)
@settings(max_examples=200)
# A box that the image's edge cuts.
@example((60.0, 0.0, 30.0, 2.0), 1.0)
def test_a_mask_that_fiftyones_importer_cut_out_stays_in_its_place(
    exact: tuple[float, float, float, float], steps: float
) -> None:
    # Boxes of whole and half pixels too: these are where rounding matters.
    x, y, w, h = (round(value * steps) / steps for value in exact)
    height, width = 97, 89
    full = np.zeros((height, width), bool)
    left, top = round(x), round(y)
    full[top : round(y + h), left : round(x + w)] = True
    full[top + 1 :: 2, left + 1 :: 3] = False
    cut = full[round(y) : round(y + h), round(x) : round(x + w)]
    if not cut.size:
        return
    expected = np.zeros_like(full)
    expected[round(y) : round(y + h), round(x) : round(x + w)] = cut
    box = [x / width, y / height, w / width, h / height]
    detection = fo.Detection(bounding_box=box, mask=cut)
    np.testing.assert_array_equal(_drawn(detection, height, width), expected)


def test_a_mask_of_another_size_is_resized_to_its_box() -> None:
    # As Open Images has them: the App stretches them over the box.
    detection = fo.Detection(
        bounding_box=[0.1, 0.2, 0.4, 0.5], mask=np.ones((5, 4), bool)
    )
    mask = _drawn(detection, 100, 100)
    assert np.argwhere(mask).min(axis=0).tolist() == [20, 10]
    assert np.argwhere(mask).max(axis=0).tolist() == [69, 49]


def test_areas_and_cut_outs_are_those_of_the_mask(
    new_dataset: Any, tmp_path: Path
) -> None:
    mask = np.zeros((333, 517), bool)
    mask[101:140, 203:299] = np.random.default_rng(0).random((39, 96)) < 0.5
    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.full((*mask.shape, 3), 90, np.uint8))
    dataset = new_dataset()
    detection = fo.Detection.from_mask(mask, label="a")
    sample = fo.Sample(
        filepath=str(image), objects=fo.Detections(detections=[detection])
    )
    dataset.add_sample(sample)
    compute_masks(dataset, "objects")
    np.testing.assert_array_equal(mask_of(sample) > 0, mask)
    evaluate_mask_area(dataset, label_field="objects", eval_key="area")
    sample.reload()
    assert sample.objects.detections[0]["area_px"] == np.count_nonzero(mask)
    export_cutouts(dataset, "objects", tmp_path / "cut", crop=False)
    (path,) = (tmp_path / "cut").rglob("*.png")
    alpha = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., 3]
    np.testing.assert_array_equal(alpha > 0, mask)


@pytest.mark.parametrize("name", ["0.png", "1.png", "2.png", "3.png"])
def test_masks_that_came_back_wrong(cases: Path, name: str) -> None:
    path = cases / "23-instance-mask-off-by-one" / name
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0
    rle = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    drawn = _drawn(fo.Detection.from_mask(mask), *mask.shape)
    assert int(mask_utils.area(rle)) == np.count_nonzero(drawn)
    np.testing.assert_array_equal(drawn, mask)
