"""What operators need of the dataset, and what their forms say where it is missing."""

from __future__ import annotations

from collections.abc import Callable

import fiftyone.operators.types as types

from ..fiftyone_types import Dataset, ExecutionContext
from .forms import stop
from .markdown import plain

_IMPORT_HINT = (
    "Open a dataset, or run **Import a Roboflow COCO export** to create one from an "
    "export"
)
NO_DATASET = f"No dataset is open. {_IMPORT_HINT}."


def samples_problem(ctx: ExecutionContext) -> str | None:
    """Returns why there are no samples to look at, and what to do."""
    from ..datasets.documents import has_samples

    if ctx.dataset is None:
        return NO_DATASET
    if ctx.dataset.media_type is None or not has_samples(ctx.dataset):
        return f"Dataset '{plain(ctx.dataset.name)}' has no samples. {_IMPORT_HINT}."
    return None


def dataset_problem(ctx: ExecutionContext) -> str | None:
    """Returns why nothing can be computed on the open dataset, and what to do."""
    problem = samples_problem(ctx)
    if problem is not None:
        return problem
    dataset = ctx.dataset
    if ctx.active_media_type != "image":
        return (
            f"Dataset '{plain(dataset.name)}' holds {ctx.active_media_type} samples; "
            "masks are computed for images. Open a dataset of images."
        )
    return None


def dataset_is_missing(ctx: ExecutionContext) -> str | None:
    """Returns what to do where no dataset is open."""
    return NO_DATASET if ctx.dataset is None else None


def choosable(
    ctx: ExecutionContext,
    inputs: types.Object,
    find: Callable[[Dataset], list[str]],
    why_none: Callable[[Dataset], str],
    problem_of: Callable[[ExecutionContext], str | None] = dataset_problem,
) -> list[str]:
    """Returns what there is to choose; where there is nothing, the form says why.

    Args:
        ctx: the operator's context
        inputs: the form
        find: returns what a dataset has
        why_none: returns why it has nothing, and what to do
        problem_of: returns why the dataset cannot be worked on
    """
    problem = problem_of(ctx)
    found = [] if problem else find(ctx.dataset)
    if not found:
        stop(inputs, problem or why_none(ctx.dataset))
    return found


def all_evaluations(dataset: Dataset) -> list[str]:
    """Returns the keys of all mask evaluations of a dataset, and of comparisons."""
    from ..datasets.evaluations import list_mask_evaluations

    comparisons = list_mask_evaluations(dataset, kind="comparison")
    return sorted([*list_mask_evaluations(dataset), *comparisons])


def no_evaluations(dataset: Dataset) -> str:
    """Returns what to do where a dataset has no evaluations."""
    return (
        f"Dataset '{plain(dataset.name)}' has no mask evaluations. Run **Evaluate mask "
        "area** or **Evaluate mask coverage**."
    )


def no_searches(dataset: Dataset) -> str:
    """Returns what to do where a dataset was not searched for issues."""
    return (
        f"Dataset '{plain(dataset.name)}' has no search for mask issues. Run **Find "
        "mask issues**."
    )
