"""What the panel evaluates, and the part of it that a person clicked on.

A click adds one stage to the view in the App. The stage bears an id of ours, so that it
is told apart from what the person chose: the panel shows the view without it.
"""

from __future__ import annotations

import json
from typing import Any

import fiftyone.server.view as fosv

_STAGE_ID = "cocomask_selection"

Stage = dict[str, Any]


def is_selected(ctx: Any) -> bool:
    """Whether the App shows what was clicked on."""
    return any(stage.get("_uuid") == _STAGE_ID for stage in stages(ctx))


def evaluated_view(ctx: Any) -> Any:
    """Returns the App's view, sidebar filters and all, without the clicked part."""
    return fosv.get_view(
        ctx.dataset,
        stages=_own_stages(ctx),
        filters=ctx.request_params.get("filters"),
        extended_stages=ctx.request_params.get("extended"),
    )


def signature(ctx: Any) -> str:
    """Returns what changes whenever :func:`evaluated_view` or an evaluation does."""
    from ...datasets.run_keys import run_time

    params = ctx.request_params
    runs = [(key, run_time(ctx.dataset, key)) for key in ctx.dataset.list_runs()]
    own = [{**stage, "_uuid": None} for stage in _own_stages(ctx)]
    parts = [own, params.get("filters"), params.get("extended"), ctx.group_slice]
    return json.dumps([ctx.dataset.name, runs, *parts], sort_keys=True, default=str)


def select(ctx: Any, part: Any) -> None:
    """Makes the App show a part of what is evaluated.

    Args:
        ctx: the execution context
        part: a view of the whole dataset, of stages that select the part
    """
    added = [{**stage, "_uuid": _STAGE_ID} for stage in part._serialize()]
    ctx.trigger("set_view", {"view": [*_own_stages(ctx), *added]})


def unselect(ctx: Any) -> None:
    """Makes the App show again all that is evaluated."""
    ctx.trigger("set_view", {"view": _own_stages(ctx)})


def stages(ctx: Any) -> list[Stage]:
    """Returns the stages of the App's view, the clicked part among them."""
    return ctx.request_params.get("view") or []


def _own_stages(ctx: Any) -> list[Stage]:
    """Returns the stages of the App's view that are the person's own."""
    return [stage for stage in stages(ctx) if stage.get("_uuid") != _STAGE_ID]
