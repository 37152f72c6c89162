"""Image files: found, safe, whole, and of the size that the annotations count."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from fiftyone_cocomask.coco.issues import Action, IssueCode

from .exports import (
    ABSENT,
    HEIGHT,
    SQUARE,
    SQUARE_BOX,
    WIDTH,
    Reading,
    annotation,
    document,
    image_entry,
    mask_of,
    pixels,
    read,
    write_export,
    write_image,
)
from .test_rles import RING_WITH_HOLE, compressed

ORIENTATION = 0x0112


def read_with_image(
    folder: Path, name: str, write: Callable[[Path], Any], **changes: Any
) -> Reading:
    """Reads an export of one image that a function writes."""
    parts = document([annotation()], images=[image_entry(file_name=name, **changes)])
    write_export(folder, parts, files=())
    write(folder / name)
    return read(folder)


def encoded(kind: str, **options: Any) -> bytes:
    """Returns an image whose data is long enough to be cut."""
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


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
        (b"no image", "it is no image"),
        (b"<!DOCTYPE html><html>404</html>", "it is HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "it is no image"),
        (b"\x89PNG\r\n\x1a\n", "it is no image"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, "it is no image"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "it is cut off"),
        (b"RIFF\x04\x00\x00\x00WAVE", "it is no image"),
        (b"GIF89a", "it is no image"),
    ],
)
def test_file_that_is_no_image_is_not_used(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    found = read_with_image(tmp_path, "a.png", lambda path: path.write_bytes(content))

    assert found.records == []
    issue = found.issue(IssueCode.IMAGE_UNREADABLE)
    assert issue.action is Action.DROPPED
    assert reason in issue.message


def test_folder_and_pipe_are_no_images(tmp_path: Path) -> None:
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


# EXIF: a mask covers what the App shows, which is the image turned as EXIF says.


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


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0broken", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_exif_turns_nothing(tmp_path: Path, exif: bytes) -> None:
    found = read_with_image(
        tmp_path, "a.jpg", lambda path: path.write_bytes(encoded("JPEG", exif=exif))
    )

    assert (found.record.width, found.record.height) == (WIDTH, HEIGHT)
    assert found.actions() == set()


# Entries and names.


@pytest.mark.parametrize(
    "entry",
    [
        None,
        7,
        "a.png",
        [],
        {},
        {"id": 1},
        {"id": 1, "file_name": 7},
        {"id": 1, "file_name": " "},
        {"file_name": "a.png"},
        {"id": None, "file_name": "a.png"},
    ],
    ids=str,
)
def test_entry_that_is_no_image_is_left_out(tmp_path: Path, entry: Any) -> None:
    images = [entry, image_entry(id=2, file_name="b.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts, files=("a.png", "b.png")))

    assert found.record.file_name == "b.png"
    assert found.report.images == 2
    assert found.issue(IssueCode.IMAGE_MALFORMED).action is Action.DROPPED
    assert found.report.dropped == 1


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "/etc/hostname",
        "a/../../secret.png",
        "..\\secret.png",
        "C:\\secret.png",
        "\\\\host\\share\\a.png",
        "a\0.png",
        ".",
        "./",
        "..",
        "/",
    ],
)
def test_name_that_leads_out_of_the_export_is_refused(
    tmp_path: Path, name: str
) -> None:
    write_image(tmp_path / "secret.png")
    parts = document([annotation()], images=[image_entry(file_name=name)])
    found = read(write_export(tmp_path / "export", parts, files=()))

    assert found.records == []
    issue = found.issue(IssueCode.FILE_NAME_UNSAFE)
    assert (issue.file_name, issue.action) == (name, Action.DROPPED)


def test_link_that_leads_out_of_the_export_is_refused(tmp_path: Path) -> None:
    secret = write_image(tmp_path / "secret.png")
    write_image(tmp_path / "elsewhere" / "c.png")
    images = [
        image_entry(),
        image_entry(id=2, file_name="b.png"),
        image_entry(id=3, file_name="folder/c.png"),
    ]
    parts = document([annotation()], images=images)
    folder = write_export(tmp_path / "export", parts, files=("a.png",))
    (folder / "b.png").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path / "elsewhere")
    found = read(folder)

    assert found.record.file_name == "a.png"
    refused = found.issues(IssueCode.FILE_NAME_UNSAFE)
    assert [issue.file_name for issue in refused] == ["b.png", "folder/c.png"]
    assert len(found.issues(IssueCode.LINK_REFUSED)) == 2


def test_links_within_the_export_and_hard_links_are_followed(tmp_path: Path) -> None:
    images = [image_entry(), *(image_entry(id=n, file_name=f"{n}.png") for n in (2, 3))]
    parts = document([annotation()], images=images)
    folder = write_export(tmp_path, parts, files=("a.png",))
    (folder / "2.png").symlink_to("a.png")
    os.link(folder / "a.png", folder / "3.png")
    found = read(folder)

    assert [record.file_name for record in found.records] == ["a.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    "name",
    [
        "sch\u00f6n \u2014 \u86c7 \U0001f98b.png",
        "n" * 250 + ".png",
        "a b%20c'\".png",
        "-rf.png",
    ],
)
def test_unusual_names(tmp_path: Path, name: str) -> None:
    found = read_with_image(tmp_path, name, write_image)

    assert found.record.file_name == name
    assert pixels(found.annotation) == 600


def test_name_longer_than_files_have_is_missing(tmp_path: Path) -> None:
    found = read_with_image(tmp_path, "n" * 5000, lambda path: None)

    assert found.issue(IssueCode.IMAGE_MISSING).action is Action.DROPPED


def test_accents_written_in_two_characters_are_the_same_name(tmp_path: Path) -> None:
    # As macOS writes them into a zip.
    found = read_with_image(
        tmp_path, "caf\u00e9.png", lambda path: write_image(tmp_path / "cafe\u0301.png")
    )

    assert found.record.file_name == "caf\u00e9.png"
    assert found.record.path == tmp_path.resolve() / "cafe\u0301.png"
    assert found.actions() == {(IssueCode.IMAGE_FOUND_ELSEWHERE, Action.REPAIRED)}


def test_names_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    images = [image_entry(), image_entry(id=2, file_name="A.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts, files=("a.png", "A.png")))

    assert [r.path.name for r in found.records] == ["a.png", "A.png"]
    assert found.actions() == {(IssueCode.FILE_NAMES_DIFFER_IN_CASE, Action.KEPT)}


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


def test_file_that_two_names_lead_to_is_reported(tmp_path: Path) -> None:
    images = [image_entry(), image_entry(id=2, file_name="images/a.png")]
    parts = document([annotation(), annotation(id=2, image_id=2)], images=images)
    found = read(write_export(tmp_path, parts))

    assert [len(record.annotations) for record in found.records] == [1, 1]
    issue = found.issue(IssueCode.DUPLICATE_FILE_NAME)
    assert (issue.file_name, issue.action) == ("images/a.png", Action.KEPT)
