"""The part of the import's form that says what a merge will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators.types as types
from fiftyone.operators.cache import execution_cache

from ..choices import CONFLICTS, OLD_COPIES
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from .export_form import export_path
from .export_preview import ExportPreview
from .forms import (
    choose,
    count,
    hide_unless,
    is_app_request,
    is_switched_on,
    radio,
    reject,
    stop,
    warn,
)
from .markdown import bold, plain
from .paths import given_path

if TYPE_CHECKING:
    from ..coco.merge_counts import MergeCounts


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do.

    Attributes:
        counts: its numbers
        checked: the number of images that they are about; None if it is all of them
    """

    counts: MergeCounts
    checked: int | None


def preview_merge(
    ctx: ExecutionContext, inputs: types.Object, dataset: fo.Dataset
) -> MergePreview | None:
    """Returns what merging the export into a dataset will do.

    Returns:
        the preview; None if it cannot be merged, which the form says then
    """
    params = ctx.params
    wanted = {
        "path": export_path(params),
        "image_dir": given_path(params.get("image_dir")),
        "splits": params.get("splits") or None,
        "fields": (
            params.get("label_field") or "segmentations",
            params.get("box_field") or "detections",
        ),
        "conflicts": params.get("conflicts") or "keep",
        "old_copies": params.get("old_copies") or "tag",
    }
    try:
        # What opens no form compares each time: the export may have changed since.
        counted = _counted if ctx.prompt_id else _counted.uncached
        return MergePreview(*counted(ctx, dataset, wanted))
    except (CocoMaskError, ValueError) as error:
        stop(inputs, plain(str(error)))
        return None


def ask_what_wins(
    ctx: ExecutionContext,
    inputs: types.Object,
    merge: MergePreview | None,
    wants_more: bool,
) -> None:
    """Asks what becomes of conflicts and of older copies, where there are any.

    Args:
        ctx: the context of the form
        inputs: the form
        merge: what a merge will do; None if there is none
        wants_more: whether to ask in any case
    """
    params = ctx.params
    conflicts = merge.counts.conflicts if merge is not None else 0
    label = f"In {count(conflicts, 'conflict')}" if conflicts else "In conflicts"
    choose(
        inputs,
        "conflicts",
        CONFLICTS,
        params.get("conflicts"),
        label=label,
        default="keep",
        view=radio,
    )
    hide_unless(ctx, inputs, ["conflicts"], bool(conflicts or wants_more))
    copies = merge.counts.old_copies if merge is not None else 0
    _ask_for_old_copies(ctx, inputs, merge)
    hide_unless(ctx, inputs, ["old_copies"], bool(copies or wants_more))


def describe_merge(
    inputs: types.Object,
    preview: ExportPreview,
    dataset: fo.Dataset,
    merge: MergePreview,
) -> None:
    """Says what merging an export into a dataset will do."""
    from ..datasets.documents import num_samples

    images = count(preview.total("images"), "image")
    lines = [f"- {line}" for line in merge.counts.lines()] or ["- nothing has changed"]
    if merge.checked is not None:
        lines.append(
            f"- so far: the first {count(merge.checked, 'image')} were compared here; "
            "the import compares all of them and finds what is gone"
        )
    warn(
        inputs,
        "outcome",
        f"Merges {images} into the {count(num_samples(dataset), 'sample')} of "
        f"{bold(dataset.name)}",
        "\n".join([*lines, "", "What you have edited stays."]),
    )


def _ask_for_old_copies(
    ctx: ExecutionContext, inputs: types.Object, merge: MergePreview | None
) -> None:
    label = "Older copies of images that the export has augmented again"
    if merge is not None and merge.counts.old_copies:
        label += f": {merge.counts.old_copies:,}"
    chosen = choose(
        inputs,
        "old_copies",
        OLD_COPIES,
        ctx.params.get("old_copies"),
        label=label,
        default="tag",
        view=radio,
    )
    # A caller from Python has said yes by asking for it.
    if chosen != "delete" or merge is None or not is_app_request(ctx):
        return
    number = count(merge.counts.old_copies_deleted, "sample")
    if not is_switched_on(ctx, inputs, "confirm", f"Yes, delete {number}"):
        said = inputs.view("confirmation", types.Warning(label="Confirm the deletion"))
        reject(said, "Confirm the deletion, or tag the older copies")


def _key(
    ctx: ExecutionContext, dataset: fo.Dataset, wanted: dict[str, Any]
) -> tuple[Any, ...]:
    from ..datasets.documents import dataset_id, samples_state

    return (
        str(dataset_id(dataset)),
        samples_state(dataset),
        *(str(value) for value in wanted.values()),
    )


# The form is made again after each change in it, and this compares all images.
@execution_cache(  # type: ignore[untyped-decorator]
    residency="ephemeral", max_size=16, key_fn=_key, prompt_scoped=True
)
def _counted(
    ctx: ExecutionContext, dataset: fo.Dataset, wanted: dict[str, Any]
) -> tuple[MergeCounts, int | None]:
    from ..datasets.importing.preview import preview_merge as counted

    path = wanted["path"] or ""
    options = {name: value for name, value in wanted.items() if name != "path"}
    return counted(path, dataset, **options)
