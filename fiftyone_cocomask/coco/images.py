"""Image files: what their headers say, and whether their end is there."""

from __future__ import annotations

import io
import mimetypes
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import IO, Any, Literal

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from .tiff import TiffHeader, is_tiff, read_tiff_header

# A header that claims more pixels is broken or hostile: what looks at a mask of it
# would take gigabytes.
MAX_PIXELS = 2**29
# A JPEG or PNG that does not end as it should is searched up to this size.
_MAX_SEARCHED = 2**30
# Pillow reads a broken header byte by byte, to the end of the file if need be. Of files
# above this size, it is given so many bytes in so many pieces.
_MAX_UNWATCHED = 2**22
_MAX_HEADER = 2**26
_MAX_READS = 2**18
# Pillow reads all of some kinds of files: WebP, and those of AVIF and HEIF.
_MAX_WHOLE = 2**28
_WHOLE_BRANDS = frozenset({b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix"})
# Deflate packs at most 1,032 to 1.
_MAX_PACKED = 1032
# Pillow reads no TIFF of more bands, and logs an error of each.
_MOST_BANDS = 6
_PIECE = 2**20
_ORIENTATION = 0x0112
# The types of whole numbers in EXIF that Pillow accepts, with their sizes in bytes.
# Read without its sign, a negative number is not an orientation either.
_WHOLE_NUMBERS = {3: 2, 4: 4, 6: 1, 8: 2, 9: 4}
# The last chunk of a PNG, from its type on: no data, and its checksum.
_PNG_END = b"IEND\xae\x42\x60\x82"
# Warning filters are process-wide: threads would undo each other's changes.
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


_CANNOT_BE_READ = "which cannot be read here; convert it to PNG or JPEG"
# What files that Pillow cannot open are, by what is at which place in them.
_OTHER_KINDS: tuple[tuple[bytes, int, str], ...] = (
    (b"\x93NUMPY", 0, "a NumPy array, not an image"),
    (b"\x89HDF", 0, "an HDF5 file, not an image"),
    (b"PK\x03\x04", 0, "a zip, not an image"),
    (b"\x1f\x8b", 0, "a gzip file, not an image"),
    (b"%PDF", 0, "a PDF, not an image"),
    (b"ftypheic", 4, f"a HEIC image, {_CANNOT_BE_READ}"),
    (b"ftypheix", 4, f"a HEIC image, {_CANNOT_BE_READ}"),
    (b"ftypmif1", 4, f"a HEIF image, {_CANNOT_BE_READ}"),
    (b"ftypavif", 4, f"an AVIF image, {_CANNOT_BE_READ}"),
    (b"ftyp", 4, "a video, not an image"),
    (b"\x1aE\xdf\xa3", 0, "a video, not an image"),
    (b"\0\0\0\x0cJXL ", 0, f"a JPEG XL image, {_CANNOT_BE_READ}"),
    (b"\xff\x0a", 0, f"a JPEG XL image, {_CANNOT_BE_READ}"),
    (b"\0\0\0\x0cjP  ", 0, f"a JPEG 2000 image, {_CANNOT_BE_READ}"),
    (b"v/1\x01", 0, f"an OpenEXR image, {_CANNOT_BE_READ}"),
    (b"\x80\x02", 0, "a Python pickle, not an image"),
    (b"\x80\x04", 0, "a Python pickle, not an image"),
    (b"II*\0", 0, f"a TIFF of a kind {_CANNOT_BE_READ.removeprefix('which ')}"),
    (b"MM\0*", 0, f"a TIFF of a kind {_CANNOT_BE_READ.removeprefix('which ')}"),
    (b"II+\0", 0, f"a TIFF of a kind {_CANNOT_BE_READ.removeprefix('which ')}"),
    (b"MM\0+", 0, f"a TIFF of a kind {_CANNOT_BE_READ.removeprefix('which ')}"),
)


class ImageFileError(ValueError):
    """A file that is not a readable image; the message says why."""


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


class _Watched(io.RawIOBase):
    """A file of which no more is read than a header can have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._bytes_left = _MAX_HEADER
        self._reads_left = _MAX_READS

    def read(self, size: int = -1) -> bytes:
        self._reads_left -= 1
        if size < 0 or size > self._bytes_left or not self._reads_left:
            raise OSError("its header has no end")
        self._bytes_left -= size
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def read_header(file: IO[bytes]) -> ImageHeader:
    """Reads the header of an image, and whether its end is there.

    The size is the one that FiftyOne's ``ImageMetadata`` has, and the App shows: where
    the EXIF orientation of a JPEG is 5 to 8, width and height change places.

    Raises:
        ImageFileError: if it is not an image
        ImageTooLargeError: if it claims more than 2^29 pixels
    """
    start = file.read(64)
    size_bytes = file.seek(0, 2)
    file.seek(0)
    tiff = read_tiff_header(file) if is_tiff(start) else None
    if tiff is not None and tiff.num_bands > _MOST_BANDS:
        return _of_tiff(tiff, size_bytes)
    try:
        image = _opened(file, start, size_bytes)
    except ImageFileError:
        if tiff is None:
            raise
        return _of_tiff(tiff, size_bytes)
    width, height = image.size
    _check_size(width, height)
    orientation = _orientation(image)
    if orientation >= 5:
        width, height = height, width
    return ImageHeader(
        width,
        height,
        len(image.getbands()),
        image.mode,
        orientation,
        _is_too_short(image, size_bytes) or _is_truncated(file, start, size_bytes),
        size_bytes,
    )


def _of_tiff(tiff: TiffHeader, size_bytes: int) -> ImageHeader:
    """Returns the header of a TIFF that Pillow cannot read."""
    _check_size(tiff.width, tiff.height)
    return ImageHeader(
        tiff.width, tiff.height, tiff.num_bands, tiff.mode, 1, False, size_bytes
    )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageTooLargeError(f"its header claims {width:,} x {height:,} pixels")
    if width * height == 0:
        raise ImageFileError("its header claims an image without pixels")


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
    is_whole = start.startswith(b"RIFF") or (
        start[4:8] == b"ftyp" and start[8:12] in _WHOLE_BRANDS
    )
    if is_whole and size_bytes > _MAX_WHOLE:
        raise ImageTooLargeError(f"it has {size_bytes:,} bytes")
    source: Any = file
    if size_bytes > _MAX_UNWATCHED and not is_whole:
        source = _Watched(file)
    try:
        for magic, opener in _OPENERS:
            if start.startswith(magic):
                return opener(source)
        with _warnings_lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Image.open(source)
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError("its header claims too many pixels") from error
    except Exception as error:  # Pillow's plugins raise whatever broken bytes cause
        raise ImageFileError(f"it is {_kind(start, size_bytes)}") from error


def _kind(start: bytes, size_bytes: int) -> str:
    """Returns what a file is that cannot be opened as an image."""
    if b"<svg" in start:
        return "an SVG drawing, which has no pixels"
    if start.lstrip().startswith(b"<"):
        return "HTML or XML"
    if start.startswith(b"RIFF") and _is_short_webp(start, size_bytes):
        return "cut off"
    for magic, offset, kind in _OTHER_KINDS:
        if start[offset:].startswith(magic):
            return kind
    return "not an image"


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
            kind = int.from_bytes(tiff[place + 2 : place + 4], order)
            number = int.from_bytes(tiff[place + 4 : place + 8], order)
            size = _WHOLE_NUMBERS.get(kind, 0)
            # The value is at the front of four bytes. One that does not fit there is
            # stored elsewhere, and is not an orientation.
            is_there = 0 < number * size <= 4
            value = tiff[place + 8 : place + 8 + size]
            return int.from_bytes(value, order) if is_there else 1
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
    if size_bytes > _MAX_SEARCHED:
        raise ImageTooLargeError(
            f"it has {size_bytes:,} bytes and does not end as an image of its kind"
        )
    return not has_end(file)


def _jpeg_has_end(file: IO[bytes]) -> bool:
    """Whether the end marker follows the pixels; thumbnails before them have their own.

    Within the pixels' data, 0xFF is never followed by 0xD9 (ITU T.81, B.1.1.5).
    """
    place = 2
    while True:
        file.seek(place)
        segment = file.read(4)
        if len(segment) < 4 or segment[0] != 0xFF:
            return False
        if segment[1] == 0xDA:
            return _holds(file, b"\xff\xd9")
        place += 2 + int.from_bytes(segment[2:], "big")


def _holds(file: IO[bytes], wanted: bytes) -> bool:
    """Whether the rest of a file holds some bytes; it is read in pieces."""
    last = b""
    while piece := file.read(_PIECE):
        if wanted in last + piece:
            return True
        last = piece[1 - len(wanted) :]
    return False


def _png_has_end(file: IO[bytes]) -> bool:
    """Whether the chunks of a PNG reach its last one."""
    place = 8
    while True:
        file.seek(place)
        chunk = file.read(8)
        if len(chunk) < 8:
            return False
        if chunk[4:] == b"IEND":
            return True
        place += 12 + int.from_bytes(chunk[:4], "big")


def _is_too_short(image: Image.Image, size_bytes: int) -> bool:
    """Whether a PNG is shorter than its pixels can be packed."""
    if image.format != "PNG":
        return False
    bits = 1 if image.mode in ("1", "L", "P") else 8 * len(image.getbands())
    return image.width * image.height * bits // 8 > _MAX_PACKED * size_bytes


def _is_short_webp(start: bytes, size_bytes: int) -> bool:
    return size_bytes < int.from_bytes(start[4:8], "little") + 8
