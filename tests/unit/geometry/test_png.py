"""Mask files: lossless, whole, and read alike by other readers."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fiftyone_cocomask.errors import MaskFileError
from fiftyone_cocomask.geometry.png import count_foreground, read_mask, write_mask

shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("masks")


@given(shape=shapes, seed=st.integers(0, 2**32), share=st.floats(0, 1))
def test_binary_masks_come_back_as_0_and_255(
    folder: Path, shape: tuple[int, int], seed: int, share: float
) -> None:
    mask = np.random.default_rng(seed).random(shape) < share
    path = folder / "binary.png"
    write_mask(path, mask * np.uint8(255), binary=True)
    expected = mask * np.uint8(255)
    np.testing.assert_array_equal(read_mask(path), expected)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read, expected)
    with Image.open(path) as image:
        assert image.mode == "1"
        np.testing.assert_array_equal(np.asarray(image), mask)
    assert count_foreground(path) == (int(mask.sum()), mask.size)


@pytest.mark.parametrize(("dtype", "mode"), [(np.uint8, "L"), (np.uint16, "I;16")])
def test_other_masks_keep_every_value(
    folder: Path, dtype: type[np.generic], mode: str
) -> None:
    high = np.iinfo(dtype).max  # type: ignore[type-var]
    mask = np.random.default_rng(1).integers(0, high, (30, 41), dtype)  # type: ignore
    mask[0, :2] = 0, high
    path = folder / "values.png"
    write_mask(path, mask)
    np.testing.assert_array_equal(read_mask(path), mask)
    with Image.open(path) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), mask)
    assert count_foreground(path) == (np.count_nonzero(mask), mask.size)


def test_folders_are_made(tmp_path: Path) -> None:
    write_mask(tmp_path / "a" / "b" / "mask.png", np.ones((2, 2), np.uint8))
    assert os.listdir(tmp_path / "a" / "b") == ["mask.png"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.mkdir()
    with pytest.raises(MaskFileError, match=r"mask\.png cannot be written"):
        write_mask(path, np.ones((2, 2), np.uint8))
    # Nothing of the attempt is left, and what was there is.
    assert os.listdir(tmp_path) == ["mask.png"]
    assert path.is_dir()


def test_unreadable_masks_are_named(tmp_path: Path) -> None:
    with pytest.raises(MaskFileError, match="No such file"):
        read_mask(tmp_path / "missing.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no image")
    for name in ("empty.png", "text.png"):
        with pytest.raises(MaskFileError, match="no image that OpenCV can read"):
            read_mask(tmp_path / name)


def test_masks_with_colours_are_not_counted(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "rgb.png"), np.ones((2, 2, 3), np.uint8))
    assert read_mask(tmp_path / "rgb.png").shape == (2, 2, 3)
    with pytest.raises(MaskFileError, match="has colours"):
        count_foreground(tmp_path / "rgb.png")
