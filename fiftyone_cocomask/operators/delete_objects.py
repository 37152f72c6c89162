"""Operator: objects that are selected are deleted, each with its box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..errors import CocoMaskError
from ..fiftyone_types import Dataset, ExecutionContext
from ..words import agree, count
from .changing import (
    ChangeOperator,
    ask_for_fix_key,
    fix_results,
    how_to_undo,
    show_pictures,
    tell_outcome,
)
from .choosing import ask_for_dry_run, choose_field, default_field
from .folding import hide
from .forms import is_refused, note, reject, stop
from .from_app import is_app_request, is_from_app
from .in_time import Finding, find_out, state_key
from .job import ProgressArgument, Results, job_config
from .label_fields import labelled_fields, usual_objects, why_no_field
from .markdown import code
from .prerequisites import samples_problem

_FIX_KEY = "deleted_objects"


class DeleteObjects(ChangeOperator):
    """Deletes objects, each polygon together with its box."""

    verb = "Deleting objects"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="delete_objects",
            label="Delete objects",
            description="Delete selected objects, polygon and box; can be undone",
            icon="/assets/delete.svg",
            risk_level=types.RiskLevel.HIGH,
            view_target=False,
        )

    def __call__(
        self,
        dataset: Dataset,
        label_ids: Sequence[str],
        *,
        label_field: str = "segmentations",
        fix_key: str = _FIX_KEY,
        dry_run: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Deletes objects, each polygon together with its box.

        Example::

            import fiftyone.operators as foo

            delete_objects = foo.get_operator("@cocomask/cocomask/delete_objects")
            view = dataset.load_saved_view("mask_issues: tiny")
            delete_objects(dataset, view.values("id"))

        Args:
            dataset: the dataset, or a view into it
            label_ids: the ids of the labels, or of their boxes; those of patches are
                the same
            label_field: the field of the labels
            fix_key: the key of the deletions, to undo them by
            dry_run: whether to say what would be done, and to write nothing
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`FixReport.to_dict`
        """
        params = {
            "label_ids": as_text_list(label_ids),
            "label_field": label_field,
            "fix_key": fix_key,
            "dry_run": dry_run,
        }
        return self.execute_on(dataset, params, delegate)

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement | None:
        """Returns the button in the grid's toolbar, where patches are selected."""
        return self.grid_button() if _selected(ctx) else None

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: under which key; what is deleted is selected already."""
        problem = samples_problem(ctx)
        fields = [] if problem else labelled_fields(ctx.dataset)
        if problem or not fields:
            stop(inputs, problem or why_no_field(ctx.dataset))
        else:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Deletes them and returns the report."""
        from ..datasets.fixing.deleting import delete_objects

        params = ctx.params
        report = delete_objects(
            ctx.dataset,
            _label_ids(ctx),
            label_field=params.get("label_field")
            or _usual(ctx, labelled_fields(ctx.dataset)),
            fix_key=params.get("fix_key") or _FIX_KEY,
            dry_run=bool(params.get("dry_run")),
        )
        return fix_results(ctx, report)

    def update_app(self, ctx: ExecutionContext, results: Results) -> Any:
        """Yields what makes the App show the rest, with nothing selected."""
        if not results["dry_run"]:
            yield ctx.ops.clear_selected_samples()
            yield ctx.ops.clear_selected_labels()
        yield from super().update_app(ctx, results)

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many objects are gone, and how to get them back."""
        number = count(sum(results["fixed"].values()), "object")
        would = "would be deleted" if results["dry_run"] else "deleted"
        how = how_to_undo(results, "restores them")
        view = types.Success if results["fixed"] else types.Notice
        outputs.view("done", view(label=f"{number} {would}", description=how))


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    params, selected = ctx.params, _selected(ctx)
    label_ids = inputs.list(
        "label_ids",
        types.String(),
        label="Objects",
        description="The ids of labels or of their boxes. Nothing is selected: select "
        "objects, or their patches, such as those of an issue",
        required=True,
    )
    if selected and is_from_app(ctx):
        hide(label_ids)
    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        params.get("label_field"),
        label="Labels",
        description="The field of the labels; their boxes go too",
        usual=_usual(ctx, fields),
    )
    fix_key = params.get("fix_key") or _FIX_KEY
    key_field = ask_for_fix_key(inputs, _FIX_KEY, "deletions")
    ask_for_dry_run(inputs)
    ids = _label_ids(ctx)
    if label_field is None or not ids or not isinstance(ids, list):
        return
    _tell(ctx, inputs, (label_ids, key_field), ids, label_field, fix_key)


def _tell(
    ctx: ExecutionContext,
    inputs: types.Object,
    asked: tuple[types.Property, types.Property],
    ids: list[str],
    label_field: str,
    fix_key: str,
) -> None:
    """Says what will be deleted, and shows it."""
    from ..datasets.fixing.deleting import delete_objects
    from ..datasets.fixing.stored import check_fix_key

    if is_refused(asked[1], check_fix_key, ctx.dataset, fix_key, label_field):
        return

    def plan(_: Finding[Any]) -> Any:
        report = delete_objects(
            ctx.dataset, ids, label_field=label_field, fix_key=fix_key, dry_run=True
        )
        picture = report.pictures() if is_app_request(ctx) else None
        objects, images = sum(report.fixed.values()), len(set(report.sample_ids))
        return objects, count(images, "image"), picture

    name = ("deletions", label_field, fix_key, tuple(ids))
    try:
        found = find_out("planning", state_key(name, ctx.dataset), plan).value
    except CocoMaskError as error:
        reject(asked[0], str(error))
        return
    number, images, picture = found or (len(ids), "images", None)
    if not number:
        note(
            inputs,
            "outcome",
            f"Nothing selected is an object of {code(label_field)}",
            "Select the objects to delete, or choose their field",
        )
        return
    if is_app_request(ctx):
        show_pictures(
            inputs,
            picture,
            "What goes, and what is left",
            "The first of them",
            "Objects before and after",
        )
    tell_outcome(
        ctx,
        inputs,
        ("deletes", "delete"),
        f"{count(number, 'object')} of {code(label_field)} in {images}, with "
        f"{agree(number, 'its box', 'their boxes')}",
        "**Undo mask fixes** restores them",
    )


def _label_ids(ctx: ExecutionContext) -> Any:
    return ctx.params.get("label_ids") or _selected(ctx)


def _selected(ctx: ExecutionContext) -> list[str]:
    """Returns the ids of the labels that are selected in the App.

    A patch has the id of its label.
    """
    labels = [label["label_id"] for label in ctx.selected_labels or ()]
    patches = [*ctx.selected, *([ctx.current_sample] if ctx.current_sample else [])]
    if labels or not patches or _patches_field(ctx) is None:
        return labels
    return list(ctx.selected or patches)


def _usual(ctx: ExecutionContext, fields: list[str]) -> str:
    """Returns the field whose labels are meant, if nobody says which."""
    from ..datasets.label_lists import LabelList, boxes_beside

    shown = _patches_field(ctx)
    usual = default_field(fields, usual_objects(fields))
    if shown is None:
        return usual
    # Of boxes that belong to polygons, the polygons are meant.
    for name in [usual, *fields]:
        boxes = boxes_beside(ctx.dataset, LabelList.of_field(ctx.dataset, name))
        if shown in (name, boxes.field if boxes else None):
            return name
    return usual


def _patches_field(ctx: ExecutionContext) -> str | None:
    """Returns the field whose patches the grid shows, None if it shows samples."""
    from ..datasets.documents import patches_field

    return patches_field(ctx.view) if ctx.has_custom_view else None
