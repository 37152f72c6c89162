"""What the panel evaluates, and the part of it that a person clicked on.

A click adds stages to the view in the App. They bear an id of ours, which says what was
clicked on: the panel shows the view without them, and needs to keep nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import fiftyone.server.view as fosv

from ...fiftyone_types import ExecutionContext, SampleCollection

_STAGE_ID = "cocomask_selection"

Stage = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selected:
    """What a person clicked on.

    Attributes:
        place: where in the panel, the name of the section first
        text: what the grid shows since
    """

    place: list[Any] = field(default_factory=list)
    text: str = ""


def selected(ctx: ExecutionContext) -> Selected | None:
    """Returns what the App shows a part of, None if it shows all."""
    ids = [stage.get("_uuid") or "" for stage in _stages(ctx)]
    ours = [stage_id for stage_id in ids if stage_id.startswith(_STAGE_ID)]
    if not ours:
        return None
    try:
        return Selected(**json.loads(ours[0].removeprefix(_STAGE_ID)))
    except (ValueError, TypeError):
        return Selected(text="a part of the samples")


def evaluated_view(ctx: ExecutionContext) -> SampleCollection:
    """Returns the App's view, sidebar filters and all, without the clicked part."""
    return _view(ctx, _own_stages(ctx))


def grid_view(ctx: ExecutionContext) -> SampleCollection:
    """Returns the samples that the grid shows, the clicked part of the view."""
    return _view(ctx, _stages(ctx))


def app_view(ctx: ExecutionContext) -> tuple[Selected | None, int]:
    """Returns what is selected in the view, and the number of its other stages."""
    return selected(ctx), len(_own_stages(ctx))


def has_filters(ctx: ExecutionContext) -> bool:
    """Whether the sidebar filters what the grid shows."""
    params = ctx.request_params
    return bool(params.get("filters") or params.get("extended"))


def signature(ctx: ExecutionContext) -> str:
    """Returns what changes with :func:`evaluated_view`, its samples or evaluations."""
    from ...datasets.documents import samples_state
    from ...datasets.documents.runs import runs_state

    params = ctx.request_params
    own = [{**stage, "_uuid": None} for stage in _own_stages(ctx)]
    parts = [own, params.get("filters"), params.get("extended"), ctx.group_slice]
    runs = runs_state(ctx.dataset)
    whole = [ctx.dataset.name, samples_state(ctx.dataset), runs, *parts]
    text = json.dumps(whole, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=12).hexdigest()


def select(
    ctx: ExecutionContext,
    stages: list[Stage],
    part: Any,
    what: Selected,
    patches: Sequence[Any] = (),
) -> None:
    """Makes the App show a part of what is evaluated.

    Args:
        ctx: the execution context
        stages: those of what is evaluated
        part: a view of the whole dataset, of stages that select the part
        what: what was clicked on
        patches: the stages that make patches of it
    """
    from ...datasets.documents import serialized, serialized_stage

    stage_id = _STAGE_ID + json.dumps(asdict(what))
    of_part = [*serialized(part), *map(serialized_stage, patches)]
    added = [{**stage, "_uuid": stage_id} for stage in of_part]
    show(ctx, [*stages, *added])


def stages_of_samples(ctx: ExecutionContext) -> list[Stage]:
    """Returns the stages of what is evaluated: of patches, those of their samples."""
    from ...datasets.documents import serialized, whole_samples

    view = evaluated_view(ctx)
    samples = whole_samples(view)
    return lasting_stages(ctx) if samples is view else serialized(samples)


def show(ctx: ExecutionContext, stages: list[Stage]) -> None:
    """Makes the App show a view."""
    ctx.trigger("set_view", {"view": stages})


def _view(ctx: ExecutionContext, stages: list[Stage]) -> SampleCollection:
    return fosv.get_view(
        ctx.dataset,
        stages=stages,
        filters=ctx.request_params.get("filters"),
        extended_stages=ctx.request_params.get("extended"),
    )


def _stages(ctx: ExecutionContext) -> list[Stage]:
    """Returns the stages of the App's view, the clicked part among them."""
    return ctx.request_params.get("view") or []


def lasting_stages(ctx: ExecutionContext) -> list[Stage]:
    """Returns the person's own stages, with the filters of the sidebar as stages.

    The App forgets its filters whenever its view is set.
    """
    from ...datasets.documents import serialized

    if has_filters(ctx):
        return serialized(evaluated_view(ctx))
    return _own_stages(ctx)


def _own_stages(ctx: ExecutionContext) -> list[Stage]:
    """Returns the stages of the App's view that are the person's own."""
    return [
        stage
        for stage in _stages(ctx)
        if not (stage.get("_uuid") or "").startswith(_STAGE_ID)
    ]
