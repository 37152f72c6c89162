"""The samples that a caller wants an operator to work on: FiftyOne's ``view_target``.

FiftyOne takes what it does not know for the whole dataset, and fails on stages that
are not valid, so it is checked before anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import fiftyone.operators.types as types
from fiftyone.operators.constants import ViewTarget

from ..arguments import shown
from ..fiftyone_types import ExecutionContext
from .forms import reject
from .from_app import is_from_app

_TARGETS = tuple(value for name, value in vars(ViewTarget).items() if name.isupper())
_NAMES = ("view_target", "custom_view_target")
_MAX_REASON = 160


def target_problem(ctx: ExecutionContext, is_asked: bool) -> str | None:
    """Returns what is wrong with the target, in a sentence that begins with its name.

    Args:
        ctx: the operator's context
        is_asked: whether the operator works on the target; others know only a whole
            dataset, or none
    """
    return _problem(ctx) if is_asked else _problem_of_any(ctx)


@contextmanager
def without_target(ctx: ExecutionContext) -> Iterator[None]:
    """Makes the whole dataset the target, so that all else can be asked."""
    before = ctx.params, ctx.request_params
    ctx.params, ctx.request_params = (
        {name: value for name, value in given.items() if name not in _NAMES}
        for given in before
    )
    try:
        yield
    finally:
        ctx.params, ctx.request_params = before


def reject_target(inputs: types.Object, problem: str) -> None:
    """Adds the target to a form, marked as wrong."""
    name = problem.partition(" ")[0]
    if name == "view_target":
        field = inputs.enum(name, list(_TARGETS), view=types.DropdownView())
    else:
        field = inputs.list(name, types.Object())
    field.required = False
    reject(field, problem)


def _given(ctx: ExecutionContext) -> object:
    """Returns the target; newer versions of FiftyOne keep it beside the parameters."""
    given = ctx.params.get("view_target")
    return ctx.request_params.get("view_target") if given is None else given


def _problem_of_any(ctx: ExecutionContext) -> str | None:
    # The App may hand on the target of what has triggered the operator.
    is_whole = _given(ctx) in (None, "", ViewTarget.DATASET)
    if is_from_app(ctx) or (is_whole and "custom_view_target" not in ctx.params):
        return None
    return (
        f"view_target must be '{ViewTarget.DATASET}' or left out: this operator works "
        "on whole datasets, or on none"
    )


def _problem(ctx: ExecutionContext) -> str | None:
    target = _given(ctx)
    stages = ctx.params.get("custom_view_target")
    if target not in (None, "", *_TARGETS):
        known = ", ".join(f"'{value}'" for value in _TARGETS)
        return f"view_target must be one of {known}, not {shown(target)}"
    if target == ViewTarget.SELECTED_SAMPLES and not ctx.selected:
        return f"view_target is '{target}', but no sample is selected"
    if target == ViewTarget.SELECTED_LABELS and not ctx.selected_labels:
        return f"view_target is '{target}', but no label is selected"
    if target == ViewTarget.CUSTOM_VIEW_TARGET:
        return _problem_of_stages(ctx, stages)
    if stages is not None and not is_from_app(ctx):
        return (
            "custom_view_target is used with view_target="
            f"'{ViewTarget.CUSTOM_VIEW_TARGET}' only"
        )
    return None


def _problem_of_stages(ctx: ExecutionContext, stages: object) -> str | None:
    expected = "custom_view_target must be a list of view stages as JSON, such as "
    expected += "[{'_cls': 'fiftyone.core.stages.MatchTags', 'kwargs': [['tags', "
    expected += "['train']]]}]"
    if not isinstance(stages, list):
        return f"{expected}, not {shown(stages)}"
    try:
        number = len(ctx.target_view())
    except Exception as error:
        # FiftyOne has no error of its own for stages that are not valid.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return f"{expected}; {reason[:_MAX_REASON]}"
    return None if number else "custom_view_target has no samples"
