"""How the panel looks: its header, and what it shows while there is nothing to show."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import fiftyone.operators.types as types

from ...operators.markdown import bold, plain
from ...words import count
from .. import elements
from . import sections
from .memory import Memory
from .next_steps import NextSteps
from .sections.cards import images
from .sections.section import Page
from .selection import Selected
from .shown import IMAGES, OBJECTS, Choices

if TYPE_CHECKING:
    from .panel import MaskEvaluationPanel

NO_OTHER = "-"
# In milliseconds: the panel is drawn once before.
_SOON = 1
# In milliseconds: longer than what belongs to one change.
_SETTLED = 2500
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


def render(
    panel: MaskEvaluationPanel, memory: Memory, chosen: Choices
) -> types.Property:
    """Returns the layout of what a panel shows.

    Args:
        panel: the panel, whose methods are the handlers
        memory: what it shows
        chosen: how it shows that
    """
    content = types.Object()
    if not memory.keys:
        _add_empty_state(panel, memory.next_steps, content)
    else:
        _add_header(panel, memory, chosen, content)
        if memory.summing:
            _add_summing(panel, memory, content)
        elif memory.problem:
            content.view("problem", types.Error(label=plain(memory.problem)))
        elif memory.found:
            place = memory.selected.place if memory.selected else []
            keys = [key for key in (memory.eval_key, memory.other_key) if key]
            opened = memory.opened["id"] if memory.opened else None
            opening = memory.openings if memory.waits else 0
            memory.drawn += 1
            here = Page(panel, content, place, keys, opened, opening, memory.drawn)
            if images(memory.found["cards"]):
                sections.add_all(here, memory.found)
                memory.options = here.options
            elif not sections.add_out_of_date(here, memory.found):
                _add_no_images(content)
        _add_settling(panel, memory, content)
    return elements.column(content, padding="0 16px 32px")


def digest(shown: tuple[str | None, Selected | None]) -> str:
    """Returns a short name of what a panel shows."""
    return blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def _add_empty_state(
    panel: MaskEvaluationPanel, steps: NextSteps | None, content: types.Object
) -> None:
    if steps is None:
        return
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
            label=bold(title),
            description=text,
            componentsProps={"container": {"sx": _MESSAGE}},
        ),
    )


def _add_summing(
    panel: MaskEvaluationPanel, memory: Memory, content: types.Object
) -> None:
    """Says that the numbers take a while, and asks for them."""
    content.view(
        "summing",
        types.LoadingView(text=f"Summing up {count(memory.summing or 0, 'image')}"),
    )
    # A timer that is there already does not begin anew, so each has its own name.
    timer = types.TimerView(timeout=_SOON, on_timeout=panel.sum_up)
    content.view(f"timer_{digest(memory.shown)}", timer)


def _add_settling(
    panel: MaskEvaluationPanel, memory: Memory, content: types.Object
) -> None:
    """Asks now and then what the App shows, and whether labels were edited in it.

    The App tells of no edit, and its last event of a change may be an early one.
    """
    shown = digest(memory.shown)
    timer = types.TimerView(
        interval=_SETTLED, on_interval=panel.settle, params={"shown": shown}
    )
    content.view(f"settled_{shown}", timer)


def _add_no_images(content: types.Object) -> None:
    _add_message(
        content,
        "no_images",
        "No evaluated samples in this view",
        "The grid shows no sample that this evaluation has measured. Clear the view or "
        "its filters, or evaluate again.",
    )


def _add_header(
    panel: MaskEvaluationPanel, memory: Memory, chosen: Choices, content: types.Object
) -> None:
    top = content.grid("top", orientation="vertical", gap=1, componentsProps=_STICKY)
    row = top.grid("choices", orientation="2d", gap=1, align_y="center")
    keys = memory.keys or []
    elements.dropdown(
        row,
        "eval_key",
        {key: key for key in keys},
        memory.eval_key or "",
        panel.choose_evaluation,
        "The evaluation that is shown",
    )
    others = [key for key in keys if key != memory.eval_key]
    if others:
        elements.dropdown(
            row,
            "other_key",
            {NO_OTHER: "compare with …"} | {key: f"and {key}" for key in others},
            memory.other_key or NO_OTHER,
            panel.choose_other,
            "An evaluation to compare it with",
        )
    if memory.found and memory.found["histograms"][0]["can_count_objects"]:
        elements.dropdown(
            row,
            "counted",
            {OBJECTS: "count objects", IMAGES: "count images"},
            chosen.counted,
            panel.choose_counted,
            "What the histograms count",
        )
    elements.button(row, "reload", "Reload", panel.reload)
    elements.button(row, "again", "Evaluate again", panel.evaluate_again)
    _add_status(panel, memory, top)


def _add_status(panel: MaskEvaluationPanel, memory: Memory, top: types.Object) -> None:
    row = top.grid(
        "status", orientation="2d", gap=1, align_y="center", componentsProps=_STATUS
    )
    if memory.selected:
        text = f"The grid shows {memory.selected.text}"
    elif memory.found and not memory.summing:
        number = count(images(memory.found["cards"]), "image")
        text = f"{number} · click to see samples"
    else:
        text = ""
    row.view(
        "text",
        types.HeaderView(label=plain(text), componentsProps=_STATUS_TEXT),
    )
    if memory.selected:
        elements.button(row, "all", "Clear", panel.show_all, variant="contained")
    elif memory.are_patches:
        elements.button(
            row, "samples", "Show samples", panel.show_samples, variant="contained"
        )
