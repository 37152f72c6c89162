"""Image files: found, safe, whole, and of the size that the annotations count."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import features

from fiftyone_cocomask.coco import images
from fiftyone_cocomask.coco.fingerprints import file_fingerprint
from fiftyone_cocomask.coco.issues import Action, IssueCode
from tests.conftest import needs_posix

from .exports import (
    ABSENT,
    HEIGHT,
    SQUARE,
    SQUARE_BOX,
    WIDTH,
    annotation,
    document,
    encoded,
    image_entry,
    pixels,
    read,
    read_with_image,
    write_export,
    write_image,
)

# Kinds of images.


@pytest.mark.parametrize(
    ("name", "mode", "channels", "mime_type"),
    [
        ("a.jpg", "RGB", 3, "image/jpeg"),
        ("a.jpg", "L", 1, "image/jpeg"),
        ("a.jpg", "CMYK", 4, "image/jpeg"),
        ("a.png", "RGB", 3, "image/png"),
        ("a.png", "RGBA", 4, "image/png"),
        ("a.png", "LA", 2, "image/png"),
        ("a.png", "L", 1, "image/png"),
        ("a.png", "P", 1, "image/png"),
        ("a.png", "1", 1, "image/png"),
        ("a.png", "I;16", 1, "image/png"),
        ("a.webp", "RGB", 3, "image/webp"),
        ("a.bmp", "RGB", 3, "image/bmp"),
        ("a.gif", "P", 1, "image/gif"),
        ("a.tif", "RGB", 3, "image/tiff"),
        ("a.JPG", "RGB", 3, "image/jpeg"),
    ],
)
def test_image_of_any_kind_is_read(
    tmp_path: Path, name: str, mode: str, channels: int, mime_type: str
) -> None:
    found = read_with_image(tmp_path, name, lambda path: write_image(path, mode))

    record = found.record
    assert (record.width, record.height) == (WIDTH, HEIGHT)
    assert (record.num_channels, record.mime_type) == (channels, mime_type)
    assert record.size_bytes == os.path.getsize(tmp_path / name)
    assert record.path == tmp_path.resolve() / name
    assert pixels(found.annotation) == 600
    plain = set() if mode == "RGB" else {(IssueCode.IMAGE_NOT_RGB, Action.KEPT)}
    assert found.actions() == plain


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM"]
)
def test_large_file_of_any_kind_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind in ("AVIF", "JPEG2000") and not features.check(
        {"AVIF": "avif", "JPEG2000": "jpg_2000"}[kind]
    ):
        pytest.skip(f"this Pillow has no {kind}")
    # Of files above 4 MB, most kinds are watched while their headers are read.
    monkeypatch.setattr(images, "_MAX_UNWATCHED", 100)
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: path.write_bytes(encoded(kind))
    )

    assert (found.record.width, found.record.height) == (WIDTH, HEIGHT)
    monkeypatch.setattr(images, "_MAX_WHOLE", 100)
    found = read(tmp_path)
    is_whole = kind in ("WEBP", "AVIF")
    assert len(found.issues(IssueCode.IMAGE_TOO_LARGE)) == is_whole
    assert len(found.records) == (not is_whole)


def test_kind_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: path.write_bytes(encoded("PNG"))
    )

    assert (found.record.width, found.record.height) == (WIDTH, HEIGHT)
    assert found.actions() == set()


def test_negative_image_is_kept_without_annotations(tmp_path: Path) -> None:
    found = read(write_export(tmp_path, document([])))

    assert found.record.annotations == []
    assert found.actions() == {(IssueCode.IMAGE_WITHOUT_ANNOTATIONS, Action.KEPT)}


# Files that are none.


def test_missing_image_takes_its_annotations_with_it(tmp_path: Path) -> None:
    entries = [annotation(), annotation(id=2), annotation(id="x")]
    found = read(write_export(tmp_path, document(entries), files=()))

    assert found.records == []
    assert found.report.dropped == 3
    assert found.issue(IssueCode.IMAGE_MISSING).action is Action.DROPPED
    dropped = found.issues(IssueCode.ANNOTATION_OF_DROPPED_IMAGE)
    assert [issue.annotation_id for issue in dropped] == [1, 2, "x"]
    assert {issue.file_name for issue in dropped} == {"a.png"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"no image", "it is not an image"),
        (b"<!DOCTYPE html><html>404</html>", "it is HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "it is not an image"),
        (b"\x89PNG\r\n\x1a\n", "it is not an image"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, "it is not an image"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "it is cut off"),
        (b"RIFF\x04\x00\x00\x00WAVE", "it is not an image"),
        (b"GIF89a", "it is not an image"),
    ],
)
def test_file_that_is_not_an_image_is_not_used(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    found = read_with_image(tmp_path, "a.png", lambda path: path.write_bytes(content))

    assert found.records == []
    issue = found.issue(IssueCode.IMAGE_UNREADABLE)
    assert issue.action is Action.DROPPED
    assert reason in issue.message


def test_folder_and_pipe_are_not_images(tmp_path: Path) -> None:
    images = [image_entry(), image_entry(id=2, file_name="b.png")]
    write_export(tmp_path, document([annotation()], images=images), files=())
    (tmp_path / "a.png").mkdir()
    os.mkfifo(tmp_path / "b.png")
    found = read(tmp_path)

    assert found.records == []
    assert len(found.issues(IssueCode.IMAGE_MISSING)) == 2


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
        + struct.pack(">I", 0)
        + b"IEND"
        + struct.pack(">I", zlib.crc32(b"IEND"))
    )


def test_image_of_absurd_size_is_refused(tmp_path: Path) -> None:
    content = png_header(2_000_000, 2_000_000)
    found = read_with_image(tmp_path, "a.png", lambda path: path.write_bytes(content))

    assert found.records == []
    message = found.issue(IssueCode.IMAGE_TOO_LARGE).message
    assert "2,000,000 x 2,000,000 pixels" in message


def test_absurd_size_of_a_rarer_kind_is_refused(tmp_path: Path) -> None:
    header = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
    found = read_with_image(
        tmp_path, "a.gif", lambda path: path.write_bytes(header + b"," + b"\0" * 20)
    )

    assert found.issue(IssueCode.IMAGE_TOO_LARGE).action is Action.DROPPED


def test_very_large_image_is_read_without_being_decoded(tmp_path: Path) -> None:
    content = png_header(20_000, 20_000)
    found = read_with_image(
        tmp_path,
        "a.png",
        lambda path: path.write_bytes(content),
        width=20_000,
        height=20_000,
    )

    assert (found.record.width, found.record.height) == (20_000, 20_000)
    assert pixels(found.annotation, 20_000, 20_000) == 600


@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", "jpg"), ("PNG", "png")])
def test_truncated_image_is_kept_and_reported(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    content = encoded(kind)
    found = read_with_image(
        tmp_path,
        f"a.{suffix}",
        lambda path: path.write_bytes(content[: len(content) * 2 // 3]),
    )

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.IMAGE_TRUNCATED, Action.KEPT)}
    assert found.record.issues == [IssueCode.IMAGE_TRUNCATED]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_image_with_things_appended_is_whole(tmp_path: Path, kind: str) -> None:
    found = read_with_image(
        tmp_path, "a.img", lambda path: path.write_bytes(encoded(kind) + b"\0" * 10_000)
    )

    assert found.actions() == set()


def tiff(
    bands: int, bits: int, kind: int = 1, *, big_endian: bool = False, big: bool = False
) -> bytes:
    """Returns a TIFF without compression of 100 x 80 pixels, all zeros."""
    order = ">" if big_endian else "<"
    number = "Q" if big else "I"
    data = bytes(WIDTH * HEIGHT * bands * bits // 8)
    head = (b"MM" if big_endian else b"II") + struct.pack(
        order + ("HHHQ" if big else "HI"), *((43, 8, 0, 16) if big else (42, 8))
    )
    tags = [
        (256, 3, 1, WIDTH),
        (257, 3, 1, HEIGHT),
        (258, 3, bands, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 0),
        (277, 3, 1, bands),
        (278, 4, 1, HEIGHT),
        (279, 4, 1, len(data)),
        (339, 3, bands, kind),
    ]
    inline = 8 if big else 4
    size = len(head) + (8 + 20 * len(tags) + 8 if big else 2 + 12 * len(tags) + 4)
    directory = struct.pack(order + ("Q" if big else "H"), len(tags))
    behind = b""
    for tag, type_, count, value in tags:
        code = "H" if type_ == 3 else "I"
        packed = struct.pack(order + code, value) * count
        if tag == 273:
            packed = struct.pack(order + "I", size + 64)
        if len(packed) > inline:
            packed, behind = (
                struct.pack(order + number, size + len(behind)),
                behind + packed,
            )
        directory += struct.pack(order + "HH" + number, tag, type_, count)
        directory += packed.ljust(inline, b"\0")
    directory += struct.pack(order + number, 0)
    return head + directory + behind.ljust(64, b"\0") + data


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize(
    ("bands", "bits", "kind", "said"),
    [
        (5, 8, 1, "5 bands of 8 bit"),
        (5, 16, 1, "5 bands of 16 bit"),
        (4, 32, 3, "4 bands of 32 bit float"),
        (12, 16, 2, "12 bands of 16 bit signed"),
        (1, 64, 3, "1 band of 64 bit float"),
    ],
)
def test_tiff_of_any_bands_is_read(
    tmp_path: Path,
    bands: int,
    bits: int,
    kind: int,
    said: str,
    big: bool,
    big_endian: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = tiff(bands, bits, kind, big=big, big_endian=big_endian)
    found = read_with_image(tmp_path, "a.tif", lambda path: path.write_bytes(content))
    # Without a handler, Python writes what is logged to the terminal.
    assert caplog.records == []

    record = found.record
    assert (record.width, record.height, record.num_channels) == (100, 80, bands)
    assert pixels(found.annotation) == 600
    assert said in found.issue(IssueCode.IMAGE_NOT_RGB).message


@pytest.mark.parametrize(("bands", "bits"), [(1, 16), (1, 8), (3, 8)])
def test_tiff_that_pillow_reads_is_still_read_by_it(
    tmp_path: Path, bands: int, bits: int
) -> None:
    content = tiff(bands, bits)
    found = read_with_image(tmp_path, "a.tif", lambda path: path.write_bytes(content))

    assert (found.record.width, found.record.height) == (100, 80)


@pytest.mark.parametrize("bands", [0, 2**16, 2**63, 2**64 - 1])
def test_tiff_of_bands_that_no_image_has_costs_itself(
    tmp_path: Path, bands: int
) -> None:
    # TIFF's number of bands has 16 bits; one of 64 would end the import.
    content = tiff(5, 8, big=True)
    usual = struct.pack("<HHQH6x", 277, 3, 1, 5)
    assert content.count(usual) == 1
    content = content.replace(usual, struct.pack("<HHQQ", 277, 16, 1, bands))
    found = read_with_image(tmp_path, "a.tif", lambda path: path.write_bytes(content))

    assert found.records == []
    assert "TIFF" in found.issue(IssueCode.IMAGE_UNREADABLE).message


@pytest.mark.parametrize("cut", range(0, 240, 7))
def test_tiff_that_is_cut_off_costs_itself(tmp_path: Path, cut: int) -> None:
    content = tiff(5, 8)[:cut]
    found = read_with_image(tmp_path, "a.tif", lambda path: path.write_bytes(content))

    assert found.report.annotations == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x93NUMPY\x01\0", "a NumPy array, not an image"),
        (b"<?xml version='1.0'?><svg/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image, which cannot be read here"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video, not an image"),
        (b"%PDF-1.7", "a PDF, not an image"),
        (b"II*\0\xff\xff\xff\xff", "a TIFF of a kind"),
    ],
)
def test_file_of_another_kind_is_named(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    found = read_with_image(tmp_path, "a.png", lambda path: path.write_bytes(content))

    assert reason in found.issue(IssueCode.IMAGE_UNREADABLE).message


def test_png_that_cannot_hold_its_pixels_is_cut_off(tmp_path: Path) -> None:
    content = png_header(20_000, 20_000)
    found = read_with_image(
        tmp_path,
        "a.png",
        lambda path: path.write_bytes(content),
        width=20_000,
        height=20_000,
    )

    assert found.issue(IssueCode.IMAGE_TRUNCATED).action is Action.KEPT


@pytest.mark.parametrize("size", [(32_768, 32_768), (2**20, 2**10)])
def test_image_of_more_pixels_than_fit_into_memory_is_refused(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    content = png_header(*size)
    found = read_with_image(tmp_path, "a.png", lambda path: path.write_bytes(content))

    assert found.issue(IssueCode.IMAGE_TOO_LARGE).action is Action.DROPPED


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_file_with_a_hole_of_20_gigabytes_costs_itself(
    tmp_path: Path, kind: str
) -> None:
    def write(path: Path) -> None:
        path.write_bytes(encoded(kind)[:-10])
        os.truncate(path, 20 * 10**9)

    found = read_with_image(tmp_path, "a.img", write)

    if kind != "TIFF":
        message = found.issue(IssueCode.IMAGE_TOO_LARGE).message
        assert "20,000,000,000 bytes" in message


# Sizes.


def test_coordinates_are_scaled_with_the_image(tmp_path: Path) -> None:
    found = read_with_image(
        tmp_path, "a.png", lambda path: write_image(path, size=(3 * WIDTH, 3 * HEIGHT))
    )

    assert (found.record.width, found.record.height) == (300, 240)
    assert found.annotation.rings[0].ravel().tolist() == [3 * n for n in SQUARE]
    assert found.annotation.box == tuple(3 * n for n in SQUARE_BOX)
    assert pixels(found.annotation, 300, 240) == 90 * 60
    assert found.actions() == {(IssueCode.IMAGE_RESIZED, Action.REPAIRED)}


def test_factor_is_the_same_up_to_the_rounding_of_sides(tmp_path: Path) -> None:
    # 100 x 80 at 0.33: 33 x 26.4.
    found = read_with_image(
        tmp_path, "a.png", lambda path: write_image(path, size=(33, 26))
    )

    assert found.issue(IssueCode.IMAGE_RESIZED).action is Action.REPAIRED
    x, y = found.annotation.rings[0][0]
    assert (x, y) == pytest.approx((10 * 33 / 100, 10 * 26 / 80))


@pytest.mark.parametrize("size", [(WIDTH, 2 * HEIGHT), (HEIGHT, WIDTH), (300, 200)])
def test_coordinates_are_kept_where_the_sides_changed_differently(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    found = read_with_image(
        tmp_path, "a.png", lambda path: write_image(path, size=size)
    )

    assert (found.record.width, found.record.height) == size
    assert found.annotation.rings[0].ravel().tolist() == SQUARE
    assert found.actions() == {(IssueCode.IMAGE_SIZE_DIFFERS, Action.KEPT)}


@pytest.mark.parametrize("width", [ABSENT, None, 0, -100, "wide", True, 1e300, []])
def test_without_a_size_in_the_json_the_files_counts(
    tmp_path: Path, width: Any
) -> None:
    found = read_with_image(tmp_path, "a.png", write_image, width=width)

    assert pixels(found.annotation) == 600
    assert found.actions() == {(IssueCode.IMAGE_SIZE_MISSING, Action.KEPT)}


@pytest.mark.parametrize("width", ["100", 100.0])
def test_size_is_read_however_it_is_written(tmp_path: Path, width: Any) -> None:
    found = read_with_image(tmp_path, "a.png", write_image, width=width)

    assert found.actions() == set()


def test_truncated_webp_cannot_be_used(tmp_path: Path) -> None:
    content = encoded("WEBP")[:1000]
    found = read_with_image(tmp_path, "a.webp", lambda path: path.write_bytes(content))

    assert found.records == []
    assert "it is cut off" in found.issue(IssueCode.IMAGE_UNREADABLE).message


def test_end_of_a_thumbnail_is_not_that_of_its_image(tmp_path: Path) -> None:
    # Of the pixels' data there is next to nothing; the end marker is in the EXIF data.
    whole = encoded("JPEG")
    thumbnail = b"\xff\xe1" + (2000).to_bytes(2, "big") + b"\xff\xd9" * 999
    content = whole[:2] + thumbnail + whole[2:]
    start = content.index(b"\xff\xda") + 100
    found = read_with_image(
        tmp_path,
        "a.jpg",
        lambda path: path.write_bytes(content[:start]),
    )

    assert found.actions() == {(IssueCode.IMAGE_TRUNCATED, Action.KEPT)}


@needs_posix
@pytest.mark.parametrize(
    "start",
    [b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\xff\xff\xff\xffWEBP", b"BM", b"II*\0"],
)
def test_twenty_gigabytes_of_nothing_are_not_read(tmp_path: Path, start: bytes) -> None:
    def write(path: Path) -> None:
        with open(path, "wb") as file:
            file.write(start)
            file.truncate(20 * 2**30)

    reading = read_with_image(tmp_path, "a.png", write)
    assert reading.records == []
    assert reading.report.counts()["annotation_of_dropped_image"] == 1
    assert file_fingerprint(tmp_path / "a.png")
