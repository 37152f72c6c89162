"""Run lengths of masks, and how a compressed RLE spells them.

The format is pycocotools' (``maskApi.c``): run lengths of background and foreground
in turn, column by column, each a number in base 32 with a continuation bit, written
as the difference to the one two places before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

RLE = dict[str, Any]

# Runs are below 2**32, differences below 2**33: 7 digits of 5 bits hold them.
_MAX_DIGITS = 7


class RleError(ValueError):
    """An RLE that is malformed or does not fit its own size."""


def rle_runs(counts: Sequence[str | bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Decompresses the counts of RLEs (``rleFrString`` in maskApi.c), all at once.

    Args:
        counts: the compressed counts of n RLEs

    Returns:
        the run lengths of all RLEs one after the other, as an int64 array of shape
        (m, 2) whose rows are a run of background and the run of foreground behind it,
        of length 0 where an RLE ends without; and how many runs each RLE has, as an
        int64 array of shape (n,)

    Raises:
        RleError: if counts are malformed
    """
    data = [_as_bytes(text) for text in counts]
    digits = np.frombuffer(b"".join(data), np.uint8) - np.uint8(48)
    if digits.size and digits.max() > 63:
        raise RleError("its counts hold characters that no RLE has")
    # The last digit of a number has no continuation bit.
    ends = np.flatnonzero(digits < 32)
    stops = np.cumsum([len(text) for text in data], dtype=np.int64)
    up_to = np.searchsorted(ends, stops)
    # The number before a stop has to end right there, also where it is another RLE's.
    whole = ends.size > 0 and (ends[up_to - 1] == stops - 1)[stops > 0].all()
    if digits.size and not whole:
        raise RleError("its counts are cut off in the middle of a number")
    numbers_of = np.diff(up_to, prepend=0)
    runs = _undo_differences(_numbers(digits, ends), numbers_of)
    if runs.size and (runs.min() < 0 or runs.max() >= 2**32):
        raise RleError("its counts hold a run that is negative or too long")
    return runs, numbers_of


def _as_bytes(counts: str | bytes) -> bytes:
    try:
        return counts.encode("ascii") if isinstance(counts, str) else counts
    except UnicodeEncodeError:
        raise RleError("its counts hold characters that no RLE has") from None


def _numbers(digits: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns the signed numbers of base-32 digits, least significant first.

    Args:
        digits: five bits each, and a continuation bit in all but the last of a number
        ends: where the last digit of each number is
    """
    lengths = np.diff(ends, prepend=-1)
    longest = int(lengths.max(initial=0))
    if longest > _MAX_DIGITS:
        raise RleError("its counts hold a number that is too large")
    numbers: np.ndarray = digits[ends].astype(np.int64)
    numbers -= (numbers & 16) << 1
    for place in range(1, longest):
        longer = np.flatnonzero(lengths > place)
        low = digits[ends[longer] - place] & 31
        numbers[longer] = (numbers[longer] << 5) | low
    return numbers


def _undo_differences(numbers: np.ndarray, numbers_of: np.ndarray) -> np.ndarray:
    """Returns runs: from an RLE's fourth on, each is written less that two before.

    Returns:
        an int64 array of shape (m, 2), as :func:`rle_runs` returns it
    """
    rows_of = (numbers_of + 1) // 2
    rows_up_to = np.cumsum(rows_of)
    runs = np.zeros((rows_up_to[-1] if rows_up_to.size else 0, 2), np.int64)
    odd = np.flatnonzero(numbers_of & 1)
    # Every place but those of the foreground that an RLE ends without.
    places = np.arange(runs.size)
    missing = 2 * rows_up_to[odd] - 1
    runs.ravel()[np.delete(places, missing)] = numbers
    # The first run of background stands apart from the sums of those that follow.
    first = (rows_up_to - rows_of)[rows_of > 0]
    background = runs[first, 0]
    runs[first, 0] = 0
    sums = np.cumsum(runs, axis=0)
    before = sums[first - 1]
    before[:1] = 0
    shown: np.ndarray = sums - np.repeat(before, rows_of[rows_of > 0], axis=0)
    shown[first, 0] = background
    shown.ravel()[missing] = 0
    return shown
