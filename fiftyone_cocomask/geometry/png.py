"""Mask files: lossless grayscale PNG, written whole or not at all."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from ..errors import MaskFileError
from ..limits import MAX_PIXELS
from ..unfinished import GroupedWrites, remove_unfinished, whole_file

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = ">IIBBBBB"
# Bits a pixel, grayscale, deflate, filtered row by row, not interlaced.
_BITS = (1, 0, 0, 0, 0)
# The signature, the header's chunk of 25 bytes, the length and the name of the next.
_DATA_START = 8 + 25 + 8
_MAX_BYTES = 2**31
# So many pixels are unpacked at a time to be counted.
_STRIP_PIXELS = 2**24
_END = b"\0\0\0\0IEND\xaeB`\x82"


def write_mask(path: str | Path, mask: np.ndarray, *, binary: bool = False) -> None:
    """Writes a mask as a grayscale PNG, under a temporary name at first.

    Args:
        path: the file; its folder is made if need be
        mask: an array of shape (height, width), uint8 or uint16
        binary: whether the mask is foreground and background only; it is written
            with 1 bit a pixel then, which readers give back as 0 and 255

    Raises:
        MaskFileError: if the file cannot be written, an older one is as it was then;
            or if the array is not a mask
    """
    write_whole(path, mask_png(path, mask, binary=binary))


def mask_png(path: str | Path, mask: np.ndarray, *, binary: bool = False) -> bytes:
    """Returns a mask as a PNG; arguments and errors are those of :func:`write_mask`."""
    if mask.ndim != 2 or not (binary or mask.dtype in (np.uint8, np.uint16)):
        raise MaskFileError(
            f"The mask for {path} is an array of {mask.dtype} of shape {mask.shape}; "
            "it must be uint8 or uint16 of shape (height, width)"
        )
    return encode_mask(mask) if binary else _encoded(mask)


# The folders from which what kills left has been removed since the last run began.
_CLEANED: set[str] = set()


def begin_writing() -> None:
    """Has what kills left removed, at the next write, from all folders once more."""
    _CLEANED.clear()


def write_whole(path: str | Path, data: bytes) -> None:
    """Writes a file so that it is there with all its bytes or not at all.

    Raises:
        MaskFileError: if it cannot be written
    """
    _clean_folder_of(path)
    try:
        try:
            _write(path, data)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            _write(path, data)
    except OSError as error:
        raise _unwritable(path, error) from error


def write_with_others(
    writes: GroupedWrites,
    path: str | Path,
    data: bytes,
    done: Callable[[MaskFileError | None], None],
) -> None:
    """Has a file written as :func:`write_whole` does, in a group.

    Args:
        writes: the group
        path: the file
        data: its content
        done: called afterwards, with what kept it from being written
    """

    def tell(error: Exception | None) -> None:
        if isinstance(error, OSError):
            unwritable = _unwritable(path, error)
            unwritable.__cause__ = error
            done(unwritable)
        elif error is not None:
            raise error
        else:
            done(None)

    _clean_folder_of(path)
    writes.add(path, lambda file: file.write(data), tell)


def _clean_folder_of(path: str | Path) -> None:
    folder = os.path.dirname(path) or "."
    if folder not in _CLEANED:
        _CLEANED.add(folder)
        remove_unfinished(folder, below=False)


def _unwritable(path: str | Path, error: OSError) -> MaskFileError:
    reason = error.strerror or error
    return MaskFileError(f"The file {path} cannot be written: {reason}")


def read_mask(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Reads a mask file.

    Args:
        path: the file
        max_pixels: the largest number of pixels to accept

    Returns:
        an array of shape (height, width), uint8 or uint16, or (height, width, 3) if
        the file has colours. A file of 1 bit a pixel gives 0 and 255

    Raises:
        MaskFileError: if the file is missing, not an image or too large
    """
    return _decoded(_read(path), path, max_pixels)


def mask_strips(path: str | Path, rows: int) -> Iterator[np.ndarray]:
    """Yields a mask file's rows from the top, so many at a time.

    Of a 1-bit file as written here no more than that is unpacked at once: an eighth of
    a byte a pixel is kept of the rest.

    Args:
        path: the file
        rows: how many rows to yield together; the last ones may be fewer

    Raises:
        MaskFileError: as :func:`read_mask` does
    """
    data = _read(path)
    packed = _packed_rows(data)
    if packed is None:
        mask = _decoded(data, path)
        for row in range(0, len(mask), rows):
            yield mask[row : row + rows]
        return
    bits, width = packed
    for row in range(0, len(bits), rows):
        yield np.unpackbits(bits[row : row + rows], axis=1, count=width) * np.uint8(255)


