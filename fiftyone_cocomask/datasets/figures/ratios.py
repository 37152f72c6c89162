"""Divisions that may have nothing to divide by."""

from __future__ import annotations

from collections.abc import Sequence


def ratio(part: float, whole: float) -> float | None:
    """Returns ``part / whole``, None where there is nothing to divide by."""
    return part / whole if whole else None


def shares(values: Sequence[int]) -> list[float | None]:
    """Returns the share of each value in their sum."""
    total = sum(values)
    return [ratio(value, total) for value in values]
