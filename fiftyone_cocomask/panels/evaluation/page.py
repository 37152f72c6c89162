"""How the panel looks: its header, and what it shows while there is nothing to show."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import fiftyone.operators.types as types

from .. import elements
from . import sections
from .next_steps import NextSteps
from .reading import IMAGES, OBJECTS

if TYPE_CHECKING:
    from .panel import MaskEvaluationPanel

NO_OTHER = "-"
# In milliseconds: the panel is drawn once before.
_SOON = 1
# A column that is never wider than the panel, so that nothing but tables scrolls.
_COLUMN = {"gridTemplateColumns": "minmax(0, 1fr)", "padding": "0 16px 32px"}
# What is chosen and selected stays in sight while a person scrolls.
_STICKY = {
    "item": {
        "sx": {
            "position": "sticky",
            "top": 0,
            "zIndex": 3,
            "paddingTop": "10px",
            "paddingBottom": "6px",
            "background": "var(--fo-palette-background-mediaSpace)",
            "borderBottom": "1px solid var(--fo-palette-divider)",
        }
    },
    "grid": {"sx": {"gridTemplateColumns": "minmax(0, 1fr)"}},
}
_MESSAGE = {"paddingTop": "24px"}
# One line, as high with a button as without, so that a click moves nothing.
_STATUS = {
    "grid": {"sx": {"minHeight": "34px", "alignItems": "center", "flexWrap": "nowrap"}}
}
_STATUS_TEXT = {
    "item": {
        "sx": {
            "minWidth": 0,
            "& *": {"minWidth": 0},
            "& p": {
                "overflow": "hidden",
                "textOverflow": "ellipsis",
                "whiteSpace": "nowrap",
            },
        }
    }
}


def render(panel: MaskEvaluationPanel, ctx: Any) -> types.Property:
    """Returns the layout of what the panel's state holds."""
    state = ctx.panel.state
    content = types.Object()
    if not state.keys:
        _add_empty_state(panel, ctx, content)
    else:
        _add_header(panel, ctx, content)
        if state.summing:
            _add_summing(panel, state, content)
        elif state.problem:
            content.view("problem", types.Error(label=state.problem))
        elif state.found and not state.found["images"]:
            _add_no_images(content)
        elif state.found:
            sections.add_all(panel, state.found, state.selected or {}, content)
    view = types.GridView(
        orientation="vertical",
        align_x="stretch",
        align_y="start",
        gap=2,
        componentsProps={"grid": {"sx": _COLUMN}},
    )
    return types.Property(content, view=view)


def _add_empty_state(
    panel: MaskEvaluationPanel, ctx: Any, content: types.Object
) -> None:
    steps = NextSteps(**ctx.panel.state.next_steps)
    _add_message(content, "empty", steps.title, steps.text)
    row = content.grid("steps", orientation="2d", gap=1)
    for name, label in steps.operators.items():
        params = {"operator": name}
        elements.button(row, name, label, panel.open_form, params, variant="contained")
    elements.button(row, "reload", "Reload", panel.reload)


def _add_message(content: types.Object, name: str, title: str, text: str) -> None:
    """Says why there is nothing to see, and what to do."""
    content.view(
        name,
        types.HeaderView(
            label=f"**{title}**",
            description=elements.plain(text),
            componentsProps={"container": {"sx": _MESSAGE}},
        ),
    )


def _add_summing(panel: MaskEvaluationPanel, state: Any, content: types.Object) -> None:
    """Says that the numbers take a while, and asks for them."""
    content.view(
        "summing", types.LoadingView(text=f"Summing up {state.summing:,} images")
    )
    # A timer that is there already does not begin anew, so each has its own name.
    digest = blake2b(state.signature.encode(), digest_size=8).hexdigest()
    timer = types.TimerView(timeout=_SOON, on_timeout=panel.sum_up)
    content.view(f"timer_{digest}", timer)


def _add_no_images(content: types.Object) -> None:
    _add_message(
        content,
        "no_images",
        "Nothing here was evaluated",
        "The grid shows no sample that this evaluation has measured. Clear the view or "
        "its filters, or evaluate again.",
    )


def _add_header(panel: MaskEvaluationPanel, ctx: Any, content: types.Object) -> None:
    state = ctx.panel.state
    top = content.grid("top", orientation="vertical", gap=1, componentsProps=_STICKY)
    row = top.grid("choices", orientation="2d", gap=1, align_y="center")
    elements.dropdown(
        row,
        "eval_key",
        {key: key for key in state.keys},
        state.eval_key,
        panel.choose_evaluation,
        "The evaluation that is shown",
    )
    others = [key for key in state.keys if key != state.eval_key]
    if others:
        elements.dropdown(
            row,
            "other_key",
            {NO_OTHER: "compare with …"} | {key: f"and {key}" for key in others},
            state.other_key or NO_OTHER,
            panel.choose_other,
            "An evaluation to compare it with",
        )
    if state.found and state.found["has_objects"]:
        elements.dropdown(
            row,
            "counted",
            {OBJECTS: "count objects", IMAGES: "count images"},
            state.counted,
            panel.choose_counted,
            "What the histograms count",
        )
    elements.button(row, "reload", "Reload", panel.reload)
    _add_status(panel, state, top)


def _add_status(panel: MaskEvaluationPanel, state: Any, top: types.Object) -> None:
    row = top.grid(
        "status", orientation="2d", gap=1, align_y="center", componentsProps=_STATUS
    )
    if state.selected:
        text = f"The grid shows {state.selected['text']}"
    elif state.found and not state.summing:
        images = state.found["images"]
        text = f"{images:,} image{'' if images == 1 else 's'} · click to see samples"
    else:
        text = ""
    row.view(
        "text",
        types.HeaderView(label=elements.plain(text), componentsProps=_STATUS_TEXT),
    )
    if state.selected:
        elements.button(row, "all", "Clear", panel.show_all, variant="contained")
