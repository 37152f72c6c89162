"""The pictures of one sample looked at closely, pixel by pixel."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from fiftyone_cocomask import compute_masks
from fiftyone_cocomask.datasets.inspection.pictures import MAX_SIDE

from ..evaluations.conftest import HEIGHT, WIDTH, Samples, mask_of_boxes, polyline
from .looking import inspect, pixels


def test_pictures_show_the_image_the_mask_and_what_is_under_it(
    samples: Samples,
) -> None:
    sample = samples.add("a.png", mask=mask_of_boxes((10, 5, 30, 25)))
    found = inspect(samples, sample)
    pictures = found.pictures
    assert (pictures.width, pictures.height) == (WIDTH, HEIGHT)
    mask = pixels(pictures.mask)
    assert np.array_equal(mask, mask_of_boxes((10, 5, 30, 25)))
    cutout = pixels(pictures.cutout)
    assert np.array_equal(cutout[..., 3], mask)
    image, overlay = pixels(pictures.image), pixels(pictures.overlay)
    change = np.abs(image.astype(int) - overlay).max(axis=2)
    assert change[mask > 0].min() > 30
    # A picture so small is shown with its pixels: none beside the mask is changed.
    assert change[mask == 0].max() == 0
    assert np.array_equal(cutout[mask > 0][:, :3], image[mask > 0])


@pytest.mark.parametrize(
    "size", [(5003, 2007), (700, 7001), (1281, 640), (7001, 3), (1, 3000)]
)
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_large_images_become_pictures_that_still_show_a_single_pixel(
    samples: Samples, size: tuple[int, int], extension: str
) -> None:
    width, height = size
    sample = fo.Sample(filepath=samples.image(f"a.{extension}", size))
    mask = np.zeros((height, width), np.uint8)
    mask[height - 1, width - 1] = 255
    sample["mask"] = fo.Segmentation(mask_path=samples.mask_file("a.png", mask))
    samples.dataset.add_sample(sample)
    found = inspect(samples, sample)
    assert found.size == size
    assert found.foreground_px == 1
    drawn = pixels(found.pictures.mask)
    assert max(drawn.shape) <= MAX_SIDE
    assert np.argwhere(drawn).tolist() == [[drawn.shape[0] - 1, drawn.shape[1] - 1]]
    image = pixels(found.pictures.image)
    assert image.shape[:2] == drawn.shape
    assert np.abs(image.astype(int) - 90).max() <= 2


def test_a_mask_of_another_size_is_stretched_and_that_is_said(samples: Samples) -> None:
    sample = samples.add("a.png", mask=np.full((15, 20), 255, np.uint8))
    found = inspect(samples, sample)
    assert found.coverage == 1.0
    assert pixels(found.pictures.mask).shape == (HEIGHT, WIDTH)
    assert "20 x 15 pixels, the image 40 x 30" in found.notes[0]


def test_a_mask_in_the_database_is_shown_as_one_on_disk(samples: Samples) -> None:
    sample = samples.add("a.png", lines=[polyline((0, 0, 10, 10), "wing")])
    compute_masks(samples.dataset)
    compute_masks(samples.dataset, mask_field="stored", storage="database")
    disk = inspect(samples, sample, mask_field="mask")
    stored = inspect(samples, sample, mask_field="stored")
    assert stored.pictures == disk.pictures
    assert stored.foreground_px == disk.foreground_px == 100
