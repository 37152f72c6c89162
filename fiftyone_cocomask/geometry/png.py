"""Mask files: lossless grayscale PNG, written whole or not at all."""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from ..errors import MaskFileError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write_mask(path: str | Path, mask: np.ndarray, *, binary: bool = False) -> None:
    """Writes a mask as a grayscale PNG, under a temporary name at first.

    Args:
        path: the file; its folder is made if need be
        mask: an array of shape (height, width), uint8 or uint16
        binary: whether the mask is foreground and background only; it is written
            with 1 bit a pixel then, which readers give back as 0 and 255

    Raises:
        MaskFileError: if the file cannot be written; an older one is as it was
    """
    write_whole(path, encode_mask(mask) if binary else _encoded(mask))


def write_whole(path: str | Path, data: bytes) -> None:
    """Writes a file so that it is there with all its bytes or not at all.

    Raises:
        MaskFileError: if it cannot be written
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own, so that several processes may write the same mask.
        temporary = path.with_name(f".writing-{secrets.token_hex(8)}")
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or error
        raise MaskFileError(f"The file {path} cannot be written: {reason}") from error


def read_mask(path: str | Path) -> np.ndarray:
    """Reads a mask file.

    Returns:
        an array of shape (height, width), uint8 or uint16, or (height, width, 3) if
        the file has colours. A file of 1 bit a pixel gives 0 and 255

    Raises:
        MaskFileError: if the file is missing or no image
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        reason = error.strerror or error
        raise MaskFileError(f"The mask {path} cannot be read: {reason}") from error
    mask = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if mask is None:
        raise MaskFileError(f"The mask {path} is no image that OpenCV can read")
    return mask


def count_foreground(path: str | Path) -> tuple[int, int]:
    """Counts the foreground pixels of a mask file: those that are not 0.

    A 1-bit file as written here is counted without decoding it to pixels.

    Returns:
        the number of foreground pixels and the number of all pixels

    Raises:
        MaskFileError: if the file is missing, no image, or has colours
    """
    mask = read_mask(path)
    if mask.ndim != 2:
        raise MaskFileError(f"The mask {path} has colours; it must be grayscale")
    return int(np.count_nonzero(mask)), mask.size


def encode_mask(mask: np.ndarray) -> bytes:
    """Returns a binary mask as a PNG of 1 bit a pixel.

    Args:
        mask: an array of shape (height, width), 0 where there is background
    """
    height, width = mask.shape
    packed = np.packbits(mask != 0, axis=1)
    # Every row begins with the number of its filter; 0 is none.
    rows = np.zeros((height, packed.shape[1] + 1), np.uint8)
    rows[:, 1:] = packed
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(rows.data, 1)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _encoded(mask: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", mask)
    if not done:
        raise MaskFileError(f"A mask of type {mask.dtype} cannot be written as PNG")
    return data.tobytes()
