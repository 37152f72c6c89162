"""Divisions that may have nothing to divide by."""

from __future__ import annotations

from collections.abc import Sequence


def ratio(part: float, whole: float) -> float | None:
    """Returns ``part / whole``, None where there is nothing to divide by."""
    return part / whole if whole else None


def percent(part: float, whole: float) -> float | None:
    """Returns a part in percent of the whole, as :func:`ratio` does."""
    share = ratio(part, whole)
    return None if share is None else 100 * share


def shares(values: Sequence[int]) -> list[float | None]:
    """Returns the share of each value in their sum."""
    total = sum(values)
    return [ratio(value, total) for value in values]
