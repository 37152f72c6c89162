"""Operator: what changed between an export and the dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext, SampleCollection
from ..limits import MAX_NAMED
from ..words import count
from .choosing import Choice, choose, radio
from .export_form import ask_for_place
from .export_preview import preview_export
from .forms import note, reject
from .in_time import images_in
from .job import JobOperator, ProgressArgument, Results, job_config
from .label_fields import (
    chosen_labels,
    labelled_fields,
    usual_objects,
    why_no_labels,
)
from .markdown import code, plain
from .paths import given_path, path_text
from .prerequisites import choosable
from .results import NextStep, next_step, rows
from .target_samples import target_slices

if TYPE_CHECKING:
    import pandas as pd

_MAX_ROWS = 12
_DIRECTIONS = (
    Choice("export_first", "The export is the older one"),
    Choice("dataset_first", "The dataset is the older one"),
)


class CompareExports(JobOperator):
    """Compares an export with the dataset."""

    verb = "Comparing"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="compare_exports",
            label="Compare with an export",
            description="Say what changed between a COCO export and this dataset",
            icon="/assets/check.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        path: str | os.PathLike[str],
        *,
        label_field: str | None = None,
        order: Literal["export_first", "dataset_first"] | None = None,
        delegate: bool = False,
    ) -> Any:
        """Compares an export with a dataset or view, and saves views of the changes.

        Example::

            import fiftyone.operators as foo

            compare = foo.get_operator("@cocomask/cocomask/compare_exports")
            compare(dataset, "/path/to/export")

        Args:
            samples: the dataset or view
            path: the export's folder, its ``.zip``, or a COCO JSON file
            label_field: the objects; ``"segmentations"`` by default
            order: ``"export_first"`` (the default): the export is the older one; or
                ``"dataset_first"``
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`ExportComparison.to_dict` with at most 1,000 changes
            of annotations and of images (the numbers count all), and ``views``
        """
        params = {
            "path": path_text(path),
            "label_field": label_field,
            "order": order,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which export is compared with which labels."""
        fields = choosable(ctx, inputs, labelled_fields, why_no_labels)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Compares, saves the views, and returns what was found."""
        from ..datasets.exporting.compare import compare_exports
        from ..datasets.exporting.comparison_views import save_comparison_views
        from ..datasets.parallel.workers import process_count

        label_field = chosen_labels(ctx)
        sources = [given_path(ctx.params.get("path")) or "", target_slices(ctx)]
        if ctx.params.get("order") == "dataset_first":
            sources.reverse()
        comparison = compare_exports(
            *sources,
            label_field=label_field,
            # The App's server forks only if FiftyOne's configuration says so.
            num_workers=process_count(None),
            progress=progress,
        )
        views = save_comparison_views(ctx.dataset, comparison, label_field)
        changes = comparison.changes()
        return {
            **comparison.to_dict(MAX_NAMED),
            "edited": _most_changed(changes),
            "views": views,
            "per_split": _by_split(changes),
        }

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the merge of a later export, or the dataset's own export."""
        if results["same"]:
            return []
        if ctx.params.get("order") == "dataset_first":
            why = "Say what taking the export in would change, without doing it"
            known = {"path": ctx.params.get("path"), "dataset": ctx.dataset.name}
            return [next_step("import_roboflow_coco", why, **known, dry_run=True)]
        why = "Write the dataset back as a COCO export; give output_dir"
        return [next_step("export_roboflow_coco", why)]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Reloads the dataset for its new saved views."""
        yield ctx.ops.reload_dataset()

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows the change log, and the views."""
        title = plain(f"{results['old']} → {results['new']}")
        if results["same"]:
            outputs.view("same", types.Success(label=f"No changes: {title}"))
            return
        lines = [
            f"- {what.capitalize()}: {_counts(results[what])}"
            for what in ("images", "annotations")
        ]
        for key, word in (("classes_added", "added"), ("classes_removed", "removed")):
            if results[key]:
                listed = plain(", ".join(results[key][:_MAX_ROWS]))
                lines.append(f"- Classes {word}: {listed}")
        outputs.view("changes", types.Notice(label=title, description="\n".join(lines)))
        if results["edited"]:
            edited = [
                f"| {plain(row['file_name'])} | {plain(row['new_label'])} | "
                f"{row['iou']:.3f} | "
                f"{row['boundary_iou']:.3f} |"
                for row in results["edited"]
            ]
            head = ["| Image | Class | IoU | Boundary IoU |", "|---|---|---|---|"]
            number = results["annotations"]["edited"]
            outputs.view(
                "edited",
                types.Notice(
                    label=f"{count(number, 'edited object')}, the most changed first",
                    description="\n".join([*head, *edited]),
                ),
            )
        if results["views"]:
            names = ", ".join(code(name) for name in results["views"].values())
            outputs.view(
                "views",
                types.Success(label="Saved views of what changed", description=names),
            )


def _most_changed(changes: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns the edited annotations of the smallest Boundary IoU, as JSON has them."""
    edited = changes[changes["change"] == "edited"].dropna(subset=["boundary_iou"])
    worst = edited.astype({"boundary_iou": float}).nsmallest(_MAX_ROWS, "boundary_iou")
    names = ["file_name", "new_label", "iou", "boundary_iou", "label_id"]
    found: list[dict[str, Any]] = worst[names].to_dict("records")
    return found


def _by_split(changes: pd.DataFrame) -> list[dict[str, Any]]:
    """Returns how many annotations of each split have changed in which way."""
    found: dict[str, dict[str, int]] = {}
    for (split, kind), number in changes.groupby(["split", "change"]).size().items():
        found.setdefault(split, {})[kind] = int(number)
    return rows("split", found)


def _counts(counts: dict[str, int]) -> str:
    found = [f"{n:,} {name.replace('_', ' ')}" for name, n in counts.items() if n]
    return ", ".join(found) or "none"


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    params = ctx.params
    place = ask_for_place(ctx, inputs)
    path = given_path(params.get("path"))
    preview = None if path is None else preview_export(ctx, path, None)
    problem = None if preview is None else preview.error
    if problem is not None:
        reject(place, problem)
        return
    choose(
        inputs,
        "label_field",
        [Choice(field) for field in fields],
        params.get("label_field"),
        label="Labels",
        description="The objects to compare with it",
        default=usual_objects(fields),
    )
    choose(
        inputs,
        "order",
        _DIRECTIONS,
        params.get("order"),
        label="Order",
        description="Which of the two the changes start from",
        default="export_first",
        view=radio,
    )
    images = images_in(target_slices(ctx))
    note(
        inputs,
        "outcome",
        f"Says what was added, removed, relabelled and edited in {images}",
        "Views of what changed are saved on the dataset, in place of those of the last "
        "comparison. Nothing else is changed.",
    )
