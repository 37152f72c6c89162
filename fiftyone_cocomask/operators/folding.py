"""Parts of a form that are folded away until somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .from_app import is_app_request


def hide(field: types.Property) -> None:
    """Keeps a field in the schema, and out of sight in the App.

    It has no default then, which the App would send as if it had been given.
    """
    view = field.view
    choices = getattr(view, "choices", None) or []
    meanings = [f"{c.value}: {c.description}" for c in choices if c.description]
    said = view.description or "; ".join(meanings) or None
    field.view = types.HiddenView(label=view.label, description=said)
    field.default = None
    field.required = False


def hide_unless(
    ctx: ExecutionContext, inputs: types.Object, fields: Iterable[str], is_asked: bool
) -> None:
    """Hides fields that nobody has asked for, where the App shows a form to a person.

    Args:
        ctx: the operator's context
        inputs: the form
        fields: the names of the fields; if one has another value than its default, all
            are shown
        is_asked: whether they are shown in any case
    """
    shown = {n: inputs.properties[n] for n in fields if n in inputs.properties}
    if is_asked or not is_app_request(ctx):
        return
    for name, field in shown.items():
        given = ctx.params.get(name)
        if field.invalid or given not in (None, "", [], field.default):
            return
    for name, field in shown.items():
        if isinstance(field.type, types.Void):
            del inputs.properties[name]
        else:
            hide(field)


@contextmanager
def section(
    ctx: ExecutionContext, inputs: types.Object, name: str, label: str
) -> Iterator[None]:
    """A part of a form that a switch unfolds, and any answer to one of its fields.

    Its fields are in the schema in any case.
    """
    inputs.bool(name, default=False, label=label, view=types.SwitchView())
    before = set(inputs.properties)
    yield
    inside = [field for field in inputs.properties if field not in before]
    hide_unless(ctx, inputs, inside, bool(ctx.params.get(name)))


def is_switched_on(
    ctx: ExecutionContext, inputs: types.Object, name: str, label: str
) -> bool:
    """Adds a switch that shows more of a form, and returns whether it is on."""
    inputs.bool(name, default=False, label=label, view=types.SwitchView())
    return bool(ctx.params.get(name))
