"""Paths in forms: chosen with the App's file explorer, or given as text from Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .forms import reject


def path_text(path: str | os.PathLike[str] | None) -> str | None:
    """Returns a path that a caller from Python gave, as parameters hold it."""
    return os.fspath(path) if isinstance(path, os.PathLike) else path


def given_path(value: Any) -> str | None:
    """Returns the path that a file field holds, or that a caller gave as text."""
    if isinstance(value, dict):
        value = value.get("absolute_path")
    if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
        return None
    path = str(value).strip()
    # Windows' "Copy as path" puts it in quotation marks.
    if len(path) > 2 and path[0] == path[-1] == '"':
        path = path[1:-1]
    return os.path.expanduser(path)


def is_place(value: Any) -> bool:
    """Whether a value is what the App's file explorer makes of a path."""
    return isinstance(value, dict) and (not value or "absolute_path" in value)


def is_chosen_in_app(value: Any) -> bool:
    """Whether a path is asked for with the App's file explorer.

    A caller from Python gives text, which the explorer's type would refuse.
    """
    return value is None or isinstance(value, dict)


def ask_for_path(
    ctx: ExecutionContext,
    inputs: types.Object,
    name: str,
    *,
    label: str | None,
    description: str,
    folder: bool = True,
    required: bool = False,
    written: bool = False,
) -> types.Property:
    """Adds a field for a path: the App's file explorer, or text from Python.

    Args:
        ctx: the operator's context
        inputs: the form
        name: the name of the field
        label: what the form calls it
        description: what it is for
        folder: whether it is a folder, and not a file
        required: whether it must be given
        written: whether something is written there
    """
    given = ctx.params.get(name)
    if is_chosen_in_app(given):
        field = inputs.file(
            name,
            label=label,
            description=description,
            required=required,
            view=types.FileExplorerView(
                choose_dir=folder, button_label="Choose", choose_button_label="Choose"
            ),
        )
    else:
        field = inputs.str(
            name, label=label, description=description, required=required
        )
    path = given_path(given)
    if path is not None and not os.path.isabs(path):
        # The server's working directory is not one that a person would think of.
        reject(field, whole_path_sentence())
    elif path is not None and written:
        problem = _problem_of_place(path if folder else os.path.dirname(path))
        if problem is not None:
            reject(field, problem)
    return field


def _problem_of_place(folder: str) -> str | None:
    """Returns why nothing can be written to a folder, which may not be there yet."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    if not os.path.isdir(folder):
        return f"{folder} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written to"
    return None


def whole_path_sentence() -> str:
    """Returns what to say of a path that begins nowhere."""
    return f"Give the whole path, beginning with {Path.cwd().anchor}"
