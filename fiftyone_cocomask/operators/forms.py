"""What the forms of the operators share: choices of fields, notices, problems."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import fiftyone.operators.types as types

from ..choices import Choice as Choice
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext, SampleCollection
from .markdown import plain, unmarked

# What the forms call the options that messages of the SDK name.
_OPTION_LABELS = {
    "eval_key": "Evaluation key",
    "new_eval_key": "New key",
    "mask_field": "Mask field",
    "label_field": "Label field",
    "box_field": "Box field",
    "output_dir": "Folder",
    "num_tasks": "Tasks",
    "num_workers": "Processes",
    "dataset": "Dataset",
    "dry_run": "A dry run",
    "key": "Key",
    "fix_key": "Key",
}
# Not where a message quotes what was given, or an argument in code.
_OPTION = re.compile(
    rf"\b({'|'.join(n for n in _OPTION_LABELS if '_' in n)})\b(?![=_'])"
)


def option_labels(sentence: str) -> str:
    """Returns a message of the SDK with its options called what the forms call them."""
    first, space, rest = sentence.partition(" ")
    rest = _OPTION.sub(lambda found: _OPTION_LABELS[found[1]].lower(), rest)
    return f"{_OPTION_LABELS.get(first, first)}{space}{rest}"


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


def open_beside(ctx: ExecutionContext, panel: str) -> Any:
    """Opens a panel beside the grid: where others are, as a tab of theirs."""
    spaces = ctx.spaces
    # A third column would squeeze the two that there are.
    is_split = spaces is not None and any(
        child.__class__.__name__ == "Space" for child in spaces.children
    )
    layout = None if is_split else "horizontal"
    return ctx.ops.open_panel(panel, layout=layout, is_active=True)


def target_samples(ctx: ExecutionContext) -> SampleCollection:
    """Returns the samples to work on: of patches, those that they are of.

    Of groups those of the slice that the App shows, and the form says so.
    """
    from ..datasets.documents import ungrouped_samples, whole_samples

    view = ctx.target_view()
    samples = ungrouped_samples(view)
    # Dynamic groups have no slice that FiftyOne could choose.
    is_flat = samples is not view and samples.media_type != "group"
    return samples if is_flat else whole_samples(ctx.target_view(require_flat=True))


def target_slices(ctx: ExecutionContext) -> SampleCollection:
    """Returns the samples to work on, for functions that take all slices of groups."""
    from ..datasets.documents import whole_samples

    return whole_samples(ctx.target_view())


def num_images(samples: SampleCollection) -> int:
    """Returns the number of images, of groups in all slices."""
    from ..datasets.documents import all_images, num_samples

    return num_samples(all_images(samples))


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


def is_app_request(ctx: ExecutionContext) -> bool:
    """Whether the App waits for this operation over HTTP.

    Its requests name the operator; calls of ``foo.execute_operator`` do not. Those that
    were scheduled in the App run where no App listens, see :func:`is_from_app`.
    """
    return is_from_app(ctx) and not ctx.delegated


def is_from_app(ctx: ExecutionContext) -> bool:
    """Whether the parameters are answers to a form in the App, perhaps scheduled.

    The App keeps what was answered to questions that a form no longer asks, and has an
    empty list where nothing is chosen.
    """
    return "operator_uri" in ctx.request_params


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


def default_field(fields: Sequence[str], usual: str) -> str:
    """Returns the field that holds if none is chosen: the usual one, else the first.

    Args:
        fields: those that fit
        usual: the name that the operators give; returned also if no field fits
    """
    return usual if usual in fields or not fields else fields[0]


def first_of(skipped: dict[str, Any]) -> str:
    """Returns the first of what was skipped, and why, as Markdown."""
    return f"The first is {plain(skipped['filepath'])}: {plain(skipped['reason'])}"


def names(values: Sequence[str], most: int = 8) -> str:
    """Returns a list of names for people, not longer than a line or two."""
    shown = ", ".join(values[:most])
    return f"{shown} and {len(values) - most:,} more" if len(values) > most else shown
