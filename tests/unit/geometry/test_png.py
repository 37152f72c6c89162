"""Mask files: lossless, whole, and read alike by other readers."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fiftyone_cocomask.errors import MaskFileError
from fiftyone_cocomask.geometry.png import (
    count_foreground,
    mask_strips,
    read_mask,
    write_mask,
)
from tests.conftest import needs_posix

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
    mask = np.random.default_rng(1).integers(0, high, (30, 41), dtype)
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
        with pytest.raises(MaskFileError, match="not an image that OpenCV can read"):
            read_mask(tmp_path / name)


def test_masks_with_colours_are_not_counted(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "rgb.png"), np.ones((2, 2, 3), np.uint8))
    assert read_mask(tmp_path / "rgb.png").shape == (2, 2, 3)
    with pytest.raises(MaskFileError, match="has colours"):
        count_foreground(tmp_path / "rgb.png")


def one_bit_png(
    width: int, height: int, rows: bytes, *, interlaced: bool = False
) -> bytes:
    """Returns a PNG of 1 bit a pixel from its rows with their filters, by the book."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, interlaced)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


@pytest.mark.parametrize(
    ("rows", "foreground"),
    [
        # Rows of 3 pixels; the 5 bits behind them are not pixels, whatever they say.
        (bytes([0, 0b10100000, 0, 0b01000000]), 3),
        (bytes([0, 0b10111111, 0, 0b01011111]), 3),
        # Filter 2: the second row is the difference to the first.
        (bytes([0, 0b10100000, 2, 0b00000000]), 4),
    ],
)
def test_one_bit_files_of_others_are_counted(
    tmp_path: Path, rows: bytes, foreground: int
) -> None:
    path = tmp_path / "foreign.png"
    path.write_bytes(one_bit_png(3, 2, rows))
    with Image.open(path) as image:
        assert np.count_nonzero(np.asarray(image)) == foreground
    assert count_foreground(path) == (foreground, 6)


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (3, 2**30)])
def test_a_header_that_promises_terabytes_is_refused(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "liar.png"
    path.write_bytes(one_bit_png(*size, bytes(1000)))
    with pytest.raises(MaskFileError, match=r"liar\.png has .* at most 1,073"):
        count_foreground(path)


def test_a_mask_cut_off_anywhere_is_never_counted_as_whole(tmp_path: Path) -> None:
    mask = (np.random.default_rng(2).random((9, 30)) < 0.5).astype(np.uint8)
    write_mask(tmp_path / "mask.png", mask, binary=True)
    data = (tmp_path / "mask.png").read_bytes()
    path = tmp_path / "cut.png"
    # The last chunk, of 12 bytes, holds no pixels; without it the mask may be read.
    for length in range(len(data) - 12):
        path.write_bytes(data[:length])
        with pytest.raises(MaskFileError):
            count_foreground(path)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((2, 2, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((2, 2), np.float64),
        np.zeros((2, 2), np.int64),
    ],
)
def test_an_array_that_is_not_a_mask_is_refused(
    tmp_path: Path, mask: np.ndarray
) -> None:
    with pytest.raises(MaskFileError, match="must be uint8 or uint16"):
        write_mask(tmp_path / "mask.png", mask)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64])
def test_binary_masks_may_be_of_any_type(tmp_path: Path, dtype: type) -> None:
    mask: np.ndarray = np.array([[0, 1, 0], [1, 1, 0]], dtype)
    if dtype is not bool:
        mask *= 2
    write_mask(tmp_path / "mask.png", mask, binary=True)
    assert read_mask(tmp_path / "mask.png").tolist() == [[0, 255, 0], [255, 255, 0]]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MaskFileError, match=r"file/mask\.png cannot be written: Not a"):
        write_mask(tmp_path / "file" / "mask.png", np.ones((2, 2), np.uint8))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with pytest.raises(MaskFileError, match="Permission denied"):
        write_mask(folder / "mask.png", np.ones((2, 2), np.uint8))


_WRITER = """
import sys
import numpy as np
from fiftyone_cocomask.geometry.png import write_mask

masks = [np.full((2000, 2000), value, np.uint8) for value in (0, 1)]
print("ready", flush=True)
while True:
    for mask in masks:
        write_mask(sys.argv[1], mask, binary=True)
"""


@needs_posix
def test_a_killed_writer_leaves_a_whole_mask(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            # In the midst of it: the file is written again and again meanwhile.
            first = None
            while first is None or path.stat().st_mtime_ns == first:
                if path.exists() and first is None:
                    first = path.stat().st_mtime_ns
            writer.send_signal(signal.SIGKILL)
        assert count_foreground(path) in [(0, 4_000_000), (4_000_000, 4_000_000)]


@given(shape=shapes, rows=st.integers(1, 50), binary=st.booleans())
def test_strips_together_are_the_mask(
    folder: Path, shape: tuple[int, int], rows: int, binary: bool
) -> None:
    mask = np.random.default_rng(0).integers(0, 2, shape).astype(np.uint8) * 255
    path = folder / "strips.png"
    write_mask(path, mask, binary=binary)
    strips = list(mask_strips(path, rows))
    assert all(len(strip) == rows for strip in strips[:-1])
    np.testing.assert_array_equal(np.vstack(strips), mask)
