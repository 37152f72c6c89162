"""What a person chose in the panel, from the App's state and the server's memory."""

from __future__ import annotations

from typing import Any

from ...fiftyone_types import ExecutionContext
from .memory import Memory, memory_of
from .shown import OBJECTS, Choices


def choices_of(ctx: ExecutionContext) -> dict[str, Any]:
    """Returns what a person chose for this dataset.

    The App may send the state before the last choice, or put it back: its own elements
    write the whole state as they last saw it.
    """
    name = ctx.dataset.name if ctx.dataset is not None else None
    known = (ctx.panel.state.choices, memory_of(ctx.panel_id).choices)
    of_dataset = [each for each in known if each and each.get("dataset") == name]
    return max(of_dataset, key=lambda each: each.get("made", 0), default={})


def chosen(ctx: ExecutionContext) -> Choices:
    """Returns how evaluations are to be shown."""
    choices = choices_of(ctx)
    return Choices(
        choices.get("counted") or OBJECTS,
        choices.get("ranking"),
        bool(choices.get("all_classes")),
        choices.get("queue"),
        tuple((choices.get("options") or {}).items()),
        frozenset(memory_of(ctx.panel_id).opened_sections),
    )


def set_keys(memory: Memory, choices: dict[str, Any]) -> None:
    """Sets which evaluations are shown: the last made, else what was chosen."""
    keys = memory.keys or []
    wanted = [memory.added, choices.get("eval_key"), keys[0]]
    memory.eval_key = next(key for key in wanted if key in keys)
    other = choices.get("other_key")
    memory.other_key = other if other in keys and other != memory.eval_key else None


def option_of(ctx: ExecutionContext) -> str:
    """Returns the name of the option whose dropdown an event is of."""
    return element_of(ctx).split("__")[1]


def element_of(ctx: ExecutionContext) -> str:
    """Returns the name of the element that an event is of."""
    return str(ctx.params["path"]).rpartition(".")[2]
