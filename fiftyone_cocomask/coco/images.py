"""Image files: what their headers say, and whether their end is there."""

from __future__ import annotations

import mimetypes
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

# A header that claims more pixels is broken or hostile: a mask of it takes a gigabyte.
MAX_PIXELS = 2**30
_ORIENTATION = 0x0112
_TAIL_BYTES = 4096
# Opened directly, these are spared Pillow's limit of 179 million pixels, which is about
# decoding; only headers are read here.
_OPENERS: tuple[tuple[bytes, Callable[[IO[bytes]], Image.Image]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"RIFF", WebPImageFile),
)


class ImageFileError(ValueError):
    """A file that is no readable image; the message says why."""


class ImageTooLargeError(ImageFileError):
    """An image whose header claims more than 2^30 pixels."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image file says of itself.

    Attributes:
        width: the width in pixels, as viewers show it
        height: the height in pixels, as viewers show it
        num_channels: the number of channels
        mode: Pillow's name for the kind of pixels: RGB, L, P, I;16, ...
        orientation: how EXIF has viewers turn the image, 1 (not at all) to 8
        truncated: whether the pixels end before the image does
        size_bytes: the size of the file
    """

    width: int
    height: int
    num_channels: int
    mode: str
    orientation: int
    truncated: bool
    size_bytes: int


def read_header(file: IO[bytes]) -> ImageHeader:
    """Reads the header of an image, and whether its end is there.

    The size is the one that FiftyOne's ``ImageMetadata`` has, and the App shows: where
    the EXIF orientation of a JPEG is 5 to 8, width and height change places.

    Raises:
        ImageFileError: if it is no image
        ImageTooLargeError: if it claims more than 2^30 pixels
    """
    start = file.read(64)
    size_bytes = file.seek(0, 2)
    file.seek(0)
    image = _opened(file, start, size_bytes)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageTooLargeError(f"its header claims {width:,} x {height:,} pixels")
    if width * height == 0:
        raise ImageFileError("its header claims an image without pixels")
    orientation = _orientation(image)
    if orientation >= 5:
        width, height = height, width
    return ImageHeader(
        width,
        height,
        len(image.getbands()),
        image.mode,
        orientation,
        _is_truncated(file, start, size_bytes),
        size_bytes,
    )


def mime_type(name: str) -> str:
    """Returns the type that a file's name says, as FiftyOne's metadata has it."""
    return _mime_type_of_extension(name.rpartition(".")[2])


@lru_cache(maxsize=64)
def _mime_type_of_extension(extension: str) -> str:
    return mimetypes.guess_type(f"_.{extension}")[0] or "application/octet-stream"


def _opened(file: IO[bytes], start: bytes, size_bytes: int) -> Image.Image:
    if size_bytes == 0:
        raise ImageFileError("it is empty")
    if start.startswith(b"version https://git-lfs"):
        raise ImageFileError("it is a Git LFS pointer; run 'git lfs pull'")
    try:
        for magic, opener in _OPENERS:
            if start.startswith(magic):
                return opener(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(file)
    except Exception as error:  # Pillow's plugins raise whatever broken bytes cause
        kind = "no image"
        if start.lstrip().startswith(b"<"):
            kind = "HTML or XML"
        elif start.startswith(b"RIFF") and _is_short_webp(start, size_bytes):
            kind = "cut off"
        raise ImageFileError(f"it is {kind}") from error


def _orientation(image: Image.Image) -> int:
    """Returns how viewers turn an image; only of JPEGs do FiftyOne and they agree."""
    if image.format not in ("JPEG", "MPO"):
        return 1
    if not image.info.keys() & {"exif", "xmp"}:
        return 1
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken EXIF turns no image
        return 1
    return orientation if orientation in range(1, 9) else 1


def _is_truncated(file: IO[bytes], start: bytes, size_bytes: int) -> bool:
    """Whether the data of a JPEG or PNG stops early; a WebP that does cannot be opened.

    The marker of the end is looked for in the last bytes. Where it is missing, which
    may be due to things appended to the file, the pixels are decoded to be sure.
    """
    marker = b"\xff\xd9" if start.startswith(b"\xff\xd8") else b"IEND"
    if not start.startswith((b"\xff\xd8", b"\x89PNG")):
        return False
    file.seek(max(size_bytes - _TAIL_BYTES, 0))
    if marker in file.read():
        return False
    return not _can_be_decoded(file)


def _is_short_webp(start: bytes, size_bytes: int) -> bool:
    return size_bytes < int.from_bytes(start[4:8], "little") + 8


def _can_be_decoded(file: IO[bytes]) -> bool:
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as image:
                # A JPEG is decoded at an eighth of its size: that reads all of it.
                image.draft(None, (1, 1))
                image.load()
    except Exception:  # whatever it is, the pixels cannot be decoded
        return False
    return True
