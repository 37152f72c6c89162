"""Numbers as the panels say them."""

from __future__ import annotations

import math

NONE = "–"


def pixels(number: float | None) -> str:
    """Returns a number of pixels as text; pandas makes NaN of None."""
    if number is None or math.isnan(number):
        return NONE
    for factor, unit in ((1e9, "G"), (1e6, "M")):
        if number >= factor:
            return f"{number / factor:,.2f} {unit}"
    return f"{number:,.0f}"


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
