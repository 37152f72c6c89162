"""Numbers and names as the panels say them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

NONE = "–"


def pixels(number: float | None) -> str:
    """Returns a number of pixels as text; pandas makes NaN of None."""
    if number is None or math.isnan(number):
        return NONE
    for factor, unit in ((1e9, "G"), (1e6, "M")):
        if number >= factor:
            return f"{number / factor:,.2f} {unit}"
    return f"{number:,.0f}"


def number(value: float | None) -> str:
    """Returns a number with three digits, and those of whole numbers all."""
    if value is None or math.isnan(value):
        return NONE
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def share(ratio: float | None) -> str:
    """Returns a share in percent, with as many digits as it takes to be more than 0."""
    if ratio is None or math.isnan(ratio):
        return NONE
    if ratio == 0 or abs(ratio) >= 0.001:
        return f"{ratio:.1%}"
    return f"{ratio:.3%}" if abs(ratio) >= 1e-5 else "< 0.001%"


def shortened(name: str, length: int = 28) -> str:
    """Returns a name with its middle left out, where its end tells it from others."""
    if len(name) <= length:
        return name
    end = length // 2
    return f"{name[: length - 1 - end]}…{name[-end:]}"


def told_apart(names: Sequence[str], length: int = 28) -> list[str]:
    """Returns names that are shortened, and of which no two are the same.

    Where the usual way makes two the same, what they begin with in common is left out,
    or all but their ends; where that is not enough, they are numbered.
    """
    shown = [shortened(name, length) for name in names]
    for shorten in (_without_beginning, _ends):
        for same in _groups(shown):
            whole = [names[place] for place in same]
            for place, text in zip(same, shorten(whole, length), strict=True):
                shown[place] = text
    for same in _groups(shown):
        for number, place in enumerate(same[1:], 2):
            shown[place] = f"{shown[place]} ({number})"
    return shown


def _groups(shown: Sequence[str]) -> list[list[int]]:
    """Returns the places of each text that is there more than once."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(shown):
        places.setdefault(text, []).append(place)
    return [same for same in places.values() if len(same) > 1]


def _without_beginning(names: list[str], length: int) -> list[str]:
    # Of characters, which is what is wanted of names.
    common = len(os.path.commonprefix(names))  # noqa: RUF071
    # From the beginning of a word.
    common = names[0].rfind(" ", 0, common) + 1 or common
    return [f"…{shortened(name[common:], length - 1)}" for name in names]


def _ends(names: list[str], length: int) -> list[str]:
    return [f"…{name[1 - length :]}" for name in names]
