"""Image files: what their headers say, and whether their end is there."""

from __future__ import annotations

import mimetypes
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import IO, Literal

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

# A header that claims more pixels is broken or hostile: a mask of it takes a gigabyte.
MAX_PIXELS = 2**30
_ORIENTATION = 0x0112
# The last chunk of a PNG, from its type on: no data, and its checksum.
_PNG_END = b"IEND\xae\x42\x60\x82"
# What a thread does to the filters of warnings, another one would undo in its way.
_warnings_lock = Lock()


class _JpegHeader(JpegImageFile):
    """A JPEG of which only the header is read."""

    def _read_dpi_from_exif(self) -> None:
        """Leaves out what Pillow warns of where EXIF is broken: nobody asks for it."""


# Opened directly, these are spared Pillow's limit of 179 million pixels, which is about
# decoding; only headers are read here.
_OPENERS: tuple[tuple[bytes, Callable[[IO[bytes]], Image.Image]], ...] = (
    (b"\xff\xd8\xff", _JpegHeader),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"RIFF", WebPImageFile),
)


class ImageFileError(ValueError):
    """A file that is no readable image; the message says why."""


class ImageTooLargeError(ImageFileError):
    """An image whose header claims more pixels than images have."""


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
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(file)
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError("its header claims too many pixels") from error
    except Exception as error:  # Pillow's plugins raise whatever broken bytes cause
        kind = "no image"
        if start.lstrip().startswith(b"<"):
            kind = "HTML or XML"
        elif start.startswith(b"RIFF") and _is_short_webp(start, size_bytes):
            kind = "cut off"
        raise ImageFileError(f"it is {kind}") from error


def _orientation(image: Image.Image) -> int:
    """Returns how viewers turn an image, 1 to 8; only of JPEGs do all of them agree."""
    exif = image.info.get("exif")
    if image.format != "JPEG" or not isinstance(exif, bytes):
        return 1
    orientation = _exif_orientation(exif.removeprefix(b"Exif\0\0"))
    return orientation if 1 <= orientation <= 8 else 1


def _exif_orientation(tiff: bytes) -> int:
    """Returns the orientation in the first directory of EXIF data, 1 if it has none."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    start = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[start : start + 2], order)
    end = min(start + 2 + 12 * count, len(tiff))
    for place in range(start + 2, end, 12):
        if int.from_bytes(tiff[place : place + 2], order) == _ORIENTATION:
            # A SHORT (type 3), at the front of the four bytes for its value.
            return int.from_bytes(tiff[place + 8 : place + 10], order)
    return 1


def _is_truncated(file: IO[bytes], start: bytes, size_bytes: int) -> bool:
    """Whether the data of a JPEG or PNG stops early; a WebP that does cannot be opened.

    Nearly all files end with the marker of their end. Where it is not there, which may
    be due to things appended to the file, all of the file is read.
    """
    if start.startswith(b"\xff\xd8"):
        end, has_end = b"\xff\xd9", _jpeg_has_end
    elif start.startswith(b"\x89PNG"):
        end, has_end = _PNG_END, _png_has_end
    else:
        return False
    file.seek(max(size_bytes - len(end), 0))
    if file.read() == end:
        return False
    file.seek(0)
    return not has_end(file.read())


def _jpeg_has_end(data: bytes) -> bool:
    """Whether the end marker follows the pixels; thumbnails before them have their own.

    Within the pixels' data, 0xFF is never followed by 0xD9 (ITU T.81, B.1.1.5).
    """
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place + 1] == 0xDA:
            return data.find(b"\xff\xd9", place) >= 0
        place += 2 + length
    return False


def _png_has_end(data: bytes) -> bool:
    """Whether the chunks of a PNG reach its last one."""
    place = 8
    while place + 8 <= len(data):
        if data[place + 4 : place + 8] == b"IEND":
            return True
        place += 12 + int.from_bytes(data[place : place + 4], "big")
    return False


def _is_short_webp(start: bytes, size_bytes: int) -> bool:
    return size_bytes < int.from_bytes(start[4:8], "little") + 8