def count_foreground(
    path: str | Path, *, max_pixels: int = MAX_PIXELS
) -> tuple[int, int]:
    """Counts the foreground pixels of a mask file: those that are not 0.

    A 1-bit file as written here is read in half the time of :func:`read_mask`.

    Args:
        path: the file
        max_pixels: the largest number of pixels to accept

    Returns:
        the number of foreground pixels and the number of all pixels

    Raises:
        MaskFileError: if the file is missing, not an image, too large, or has colours
    """
    data = _read(path)
    packed = _packed_rows(data, max_pixels)
    if packed is not None:
        rows, width = packed
        step = max(_STRIP_PIXELS // width, 1)
        strips = (rows[row : row + step] for row in range(0, len(rows), step))
        bits = (np.unpackbits(strip, axis=1, count=width) for strip in strips)
        return sum(int(np.count_nonzero(part)) for part in bits), len(rows) * width
    mask = _decoded(data, path, max_pixels)
    if mask.ndim != 2:
        raise MaskFileError(f"The mask {path} has colours; it must be grayscale")
    return int(np.count_nonzero(mask)), mask.size


def png_size(path: str | Path) -> tuple[int, int] | None:
    """Returns the width and height that a PNG file says it has; None of other files.

    Raises:
        OSError: if it cannot be read
    """
    with open(path, "rb", buffering=0) as file:
        header = file.read(24)
    if not header.startswith(_SIGNATURE) or len(header) < 24:
        return None
    width, height = struct.unpack_from(">II", header, 16)
    return width, height


def is_picture(path: str | Path) -> bool:
    """Whether a file is an image, but not a grayscale PNG as masks are."""
    with open(path, "rb") as file:
        header = file.read(26)
    if header[:8] == _SIGNATURE:
        # The colour type is the last byte of these; 0 is grayscale.
        return header[25:] not in (b"", b"\0")
    return bool(header) and cv2.haveImageReader(str(path))


def encode_mask(mask: np.ndarray) -> bytes:
    """Returns a binary mask as a PNG of 1 bit a pixel.

    Args:
        mask: an array of shape (height, width), 0 where there is background
    """
    height, width = mask.shape
    packed = np.packbits(mask if mask.itemsize == 1 else mask != 0, axis=1)
    # Every row begins with the number of its filter; 0 is none.
    rows = np.zeros((height, packed.shape[1] + 1), np.uint8)
    rows[:, 1:] = packed
    header = struct.pack(_HEADER, width, height, *_BITS)
    # Masks are runs of equal bytes: looking for nothing else is faster, and finds more.
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    data = compressor.compress(rows.data) + compressor.flush()
    return b"".join((_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _END))


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _packed_rows(
    data: bytes, max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, int] | None:
    """Returns the rows of a PNG as :func:`encode_mask` makes it, None for others.

    Returns:
        the rows, eight pixels a byte, and the width
    """
    if len(data) < _DATA_START or not data.startswith(_SIGNATURE):
        return None
    (checksum,) = struct.unpack_from(">I", data, _DATA_START - 12)
    length, name = struct.unpack_from(">I4s", data, _DATA_START - 8)
    end = _DATA_START + length
    # Nothing but the rows between the header and the end, and all of it whole.
    if (
        name != b"IDAT"
        or data[end + 4 :] != _END
        or zlib.crc32(data[12:29]) != checksum
    ):
        return None
    width, height, *kind = struct.unpack_from(_HEADER, data, 16)
    if tuple(kind) != _BITS or not 0 < width * height <= max_pixels:
        return None
    row_bytes = (width + 7) // 8 + 1
    content = _inflated(data[_DATA_START:end], row_bytes * height)
    if content is None:
        return None
    rows = np.frombuffer(content, np.uint8).reshape(height, row_bytes)
    if rows[:, 0].any():
        return None
    return rows[:, 1:], width


def _encoded(mask: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", mask)
    if not done:
        raise MaskFileError(f"A mask of type {mask.dtype} cannot be written as PNG")
    return data.tobytes()


def _inflated(data: bytes, size: int) -> bytes | None:
    """Returns the content of a zlib stream of that size; None for any other."""
    stream = zlib.decompressobj()
    try:
        # No more than one byte too many, whatever the stream makes of itself.
        content = stream.decompress(data, size + 1)
    except zlib.error:
        return None
    return content if stream.eof and len(content) == size else None


def _read(path: str | Path) -> bytes:
    try:
        with open(path, "rb") as file:
            num_bytes = os.fstat(file.fileno()).st_size
            if num_bytes > _MAX_BYTES:
                raise MaskFileError(
                    f"The mask {path} has {num_bytes:,} bytes, more than {_MAX_BYTES:,}"
                )
            return file.read()
    except OSError as error:
        reason = error.strerror or error
        raise MaskFileError(f"The mask {path} cannot be read: {reason}") from error


def _decoded(data: bytes, path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    if data.startswith(_SIGNATURE) and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        if width * height > max_pixels:
            raise MaskFileError(
                f"The mask {path} has {width} x {height} pixels; at most "
                f"{max_pixels:,} are read"
            )
    array = np.frombuffer(data, np.uint8)
    try:
        mask = cv2.imdecode(array, cv2.IMREAD_UNCHANGED) if data else None
    except cv2.error:  # It has more pixels than OpenCV takes.
        mask = None
    if mask is None:
        raise MaskFileError(f"The mask {path} is not an image that OpenCV can read")
    return mask


def _write(path: str | Path, data: bytes) -> None:
    with whole_file(path) as file:
        file.write(data)
