"""Operator: the objects of each sample become one mask."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..choices import (
    Boxes,
    Mode,
    Overlap,
    Rasterizer,
    Storage,
)
from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from ..words import agree, count
from .choosing import given_params
from .job import ProgressArgument, Results, job_config
from .label_fields import (
    box_fields,
    chosen_objects,
    drawable_fields,
    why_no_field,
)
from .markdown import bold, code
from .mask_form import ask_for_masks, default_mask_field
from .paths import given_path, path_text
from .prerequisites import choosable
from .results import NextStep, class_rows, in_sentence, next_step, outcome, split_rows
from .split_job import SplitJobOperator, is_of_tasks
from .target_samples import target_samples

if TYPE_CHECKING:
    from ..datasets.parallel.shared_runs import SplitRun


# The parameters that decide the pixels of the masks, and what becomes of the masks.
_DRAWING = ("mode", "rasterizer", "overlap", "classes", "include_crowd")
_KEEPING = ("output_dir", "storage", "overwrite", "boxes")


class ComputeMasks(SplitJobOperator):
    """Draws the objects of each sample into one mask per sample."""

    verb = "Drawing masks"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="compute_masks",
            label="Compute masks",
            description="Draw objects into one mask per image; fills in metadata",
            icon="/assets/mask.svg",
            allow_distributed_execution=True,
            risk_level=types.RiskLevel.HIGH,
        )

    def __call__(
        self,
        samples: SampleCollection,
        label_field: str = "segmentations",
        mask_field: str = "mask",
        *,
        mode: Mode = "binary",
        rasterizer: Rasterizer = "coco",
        overlap: Overlap | Sequence[str] = "largest_first",
        classes: Sequence[str] | None = None,
        include_crowd: bool = True,
        output_dir: str | os.PathLike[str] | None = None,
        storage: Storage = "disk",
        overwrite: bool = False,
        boxes: Boxes = "skip",
        num_workers: int | None = None,
        num_tasks: int = 1,
        confirm: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Draws the objects of each sample into one mask per sample.

        Example::

            import fiftyone.operators as foo

            compute_masks = foo.get_operator("@cocomask/cocomask/compute_masks")
            result = compute_masks(dataset, "segmentations", "mask")
            print(result.result["images"])

        Args:
            samples: the dataset or view
            label_field: a field of Polylines, or of Detections with masks
            mask_field: the ``Segmentation`` field to write
            mode: what the values of the masks mean; :func:`compute_masks` says more of
                this one and the next two
            rasterizer: whose pixels are drawn
            overlap: which object is on top: a policy, or a list of classes, later on
                top
            classes: the classes to draw, all by default
            include_crowd: whether to draw crowd annotations
            output_dir: the folder of the mask files
            storage: ``"disk"`` or ``"database"``
            overwrite: whether to draw every mask again and to replace foreign ones
            boxes: boxes without a shape: ``"skip"``, ``"draw"`` or ``"error"``
            num_workers: the number of processes that draw, in each task
            num_tasks: the number of delegated operations to queue, each of which
                draws a part of the masks; 1 draws them all here and now
            confirm: whether ``output_dir`` may lie in the folder of an export
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`MaskReport.to_dict`, and of several tasks the ``run``
            and ``num_tasks``
        """
        params = {
            "label_field": label_field,
            "mask_field": mask_field,
            "mode": mode,
            "rasterizer": rasterizer,
            "overlap": overlap if isinstance(overlap, str) else as_text_list(overlap),
            "classes": as_text_list(classes),
            "include_crowd": include_crowd,
            "output_dir": path_text(output_dir),
            "storage": storage,
            "overwrite": overwrite,
            "boxes": boxes,
            "num_workers": num_workers,
            "num_tasks": num_tasks,
            "confirm": confirm,
        }
        return self.execute_on(samples, params, delegate)

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return self.grid_button()

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what is drawn, and what it replaces."""
        fields = choosable(ctx, inputs, _drawable_or_boxes, why_no_field)
        if fields:
            ask_for_masks(ctx, inputs, fields)

    def run_at_once(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Draws the masks and returns the report."""
        from ..datasets.masks.compute import compute_masks

        samples = target_samples(ctx)
        report = compute_masks(
            samples,
            **_fields(ctx),
            **_given(ctx, _DRAWING),
            **_given(ctx, _KEEPING),
            num_workers=ctx.params.get("num_workers"),
            progress=progress,
        )
        return _results(ctx, samples, report)

    def begin_run(
        self, ctx: ExecutionContext, samples: SampleCollection
    ) -> dict[str, Any]:
        """Declares the field of the masks, so that no two tasks do."""
        from ..datasets.masks.compute import begin_tasks
        from ..datasets.masks.options import MaskOptions
        from ..datasets.masks.plan import plan_masks
        from ..datasets.parallel.workers import process_count

        process_count(ctx.params.get("num_workers"))
        plan = plan_masks(
            samples,
            **_fields(ctx),
            asked=MaskOptions.asked(**_given(ctx, _DRAWING)),
            **_given(ctx, _KEEPING),
        )
        begin_tasks(ctx.dataset, plan)
        return plan.to_dict()

    def run_task(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        number: int,
        progress: ProgressArgument,
    ) -> dict[str, Any]:
        """Draws the masks of a part of the samples."""
        from ..datasets.masks.compute import draw_part
        from ..datasets.masks.options import MaskPlan
        from ..datasets.parallel.workers import process_count

        plan = MaskPlan.from_dict(run.plan)
        processes = process_count(ctx.params.get("num_workers"))
        return draw_part(target_samples(ctx), plan, processes, progress).to_dict()

    def join_tasks(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        parts: list[dict[str, Any]],
        progress: ProgressArgument,
    ) -> Results:
        """Returns one report of all masks."""
        from ..datasets.masks.report import MaskReport

        return _results(ctx, ctx.dataset, MaskReport.of_parts(parts))

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Shows the masks in the grid."""
        yield ctx.ops.reload_dataset()
        if is_of_tasks(results):
            return
        fields = [*ctx.active_fields, results["mask_field"]]
        yield ctx.ops.set_active_fields(list(dict.fromkeys(fields)))

    def warnings(self, results: Results) -> list[str]:
        """Returns what is not in the masks."""
        found = [
            f"{count(number, 'object')} {agree(number, one, many)} {what}"
            for number, one, many, what in (
                (results["num_hidden"], "lies", "lie", "under others: no pixel shows"),
                (results["lines"], "is", "are", "not filled: drawn as lines"),
                (results["without_geometry"], "has", "have", "no geometry to draw"),
            )
            if number
        ]
        if results["boxes"]:
            found.append(
                f"Boxes without a shape: {results['boxes']:,}. The masks have "
                "background there"
            )
        if results["num_skipped"]:
            first = results["skipped"][0]
            found.append(in_sentence(results["num_skipped"], "got no mask", first))
        return found

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the evaluations."""
        why = {
            "area": "Count the pixels of masks and of each object",
            "coverage": "Measure which share of each image is covered",
        }
        fields = {name: results[name] for name in ("mask_field", "label_field")}
        return [next_step(f"evaluate_mask_{k}", w, **fields) for k, w in why.items()]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many masks there are and what is not in them."""
        images = count(results["images"], "mask")
        objects = results["objects"] + results["unchanged_objects"]
        unchanged = f", {results['unchanged']:,} of them unchanged"
        outputs.view(
            "masks",
            outcome(
                results["images"],
                label=f"{images} in {bold(results['mask_field'])}"
                + (unchanged if results["unchanged"] else ""),
                description=f"{count(objects, 'object')}, "
                f"{count(results['overlap_px'], 'pixel')} under two or more of them.",
                caption=results["output_dir"]
                and f"Files: {code(results['output_dir'])}",
            ),
        )


def _drawable_or_boxes(dataset: Dataset) -> list[str]:
    return drawable_fields(dataset) or box_fields(dataset)


def _fields(ctx: ExecutionContext) -> dict[str, Any]:
    """Returns the fields of the objects and of the masks."""
    return {
        "label_field": chosen_objects(ctx),
        "mask_field": ctx.params.get("mask_field") or default_mask_field(ctx),
    }


def _given(ctx: ExecutionContext, names: Sequence[str]) -> dict[str, Any]:
    """Returns what is given of some arguments of the SDK."""
    params = dict(ctx.params)
    params["output_dir"] = given_path(params.get("output_dir"))
    found = given_params(params, names)
    if "overlap" in names:
        order = params.get("class_order") or []
        if found.get("overlap") == "classes" or (order and "overlap" not in found):
            found["overlap"] = order
    return found


def _results(ctx: ExecutionContext, samples: SampleCollection, report: Any) -> Results:
    fields = _fields(ctx)
    return {
        **report.to_dict(),
        **fields,
        "per_class": class_rows(samples, fields["label_field"]),
        "per_split": split_rows(samples),
    }
