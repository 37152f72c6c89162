"""What forms say: notices, warnings, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import fiftyone.operators.types as types

from ..errors import CocoMaskError
from .markdown import unmarked


def form(inputs: types.Object, title: str) -> types.Property:
    """Returns a form under a title."""
    return types.Property(inputs, view=types.View(label=title))


def stop(inputs: types.Object, sentence: str) -> None:
    """Says why the operator cannot be executed, and keeps it from being so."""
    problem = inputs.view("problem", types.Error(label=sentence))
    problem.invalid = True
    problem.error_message = unmarked(sentence)


def reject(field: types.Property, sentence: str) -> None:
    """Marks a field as wrong; the sentence calls options what the SDK calls them."""
    field.invalid = True
    field.error_message = sentence


def is_refused(
    field: types.Property, check: Callable[..., object], *args: Any, **kwargs: Any
) -> bool:
    """Marks a field as wrong if a check of the SDK raises, and returns whether it does.

    Args:
        field: the field
        check: the check
        args: its arguments
        kwargs: more of them
    """
    try:
        check(*args, **kwargs)
    except CocoMaskError as error:
        reject(field, str(error))
        return True
    return False


def note(
    inputs: types.Object, name: str, label: str, description: str | None = None
) -> None:
    """Says what the operator will do."""
    inputs.view(name, types.Notice(label=label, description=description))


def warn(
    inputs: types.Object, name: str, label: str, description: str | None = None
) -> None:
    """Says what the operator will replace or delete."""
    inputs.view(name, types.Warning(label=label, description=description))


def names(values: Sequence[str], most: int = 8) -> str:
    """Returns a list of names for people, not longer than a line or two."""
    shown = ", ".join(values[:most])
    return f"{shown} and {len(values) - most:,} more" if len(values) > most else shown
