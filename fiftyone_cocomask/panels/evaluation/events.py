"""Which of the App's events the panel of evaluations answers."""

from __future__ import annotations

from ...fiftyone_types import ExecutionContext
from . import page, selection
from .choosing import chosen, element_of
from .memory import memory_of


def is_answered(ctx: ExecutionContext, method: str | None) -> bool:
    """Whether an event changes something, and so is to be answered.

    Args:
        ctx: the panel's context
        method: the panel's method that the event calls
    """
    if method in _OF_CHOICES:
        memory_of(ctx.panel_id).choose()
    if method in _OF_THE_VIEW and _is_restored(ctx):
        return False
    needs = _NEEDS.get(method or "")
    return needs is None or needs(ctx)


def _is_restored(ctx: ExecutionContext) -> bool:
    """Whether the App, which has lost the view that a person wants, is given it."""
    if ctx.dataset is None:
        return False
    memory, shown = memory_of(ctx.panel_id), selection.app_view(ctx)
    if selection.has_filters(ctx):
        if memory.has_just_chosen:
            memory.want_filtered(selection.lasting_stages(ctx), instead_of=shown)
        return False
    # Forgets what the App was given once it shows that: a person may clear it then.
    memory.given(shown[1])
    stages = memory.lost(shown, ctx.params.get("value"))
    if stages is None:
        return False
    selection.show(ctx, stages)
    return True


def _is_view_news(ctx: ExecutionContext) -> bool:
    if ctx.dataset is None:
        return False
    memory = memory_of(ctx.panel_id)
    return memory.is_news(selection.signature(ctx), selection.selected(ctx))


def _is_edited(ctx: ExecutionContext) -> bool:
    """Whether samples were edited in a modal that was just closed."""
    if ctx.dataset is None or ctx.current_sample is not None:
        return False
    return selection.signature(ctx) != memory_of(ctx.panel_id).signature


def _is_unsettled(ctx: ExecutionContext) -> bool:
    """Whether the App shows something else than the panel was drawn for.

    The timer asks again and again, so this can wait for an event that is reading: side
    by side, each would slow the other down.
    """
    if ctx.dataset is None or memory_of(ctx.panel_id).is_being_read:
        return False
    shown = (selection.signature(ctx), selection.selected(ctx))
    return page.digest(shown) != ctx.params["shown"]


def _is_other_evaluation(ctx: ExecutionContext) -> bool:
    return ctx.params["value"] not in (None, memory_of(ctx.panel_id).eval_key)


def other_key(ctx: ExecutionContext) -> str | None:
    """Returns the evaluation to compare with, None for none."""
    value = ctx.params["value"]
    return None if value == page.NO_OTHER else value


def _is_other_to_compare(ctx: ExecutionContext) -> bool:
    is_other = other_key(ctx) != memory_of(ctx.panel_id).other_key
    return bool(ctx.params["value"]) and is_other


def _is_other_counted(ctx: ExecutionContext) -> bool:
    return ctx.params["value"] not in (None, chosen(ctx).counted)


def _is_other_queue(ctx: ExecutionContext) -> bool:
    found = (memory_of(ctx.panel_id).found or {}).get("next", {})
    return bool(ctx.params["value"]) and ctx.params["value"] != found.get("by")


def _is_other_ranking(ctx: ExecutionContext) -> bool:
    found = memory_of(ctx.panel_id).found
    if not found:
        return False
    # A dropdown tells what it shows, too, perhaps of the evaluation before.
    ranking, value = found["ranking"], ctx.params["value"]
    return value in ranking["choices"] and value != ranking["by"]


def _is_other_option(ctx: ExecutionContext) -> bool:
    known = memory_of(ctx.panel_id).options.get(element_of(ctx))
    return ctx.params["value"] not in (None, known)


# Events that tell what the App shows.
_OF_THE_VIEW = ("on_change_view", "on_change_group_slice", "settle")
# What an event must bring for the panel to be drawn again.
_NEEDS = {
    "on_change_view": _is_view_news,
    "on_change_group_slice": _is_view_news,
    "on_change_current_sample": _is_edited,
    "settle": _is_unsettled,
    "choose_evaluation": _is_other_evaluation,
    "choose_other": _is_other_to_compare,
    "choose_counted": _is_other_counted,
    "choose_worst": _is_other_ranking,
    "choose_queue": _is_other_queue,
    "choose_option": _is_other_option,
}
# Events of dropdowns, whose values the App keeps with the panel's state.
_OF_CHOICES = frozenset(name for name in _NEEDS if name.startswith("choose_"))
