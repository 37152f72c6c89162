"""The parameters of an operator: those of its ``__call__``, all shown and all checked.

A form asks for what matters and folds the rest away. What it has not asked for is in
its schema all the same, so that nothing is executed that was not checked.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args, get_origin, get_type_hints

import fiftyone.operators.types as types

from ..arguments import (
    PATHS,
    check_argument,
    fits_type,
    may_be_path,
    shown,
    union_members,
)
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from .folding import hide
from .forms import names, reject, stop
from .from_app import is_app_request, is_from_app
from .markdown import plain
from .paths import is_place

# What the caller says beside the form, and what tasks of a job are given.
_BESIDE = {"self", "samples", "delegate"}
_ALWAYS = {"progress", "task", "view_target", "custom_view_target", "confirm"}


@functools.cache
def parameters_of(call: Callable[..., Any] | None) -> dict[str, Any]:
    """Returns the annotation of each parameter that a form is asked for.

    Args:
        call: the operator's ``__call__``; None if it has none
    """
    if call is None:
        return {}
    hints = get_type_hints(call)
    parameters = list(inspect.signature(call).parameters)
    # Where the dataset is not asked for, it comes first: as samples do.
    beside = {"dataset"} if parameters[1:2] == ["dataset"] else set()
    return {n: hints[n] for n in parameters if n not in _BESIDE | beside}


@contextmanager
def without_wrong_types(
    ctx: ExecutionContext, call: Callable[..., Any] | None
) -> Iterator[None]:
    """Keeps values of wrong types from the code that asks; :func:`complete` names them.

    Args:
        ctx: the operator's context
        call: the operator's ``__call__``
    """
    parameters = parameters_of(call)
    given = ctx.params
    ctx.params = {
        name: value
        for name, value in given.items()
        if name not in parameters or _can_be_used(name, value, parameters[name])
    }
    try:
        yield
    finally:
        ctx.params = given


def _can_be_used(name: str, value: Any, annotation: Any) -> bool:
    """Whether a form's code can handle a value, whether or not it is accepted."""
    if is_place(value) and fits_type("", annotation):
        value = value.get("absolute_path")
        return not isinstance(value, str) or may_be_path(value)
    if name in PATHS and isinstance(value, str) and not may_be_path(value):
        return False
    return value is None or fits_type(value, annotation)


def complete(
    ctx: ExecutionContext, inputs: types.Object, call: Callable[..., Any] | None
) -> None:
    """Adds the parameters that a form has not asked for, and refuses wrong values.

    Args:
        ctx: the operator's context
        inputs: the form
        call: the operator's ``__call__``
    """
    parameters = parameters_of(call)
    for name, annotation in parameters.items():
        if name not in inputs.properties:
            given = ctx.params.get(name)
            field = _add(inputs, name, annotation, given, _said(call).get(name))
            if is_app_request(ctx):
                hide(field)
    for name, field in list(inputs.properties.items()):
        given = ctx.params.get(name)
        annotation = parameters.get(name, _annotation_of(field.type))
        problem = None if field.invalid else _problem(name, given, annotation, field)
        if problem is not None:
            reject(field, problem)
            if isinstance(field.view, types.HiddenView):
                # What is wrong is seen nowhere else.
                stop(inputs, plain(problem))
    known = {*parameters, *inputs.properties, *_ALWAYS}
    unknown = [name for name in ctx.params if name not in known]
    if unknown and not is_from_app(ctx):
        there_are = f"there are {names(sorted(parameters), 30)}"
        there_are = there_are if parameters else "there are none"
        stop(inputs, plain(f"There is no parameter '{unknown[0]}'; {there_are}"))


def _annotation_of(kind: types.BaseType) -> Any:
    """Returns what a field of a form takes that the function does not."""
    if isinstance(kind, types.Number):
        return int if kind.int else float
    simple: dict[type[types.BaseType], Any] = {
        types.Boolean: bool,
        types.String: str,
        types.List: list[str],
        types.Object: Mapping[str, Any],
    }
    return simple.get(type(kind), Any)


def _problem(
    name: str, given: Any, annotation: Any, field: types.Property
) -> str | None:
    """Returns what is wrong with the value of a parameter."""
    is_text = isinstance(field.type, (types.File, types.String))
    if is_text and is_place(given):
        given = given.get("absolute_path")
    if given is None or (is_text and given == ""):
        return None
    if isinstance(field.type, types.Enum) and given in field.type.values:
        return None
    if isinstance(field.type, types.List) and not isinstance(given, list):
        return f"{name} must be a list of texts, not {shown(given)}"
    try:
        check_argument(name, given, annotation)
    except CocoMaskError as error:
        return str(error)
    if isinstance(field.type, types.Number):
        return _problem_of_number(name, given, field.type)
    return None


def _problem_of_number(name: str, given: float, kind: types.Number) -> str | None:
    """Returns which of its bounds a number passes."""
    if kind.min is not None and given < kind.min:
        return f"{name} must be {kind.min} or more, not {shown(given)}"
    if kind.max is not None and given > kind.max:
        return f"{name} must be {kind.max} or less, not {shown(given)}"
    return None


def _add(
    inputs: types.Object, name: str, annotation: Any, given: Any, said: str | None
) -> types.Property:
    """Adds a parameter as a plain field of the type that its value may have."""
    asked = [m for m in union_members(annotation) if m is not type(None)]
    label = name.replace("_", " ").capitalize()
    kwargs = {"label": label, "description": said, "required": False}
    first = asked[0] if asked else str
    if get_origin(first) is Literal and isinstance(given, (str, type(None))):
        values = list(get_args(first))
        field = inputs.enum(name, values, view=types.DropdownView(), **kwargs)
    elif isinstance(given, dict) or get_origin(first) is Mapping:
        field = inputs.define_property(name, types.Object(), **kwargs)
    elif isinstance(given, list) or get_origin(first) not in (None, Literal):
        field = inputs.list(name, types.String(), **kwargs)
    elif bool in asked:
        field = inputs.bool(name, **kwargs)
    elif int in asked:
        field = inputs.int(name, **kwargs)
    else:
        field = inputs.str(name, **kwargs)
    return field


@functools.cache
def _said(call: Callable[..., Any] | None) -> dict[str, str]:
    """Returns what the docstring of a function says of each argument."""
    text = inspect.getdoc(call) or ""
    section = text.partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section, re.MULTILINE)
    sentences = {name: " ".join(said.split()) for name, said in found}
    return {name: said[:1].upper() + said[1:] for name, said in sentences.items()}
