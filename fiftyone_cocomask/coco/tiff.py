"""The header of a TIFF, also of kinds that Pillow cannot decode: many bands, floats."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

_WIDTH, _HEIGHT, _BITS, _BANDS, _FORMAT = 256, 257, 258, 277, 339
_WANTED = frozenset({_WIDTH, _HEIGHT, _BITS, _BANDS, _FORMAT})
# Bytes of the types of values: BYTE, SHORT, LONG, LONG8.
_TYPE_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}
_KINDS = {1: "bit", 2: "bit signed", 3: "bit float"}
_MAX_ENTRIES = 4096
# The number of bands is a SHORT.
_MAX_BANDS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """What the first image of a TIFF says of itself.

    Attributes:
        width: the width in pixels
        height: the height in pixels
        num_bands: the number of bands
        bits: the bits of each value
        kind: what the values are: ``"bit"``, ``"bit signed"``, ``"bit float"``
    """

    width: int
    height: int
    num_bands: int
    bits: int
    kind: str

    @property
    def mode(self) -> str:
        """What the pixels are, in words."""
        bands = "1 band" if self.num_bands == 1 else f"{self.num_bands} bands"
        return f"{bands} of {self.bits} {self.kind}"


def is_tiff(start: bytes) -> bool:
    """Whether a file begins as a TIFF or a BigTIFF."""
    return start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read_tiff_header(file: IO[bytes]) -> TiffHeader | None:
    """Reads the header of a TIFF.

    Returns:
        the header; None if there is none that makes sense
    """
    try:
        values = _read_tags(file)
    except (struct.error, OSError, ValueError, OverflowError):
        return None
    if not values.get(_WIDTH) or not values.get(_HEIGHT):
        return None
    if not 1 <= values.get(_BANDS, 1) <= _MAX_BANDS:
        return None
    return TiffHeader(
        values[_WIDTH],
        values[_HEIGHT],
        values.get(_BANDS, 1),
        values.get(_BITS, 1),
        _KINDS.get(values.get(_FORMAT, 1), "bit"),
    )


def _read_tags(file: IO[bytes]) -> dict[int, int]:
    """Returns the first value of each tag that is wanted, of the first directory."""
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    is_big = start[2:4] in (b"+\0", b"\0+")
    offset, count_size, entry_size, inline = (8, 8, 20, 8) if is_big else (4, 2, 12, 4)
    count_format = order + ("Q" if is_big else "H")
    offset_format = order + ("Q" if is_big else "I")
    (place,) = struct.unpack_from(offset_format, start, offset)
    file.seek(place)
    (count,) = struct.unpack(count_format, file.read(count_size))
    directory = file.read(min(count, _MAX_ENTRIES) * entry_size)
    values: dict[int, int] = {}
    for begin in range(0, len(directory) - entry_size + 1, entry_size):
        tag, kind = struct.unpack_from(order + "HH", directory, begin)
        if tag not in _WANTED or kind not in _TYPE_SIZES:
            continue
        (number,) = struct.unpack_from(offset_format, directory, begin + 4)
        size = _TYPE_SIZES[kind]
        value = directory[begin + entry_size - inline : begin + entry_size]
        if number * size > inline:
            (place,) = struct.unpack(offset_format, value)
            file.seek(place)
            value = file.read(size)
        if number and len(value) >= size:
            little = value[:size] if order == "<" else value[:size][::-1]
            values[tag] = int.from_bytes(little, "little")
    return values
