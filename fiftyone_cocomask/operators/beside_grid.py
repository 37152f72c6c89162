"""Panels beside the grid."""

from __future__ import annotations

from typing import Any

from ..fiftyone_types import ExecutionContext


def open_beside(ctx: ExecutionContext, panel: str) -> Any:
    """Opens a panel beside the grid: where others are, as a tab of theirs."""
    spaces = ctx.spaces
    # A third column would squeeze the two that there are.
    is_split = spaces is not None and any(
        child.__class__.__name__ == "Space" for child in spaces.children
    )
    layout = None if is_split else "horizontal"
    return ctx.ops.open_panel(panel, layout=layout, is_active=True)
