"""What a person has to say yes to before it is done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .folding import is_switched_on
from .forms import reject

# What a form's switch has said yes to, by the opening of the form.
_confirmed: OrderedDict[str, Hashable] = OrderedDict()
_MAX_CONFIRMED = 1000


def is_confirmed(
    ctx: ExecutionContext, inputs: types.Object, label: str, what: Hashable
) -> bool:
    """Adds a switch that says yes to something, and returns whether it does.

    The App keeps it on when another dataset or folder is chosen, to which nobody has
    said yes: then it does not count until it is switched off and on again.
    """
    is_on = is_switched_on(ctx, inputs, "confirm", label)
    opening = ctx.prompt_id
    if opening is None:
        return is_on
    if not is_on:
        _confirmed.pop(opening, None)
        return False
    while len(_confirmed) >= _MAX_CONFIRMED:
        _confirmed.popitem(last=False)
    return _confirmed.setdefault(opening, what) == what


def reject_unconfirmed(
    ctx: ExecutionContext, field: types.Property, sentence: str
) -> None:
    """Marks as wrong what :func:`is_confirmed` asks for; says so of an earlier yes."""
    earlier = "This yes was to something else: switch it off, and on again"
    reject(field, earlier if ctx.params.get("confirm") else sentence)
