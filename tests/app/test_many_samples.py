"""What takes a while: the App says what it does, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import evaluate_mask_area
from fiftyone_cocomask.datasets.cached_sums import MANY_SAMPLES

from .app_page import AppPage

_SIDE = 4


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    """Many samples of one picture, with masks of 1 to 4 pixels."""
    picture = tmp_path_factory.mktemp("many") / "picture.png"
    cv2.imwrite(str(picture), np.zeros((_SIDE, _SIDE, 3), np.uint8))
    size = fo.ImageMetadata(width=_SIDE, height=_SIDE, num_channels=3)
    masks = [np.zeros((_SIDE, _SIDE), np.uint8) for _ in range(4)]
    for number, mask in enumerate(masks, 1):
        mask.flat[:number] = 255
    dataset = fo.Dataset("many", persistent=True)
    dataset.add_samples(
        [
            fo.Sample(
                filepath=str(picture),
                metadata=size,
                mask=fo.Segmentation(mask=masks[index % 4]),
            )
            for index in range(MANY_SAMPLES)
        ]
    )
    evaluate_mask_area(dataset, "mask")
    yield dataset
    dataset.delete()


def test_the_panel_says_what_it_waits_for_where_sums_are_outdated(
    app: AppPage, dataset: fo.Dataset
) -> None:
    sample = dataset.first()
    sample["mask_area_px"] = 16
    sample.save()
    waiting = f"Summing up {MANY_SAMPLES:,} images"
    app.open("many")
    app.wait_for_samples(MANY_SAMPLES)
    app.note_whether_shown(waiting)
    app.panel.open()
    app.panel.expect_text(f"{MANY_SAMPLES * 5 // 2 + 15:,}")
    app.panel.expect_text(f"{MANY_SAMPLES:,} images · click to see samples")
    assert app.was_shown(waiting)


def test_an_evaluation_of_many_samples_says_how_far_it_is(
    app: AppPage, dataset: fo.Dataset
) -> None:
    app.open("many")
    app.wait_for_samples(MANY_SAMPLES)
    form = app.open_form("Evaluate mask coverage")
    form.expect_text("mask_coverage_ratio")
    app.note_whether_shown("Measuring masks: ")
    form.execute()
    form.finish(f"Evaluation mask_coverage of {MANY_SAMPLES:,} images")
    assert app.was_shown("Measuring masks: ")
