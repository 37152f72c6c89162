"""A file of a zip, unpacked in pieces and never beyond the size that the zip states."""

from __future__ import annotations

import bz2
import copy
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

PIECE = 2**20
# What Python's zipfile unpacks, and what else there is, by its number in a zip.
_READABLE = frozenset(
    {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
)
_OTHERS = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
# What LZMA may keep in memory to look back.
_MAX_DICTIONARY = 2**28


def member_pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yields what is in a file of a zip.

    Python's own decompressors of bz2 and LZMA give all that comes out of a few bytes in
    one go, which may be gigabytes: here it is asked for in pieces.

    Raises:
        OSError: if its data is broken, packed by a method that cannot be read, or not
            of the size or checksum that the zip states
    """
    method = info.compress_type
    if method not in _READABLE:
        raise OSError(
            f"it is packed with {_OTHERS.get(method, f'method {method}')}, which "
            "cannot be read here; unpack the zip and give the folder"
        )
    size = checksum = 0
    try:
        for piece in _pieces(archive, info):
            size += len(piece)
            checksum = zlib.crc32(piece, checksum)
            if size > info.file_size:
                break
            yield piece
    except Exception as error:  # zipfile raises whatever broken bytes cause
        raise OSError(f"its data in the zip is broken ({error})") from error
    if size != info.file_size:
        raise OSError(
            "its data in the zip is broken (it does not have the "
            f"{info.file_size:,} bytes that the zip states)"
        )
    if checksum != info.CRC:
        raise OSError("its data in the zip is broken (bad checksum)")


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    if info.compress_type not in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with archive.open(info) as file:
            while piece := file.read(PIECE):
                yield piece
        return
    packed = copy.copy(info)
    packed.compress_type = zipfile.ZIP_STORED
    packed.file_size = info.compress_size
    packed.CRC = None  # type: ignore[assignment]
    with archive.open(packed) as file:
        if info.compress_type == zipfile.ZIP_BZIP2:
            decompressor: Any = bz2.BZ2Decompressor()
        else:
            decompressor = _lzma_decompressor(file)
        while not decompressor.eof:
            data = file.read(PIECE) if decompressor.needs_input else b""
            if not data and decompressor.needs_input:
                return
            piece = decompressor.decompress(data, PIECE)
            if piece:
                yield piece


def _lzma_decompressor(file: Any) -> lzma.LZMADecompressor:
    """Returns a decompressor as the header of an LZMA file in a zip asks for it."""
    head = file.read(4)
    properties = file.read(int.from_bytes(head[2:4], "little"))
    if len(properties) < 5:
        raise lzma.LZMAError("its header is cut off")
    numbers, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if dictionary > _MAX_DICTIONARY:
        raise lzma.LZMAError(f"it asks for {dictionary:,} bytes of memory")
    rest, lc = divmod(numbers, 9)
    pb, lp = divmod(rest, 5)
    filters = [
        {
            "id": lzma.FILTER_LZMA1,
            "dict_size": max(dictionary, 4096),
            "lc": lc,
            "lp": lp,
            "pb": pb,
        }
    ]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
