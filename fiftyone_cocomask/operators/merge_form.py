"""The part of the import's form that says what a merge will do."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators.types as types

from ..choices import CONFLICTS, OLD_COPIES
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from ..words import count
from .choosing import choose, radio
from .confirming import is_confirmed, reject_unconfirmed
from .export_form import export_path
from .export_preview import BUDGET, ExportPreview, opening_of
from .folding import hide_unless
from .forms import note, stop, warn
from .from_app import is_app_request
from .in_time import Finding, find_out
from .markdown import bold, plain
from .paths import given_path

if TYPE_CHECKING:
    from ..coco.merge_counts import MergeCounts

# A form waits until all of so few is compared.
_FEW_ANNOTATIONS = 3000
_FEW_SAMPLES = 300


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
    ctx: ExecutionContext,
    inputs: types.Object,
    preview: ExportPreview,
    dataset: fo.Dataset,
) -> MergePreview | None:
    """Returns what merging the export into a dataset will do.

    Args:
        ctx: the context of the form
        inputs: the form
        preview: what is in the export
        dataset: the dataset

    Returns:
        what is known of it; None if it cannot be merged, which the form says then
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
        "tags": params.get("tags") or (),
        "conflicts": params.get("conflicts") or "keep",
        "old_copies": params.get("old_copies") or "tag",
    }
    from ..coco.merge_counts import MergeCounts

    try:
        found = find_out(
            "comparing the export with the dataset",
            _key(ctx, dataset, wanted),
            lambda finding: _counted(finding, dataset, wanted),
            opening=opening_of(ctx, "merge"),
            seconds=BUDGET,
            is_soon=_is_soon(dataset, preview),
        )
        return found.value or MergePreview(MergeCounts(), 0)
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
    ctx: ExecutionContext,
    inputs: types.Object,
    preview: ExportPreview,
    dataset: fo.Dataset,
    merge: MergePreview,
) -> None:
    """Says what merging an export into a dataset will do, or would."""
    from ..datasets.documents import num_samples

    images = count(preview.total("images"), "image")
    lines = [f"- {line}" for line in merge.counts.lines()]
    if not lines and merge.checked != 0:
        lines = ["- nothing has changed"]
    if merge.checked is not None:
        lines.append(
            f"- so far: the first {count(merge.checked, 'image')} were compared here; "
            "the import compares all of them and finds what is gone"
        )
    stays = "What you have edited stays."
    if ctx.params.get("conflicts") == "export":
        stays = (
            "In conflicts the export's version replaces yours; all else that you have "
            "edited stays."
        )
    tell_import(
        ctx,
        inputs,
        "merge",
        f"{images} into the {count(num_samples(dataset), 'sample')} of "
        f"{bold(dataset.name)}",
        "\n".join([*lines, "", stays]),
    )


def tell_import(
    ctx: ExecutionContext, inputs: types.Object, verb: str, what: str, said: str
) -> None:
    """Says what will be done to samples; of a dry run, that nothing is written.

    Args:
        ctx: the context of the form
        inputs: the form
        verb: what is done, as in ``"merge"``
        what: what it is done to
        said: more of it
    """
    if ctx.params.get("dry_run"):
        note(inputs, "outcome", f"Writes nothing: would {verb} {what}", said)
        return
    # What is new takes nothing away.
    tell = note if verb == "create" else warn
    tell(inputs, "outcome", f"{verb.capitalize()}s {what}", said)


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
    number = "the older copies"
    if merge.checked is None:
        number = count(merge.counts.old_copies_deleted, "sample")
    what = (export_path(ctx.params), ctx.params.get("dataset"))
    if not is_confirmed(ctx, inputs, f"Yes, delete {number}", what):
        said = inputs.view("confirmation", types.Warning(label="Confirm the deletion"))
        reject_unconfirmed(ctx, said, "Confirm the deletion, or tag the older copies")


def _counted(
    finding: Finding[MergePreview], dataset: fo.Dataset, wanted: dict[str, Any]
) -> MergePreview:
    from ..datasets.importing.preview import preview_merge as counted

    options = {name: value for name, value in wanted.items() if name != "path"}
    steps = counted(wanted["path"] or "", dataset, **options)
    with closing(steps):
        for counts, checked, total in steps:
            preview = MergePreview(counts, checked)
            if checked is None:
                break
            finding.so_far(preview, checked, total)
    return preview


def _key(
    ctx: ExecutionContext, dataset: fo.Dataset, wanted: dict[str, Any]
) -> Hashable:
    """Returns what a merge depends on; None where no form is open.

    Then it is counted each time: the export may have changed since.
    """
    from ..datasets.documents import dataset_id, samples_state

    if not ctx.prompt_id:
        return None
    values = tuple(str(value) for value in wanted.values())
    return "merge", str(dataset_id(dataset)), samples_state(dataset), values


def _is_soon(dataset: fo.Dataset, preview: ExportPreview) -> bool:
    from ..datasets.documents import has_more_samples

    is_small = preview.total("annotations") <= _FEW_ANNOTATIONS
    return is_small and not has_more_samples(dataset, _FEW_SAMPLES)
