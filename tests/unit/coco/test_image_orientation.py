"""EXIF: a mask covers what the App shows, which is the image turned as EXIF says."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    HEIGHT,
    SQUARE,
    WIDTH,
    annotation,
    document,
    encoded,
    image_entry,
    mask_of,
    pixels,
    read,
    read_with_image,
    write_export,
)
from .test_rles import RING_WITH_HOLE, compressed

ORIENTATION = 0x0112


def write_rotated(path: Path, orientation: int) -> None:
    """Writes a JPEG of 100 x 80 stored pixels whose square of SQUARE is white."""
    image = Image.new("L", (WIDTH, HEIGHT))
    image.paste(255, (10, 10, 40, 30))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    image.save(path, exif=exif, quality=95)


def white_pixels(path: Path) -> np.ndarray:
    """The white square as viewers show it, by Pillow's own reading of EXIF."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image)) > 127


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_annotations_of_the_stored_pixels_turn_with_the_image(
    tmp_path: Path, orientation: int
) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: write_rotated(path, orientation)
    )

    assert (found.record.width, found.record.height) == (HEIGHT, WIDTH)
    shown = white_pixels(tmp_path / "a.jpg")
    assert pixels(found.annotation, HEIGHT, WIDTH) == 600
    rows, columns = np.nonzero(shown)
    x, y, width, height = found.annotation.box or (0, 0, 0, 0)
    assert (x, y) == (columns.min(), rows.min())
    assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)
    assert found.annotation.rings[0].min(axis=0).tolist() == [x, y]
    assert found.issue(IssueCode.IMAGE_ROTATED).action is Action.REPAIRED


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_rle_of_the_stored_pixels_turns_with_the_image(
    tmp_path: Path, orientation: int
) -> None:
    parts = document(
        [annotation(segmentation=compressed(RING_WITH_HOLE))],
        images=[image_entry(file_name="a.jpg")],
    )
    write_export(tmp_path, parts, files=())
    write_rotated(tmp_path / "a.jpg", orientation)
    found = read(tmp_path)

    stored = Image.fromarray(RING_WITH_HOLE)
    stored.getexif()[ORIENTATION] = orientation
    expected = np.asarray(ImageOps.exif_transpose(stored))
    assert np.array_equal(mask_of(found.annotation), expected)


@pytest.mark.parametrize("orientation", [6, 8])
def test_annotations_of_the_image_as_shown_stay(
    tmp_path: Path, orientation: int
) -> None:
    found = read_with_image(
        tmp_path,
        "a.jpg",
        lambda path: write_rotated(path, orientation),
        width=HEIGHT,
        height=WIDTH,
    )

    assert (found.record.width, found.record.height) == (HEIGHT, WIDTH)
    assert found.annotation.rings[0].ravel().tolist() == SQUARE
    assert found.issue(IssueCode.IMAGE_ROTATED).action is Action.KEPT


@pytest.mark.parametrize("factor", [1, 2])
def test_annotations_of_a_square_photo_are_of_it_as_shown_in_any_size(
    tmp_path: Path, factor: int
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image = Image.new("L", (factor * WIDTH, factor * WIDTH))
    found = read_with_image(
        tmp_path,
        "a.jpg",
        lambda path: image.save(path, exif=exif),
        width=WIDTH,
        height=WIDTH,
    )

    ring = found.annotation.rings[0].ravel().tolist()
    assert ring == [factor * number for number in SQUARE]


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_orientation_without_trace_in_the_size_is_reported(
    tmp_path: Path, orientation: int
) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: write_rotated(path, orientation)
    )

    assert found.annotation.rings[0].ravel().tolist() == SQUARE
    assert found.issue(IssueCode.IMAGE_ROTATED).action is Action.KEPT


@pytest.mark.parametrize("orientation", [0, 1, 9, 4711])
def test_orientation_that_turns_nothing(tmp_path: Path, orientation: int) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: write_rotated(path, orientation)
    )

    assert (found.record.width, found.record.height) == (WIDTH, HEIGHT)
    assert found.issues(IssueCode.IMAGE_ROTATED) == []


def test_photo_with_a_second_image_in_its_file_turns_as_viewers_turn_it(
    tmp_path: Path,
) -> None:
    # Pillow calls these MPO; browsers show them as the JPEGs that they begin with.
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image = Image.new("RGB", (WIDTH, HEIGHT))

    def write(path: Path) -> None:
        image.save(path, "MPO", save_all=True, append_images=[image], exif=exif)

    found = read_with_image(tmp_path, "a.jpg", write)

    assert (found.record.width, found.record.height) == (HEIGHT, WIDTH)
    assert found.issue(IssueCode.IMAGE_ROTATED).action is Action.REPAIRED


def exif_of(order: str, kind: int, number: int) -> bytes:
    """EXIF data with an orientation of 6 as so many values of a type."""
    byte_order = "<" if order == "II" else ">"
    value = struct.pack(byte_order + {1: "B", 3: "H", 4: "I", 6: "b", 9: "i"}[kind], 6)
    header = order.encode() + struct.pack(byte_order + "HIH", 42, 8, 1)
    entry = struct.pack(byte_order + "HHI", ORIENTATION, kind, number)
    end = struct.pack(byte_order + "I", 0)
    return b"Exif\0\0" + header + entry + value.ljust(4, b"\0") + end


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("kind", [1, 3, 4, 6, 9])
@pytest.mark.parametrize("number", [1, 2])
def test_orientation_of_any_type_is_read_as_pillow_reads_it(
    tmp_path: Path, order: str, kind: int, number: int
) -> None:
    data = encoded("JPEG", exif=exif_of(order, kind, number))
    found = read_with_image(tmp_path, "a.jpg", lambda path: path.write_bytes(data))
    with Image.open(found.record.path) as image, warnings.catch_warnings():
        # Pillow warns of a value too many.
        warnings.simplefilter("ignore")
        shown = ImageOps.exif_transpose(image)
    assert (found.record.width, found.record.height) == shown.size


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0broken", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_exif_turns_nothing(tmp_path: Path, exif: bytes) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: path.write_bytes(encoded("JPEG", exif=exif))
    )

    assert (found.record.width, found.record.height) == (WIDTH, HEIGHT)
    assert found.actions() == set()
