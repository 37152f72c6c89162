"""What forms ask for: one value of several, several of them, fields, numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import fiftyone.operators.types as types

from ..choices import Choice as Choice
from ..fiftyone_types import ExecutionContext
from .forms import reject
from .from_app import is_from_app


def choose(
    inputs: types.Object,
    name: str,
    choices: Sequence[Choice],
    given: Any,
    *,
    label: str | None,
    description: str | None = None,
    default: str | None = None,
    problem: str | None = None,
    view: Callable[[], types.Choices] = types.DropdownView,
) -> str | None:
    """Adds a choice of one value and returns the value that holds.

    Args:
        inputs: the form
        name: the name of the parameter
        choices: the values
        given: the value of the parameter so far
        label: the field's label
        description: what the choice decides
        default: the value that holds if none is given; without one, one must be
        problem: what to say of a value that is not among the choices
        view: makes the view of the choices

    Returns:
        the value, None if there is none or it is not among the choices
    """
    options = view()
    for choice in choices:
        options.add_choice(
            choice.value,
            label=choice.label or choice.value,
            description=choice.description,
        )
    values = [choice.value for choice in choices]
    unknown = given is not None and given not in values
    field = inputs.enum(
        name,
        [*values, *([given] if unknown else [])],
        label=label,
        description=description,
        default=default,
        # A default holds for callers who give none, who see no form.
        required=default is None,
        view=options,
    )
    if unknown:
        listed = ", ".join(f"'{value}'" for value in values)
        reject(field, problem or f"{name} must be one of {listed}, not {given!r}")
        return None
    return default if given is None else given


def radio() -> types.RadioGroup:
    """Returns choices one below the other."""
    return types.RadioGroup(orientation="vertical")


def choose_several(
    ctx: ExecutionContext,
    inputs: types.Object,
    name: str,
    values: Sequence[str],
    given: Any,
    *,
    label: str,
    description: str,
) -> list[str] | None:
    """Adds a choice of several values.

    In the App, none chosen means all. An empty list from a caller is refused: as likely
    it is a mistake.

    Returns:
        the values chosen, None for all
    """
    options = types.AutocompleteView(allow_user_input=False, allow_duplicates=False)
    for value in values:
        options.add_choice(value, label=value)
    field = inputs.list(
        name,
        types.String(),
        label=label,
        description=description,
        required=False,
        view=options,
    )
    if given is not None and not isinstance(given, list):
        reject(field, f"{name} must be a list, not {given!r}")
        return None
    unknown = [value for value in given or [] if value not in values]
    if unknown:
        listed = ", ".join(f"'{value}'" for value in values)
        reject(field, f"{name} must be among {listed}; {unknown[0]!r} is not")
    elif given == [] and not is_from_app(ctx):
        reject(field, f"{name} is empty; leave it out to take all")
    return given or None


def choose_field(
    inputs: types.Object,
    name: str,
    fields: Sequence[str],
    given: Any,
    *,
    label: str,
    description: str,
    usual: str,
    problem: str | None = None,
) -> str | None:
    """Adds a choice of one of some fields, as :func:`choose` does."""
    return choose(
        inputs,
        name,
        [Choice(field) for field in fields],
        given,
        label=label,
        description=description,
        default=default_field(fields, usual),
        problem=problem,
    )


def default_field(fields: Sequence[str], usual: str) -> str:
    """Returns the field that holds if none is chosen: the usual one, else the first.

    Args:
        fields: those that fit
        usual: the name that the operators give; returned also if no field fits
    """
    return usual if usual in fields or not fields else fields[0]


def given_field(params: dict[str, Any], name: str, no_field: str) -> Any:
    """Returns the field that was given, if any.

    Args:
        params: what was given
        name: the parameter
        no_field: what stands for none, as a parameter of None does
    """
    if name in params and params[name] is None:
        return no_field
    return params.get(name)


def given_params(params: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Returns those of some parameters that were given.

    An SDK function that gets them has its own defaults for the others.
    """
    return {n: params[n] for n in names if params.get(n) not in (None, "", [])}


def ask_for_processes(inputs: types.Object, what: str) -> None:
    """Adds the number of processes.

    Args:
        inputs: the form
        what: what they do, as in "processes draw"
    """
    inputs.int(
        "num_workers",
        label="Processes",
        description=f"How many processes {what}; FiftyOne's own setting if none is "
        "given",
        required=False,
        min=0,
    )


def ask_for_dry_run(inputs: types.Object, description: str | None = None) -> None:
    """Adds the switch with which nothing is written."""
    inputs.bool(
        "dry_run",
        default=False,
        label="Only say what would be done",
        description=description,
        view=types.SwitchView(),
    )
