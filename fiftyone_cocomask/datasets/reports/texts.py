"""Tables of figures as texts, as reports write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...arguments import is_number
from ...reporting.page import Table
from ...words import readable

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 200
# Words in the names of shares, 0..1; errors of them are in percentage points.
_OF_SHARES = ("coverage", "share", "overlap", "ratio")
_OF_ERRORS = "error"


def table_of(frame: pd.DataFrame, title: str) -> Table:
    """Returns the rows of a table of figures as texts."""
    columns = list(frame.columns)
    known = frame.astype(object).where(frame.notna(), None)
    rows = [
        [text_of(name, value) for name, value in zip(columns, row, strict=True)]
        for row in known.to_dict("split")["data"][:MAX_ROWS]
    ]
    return Table([words(name) for name in columns], rows, title)


def words(name: str) -> str:
    """Returns the name of a figure as words."""
    return name.replace("_", " ").capitalize()


def text_of(name: str, value: Any) -> str:
    """Returns a figure as a text.

    Args:
        name: the figure's name, which says whether it is a share
        value: its value
    """
    if value is None:
        return "–"
    if isinstance(value, float) and _is_share(name):
        return f"{value:.2%}"
    if isinstance(value, float) and not value.is_integer():
        return readable(value)
    if is_number(value):
        return f"{value:,.0f}"
    return str(value)


def _is_share(name: str) -> bool:
    return _OF_ERRORS not in name and any(word in name for word in _OF_SHARES)
