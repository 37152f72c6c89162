"""How operators open the panel on what they have just made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PANEL = "mask_evaluation"


def show_evaluation(ctx: Any, eval_key: str) -> Iterator[Any]:
    """Yields what opens the panel beside the grid on an evaluation.

    A panel that is open already is made to read the evaluation: nothing else would
    tell it that there is one more.

    Args:
        ctx: the execution context of an operator in the App
        eval_key: the key of the evaluation
    """
    panels = _open_panels(ctx)
    if not panels:
        yield ctx.ops.open_panel(PANEL, layout="horizontal")
    for panel_id in panels:
        yield ctx.trigger(
            f"@cocomask/cocomask/{PANEL}#show_evaluation",
            {
                "panel_id": panel_id,
                "panel_state": {},
                "eval_key": eval_key,
            },
        )


def _open_panels(ctx: Any) -> list[str]:
    """Returns the ids of the panels of this kind that are open."""
    found = []
    spaces = [ctx.spaces] if ctx.spaces is not None else []
    while spaces:
        space = spaces.pop()
        for child in space.children:
            if hasattr(child, "children"):
                spaces.append(child)
            elif child.type == PANEL:
                found.append(child.panel_id)
    return found
