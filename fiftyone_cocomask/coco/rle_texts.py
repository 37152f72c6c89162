"""RLEs as some tools write them -> RLEs as COCO writes them.

Counts can be whole numbers written as floats, the text that Python makes of bytes
(``b'...'``), or base64 of the compressed counts, with or without zlib.
"""

from __future__ import annotations

import ast
import base64
import binascii
import zlib
from collections.abc import Iterator
from typing import Any

from ..geometry.rle import check_rle, rle_of_rows
from ..geometry.runs import RLE, RleError

# Far more than the counts of any image.
_MAX_COUNTS = 2**26
# Counts of ragged masks pack to a half. Those of rectangles, which pack far better, are
# few: what unpacks to more than this would take gigabytes to be read.
_MAX_RATIO = 10
_HARMLESS_COUNTS = 2**20


def read_rle(segmentation: dict[str, Any]) -> tuple[RLE, str | None, bool]:
    """Reads an RLE.

    Args:
        segmentation: the JSON's value

    Returns:
        the RLE, compressed; how it was written, None for as COCO has it; and whether
        its size was taken from its counts, which contradict the one that it states

    Raises:
        RleError: if it cannot be read, or not in one way only
    """
    try:
        return check_rle(segmentation), None, False
    except RleError as error:
        problem = error
    plain = _with_whole_size(segmentation)
    for counts, how in _readings(plain.get("counts")):
        try:
            return check_rle({**plain, "counts": counts}), how, False
        except RleError:
            continue
    if plain is not segmentation:
        try:
            return check_rle(plain), "a size of floats", False
        except RleError:
            pass
    try:
        return rle_of_rows(plain), None, True
    except RleError:
        raise problem from None


def _with_whole_size(segmentation: dict[str, Any]) -> dict[str, Any]:
    size = segmentation.get("size")
    if not isinstance(size, list) or not any(type(side) is float for side in size):
        return segmentation
    whole = _whole_numbers(size)
    return segmentation if whole is None else {**segmentation, "size": whole}


def _readings(counts: Any) -> Iterator[tuple[Any, str]]:
    """Yields other ways to read counts, and what they are in words."""
    if isinstance(counts, list):
        whole = _whole_numbers(counts)
        if whole is not None:
            yield whole, "counts of floats"
    if not isinstance(counts, str) or len(counts) > _MAX_COUNTS:
        return
    text = counts.strip()
    if text != counts:
        yield text, "counts with blanks around them"
    if text[:2] in ("b'", 'b"') and text[-1] == text[1]:
        literal = _bytes_of(text)
        if literal is not None:
            yield literal, "counts as Python writes bytes (b'...')"
        return
    try:
        plain = "".join(text.split()).rstrip("=")
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return
    yield data, "counts in base64"
    try:
        unpacker = zlib.decompressobj()
        most = max(_MAX_RATIO * len(data), _HARMLESS_COUNTS)
        yield unpacker.decompress(data, most), "counts in base64 of zlib"
    except zlib.error:
        return


def _bytes_of(text: str) -> bytes | None:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, bytes) else None


def _whole_numbers(values: list[Any]) -> list[int] | None:
    """Returns numbers as whole ones; None where one is not a whole number."""
    whole = []
    for value in values:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            return None
        whole.append(value)
    return whole
