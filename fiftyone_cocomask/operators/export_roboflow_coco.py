"""Operator: a dataset or view becomes a COCO export that Roboflow takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..choices import AREAS, IMAGES, MASKS, Area, Images, Masks
from ..fiftyone_types import ExecutionContext, SampleCollection
from ..words import count
from .choosing import Choice, choose, default_field, radio
from .forms import note, reject
from .in_time import images_in
from .job import JobOperator, ProgressArgument, Results, job_config
from .label_fields import (
    chosen_labels,
    labelled_fields,
    usual_objects,
    why_no_labels,
)
from .markdown import code
from .paths import ask_for_path, given_path, path_text
from .prerequisites import choosable
from .results import NextStep, class_rows, next_step, outcome, rows
from .target_samples import target_slices


class ExportRoboflowCoco(JobOperator):
    """Writes a dataset or view as a COCO export."""

    verb = "Writing the export"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="export_roboflow_coco",
            label="Export to Roboflow COCO",
            description="Write the dataset back as a COCO export, with all edits",
            icon="/assets/export.svg",
            risk_level=types.RiskLevel.HIGH,
        )

    def __call__(
        self,
        samples: SampleCollection,
        output_dir: str | os.PathLike[str],
        *,
        label_field: str | None = None,
        box_field: str | None = None,
        images: Images | None = None,
        area: Area | None = None,
        masks: Masks | None = None,
        overwrite: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Writes a dataset or view as a COCO export.

        Example::

            import fiftyone.operators as foo

            export = foo.get_operator("@cocomask/cocomask/export_roboflow_coco")
            export(dataset, "/path/to/export")

        Args:
            samples: the dataset or view
            output_dir: the folder to write to
            label_field: the objects; ``"segmentations"`` by default
            box_field: the field of the same objects' boxes; ``"detections"`` by default
            images: ``"copy"`` (the default), ``"link"`` or ``"none"``
            area: ``"mask"`` (the default) or ``"box"``
            masks: ``"rle"`` (the default) or ``"polygons"``
            overwrite: whether the folder may hold an export already
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`CocoExportReport.to_dict`
        """
        params = {
            "output_dir": path_text(output_dir),
            "label_field": label_field,
            "box_field": box_field,
            "images": images,
            "area": area,
            "masks": masks,
            "overwrite": overwrite,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which labels go where, and how."""
        fields = choosable(ctx, inputs, labelled_fields, why_no_labels)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Writes the export and returns the report."""
        from ..datasets.exporting.coco import export_roboflow_coco

        names = ("box_field", "images", "area", "masks", "overwrite")
        given = {name: ctx.params[name] for name in names if ctx.params.get(name)}
        samples = target_slices(ctx)
        label_field = chosen_labels(ctx)
        report = export_roboflow_coco(
            samples,
            given_path(ctx.params.get("output_dir")) or "",
            label_field=label_field,
            progress=progress,
            **given,
        )
        return {
            **report.to_dict(),
            "label_field": label_field,
            "per_class": class_rows(samples, label_field),
            "per_split": rows("split", report.splits),
        }

    def warnings(self, results: Results) -> list[str]:
        """Returns what could not be written, and what a reader should know."""
        if not results["num_losses"]:
            return list(results["warnings"])
        first = results["losses"][0]
        lost = f"{results['num_losses']:,} could not be written. The first: "
        return [f"{lost}{_place(first)}{first['reason']}", *results["warnings"]]

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the comparison of what was written."""
        why = "Say what only the export has, and what only the dataset has"
        known = {"path": results["output_dir"], "label_field": results["label_field"]}
        return [next_step("compare_exports", why, **known)]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Leaves the App as it is: the dataset has not changed."""
        yield from ()

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows what was written, what was edited, and what is lost."""
        images = count(results["images"], "image")
        annotations = count(results["annotations"], "annotation")
        counts = [
            f"{results[name]:,} {name.replace('_', ' ')}"
            for name in (
                *("unchanged", "edited", "relabelled", "added", "deleted"),
                "left_out",
            )
            if results[name]
        ]
        outputs.view(
            "written",
            outcome(
                results["images"],
                label=f"{images} and {annotations} written",
                description=f"In {code(results['output_dir'])}",
                caption=", ".join(counts),
            ),
        )


def _place(loss: dict[str, Any]) -> str:
    path = loss.get("filepath") or loss.get("file_name")
    return f"{os.path.basename(path)}: " if path else ""


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.exporting.coco import folder_problem
    from ..datasets.exporting.coco_fields import own_box_field

    params = ctx.params
    label_field = choose(
        inputs,
        "label_field",
        [Choice(field) for field in fields],
        params.get("label_field"),
        label="Labels",
        description="The objects to write",
        default=usual_objects(fields),
    )
    usual = own_box_field(ctx.dataset, label_field or "")
    choose(
        inputs,
        "box_field",
        [Choice(field) for field in fields],
        params.get("box_field"),
        label="Boxes",
        description="The boxes of the same objects, as the import makes them",
        default=default_field(fields, usual),
    )
    field = ask_for_path(
        ctx,
        inputs,
        "output_dir",
        label="Folder",
        description="An empty folder, or a new one",
        required=True,
        written=True,
    )
    path = given_path(params.get("output_dir"))
    if path is not None and not field.invalid:
        overwrite = bool(params.get("overwrite"))
        problem = folder_problem(ctx.dataset, path, overwrite=overwrite)
        if problem is not None:
            reject(field, problem)
    for name, choices, label in (
        ("images", IMAGES, "Images"),
        ("area", AREAS, "Area of new and edited objects"),
        ("masks", MASKS, "Instance masks"),
    ):
        choose(
            inputs,
            name,
            choices,
            params.get(name),
            label=label,
            default=choices[0].value,
            view=radio,
        )
    inputs.bool(
        "overwrite",
        default=False,
        label="Replace an export that is in the folder",
        description="Its JSONs are replaced; images never are",
        view=types.CheckboxView(),
    )
    images = images_in(target_slices(ctx))
    note(
        inputs,
        "outcome",
        f"Writes an export of {images}",
        "A folder for each split, with `_annotations.coco.json` beside its images. "
        "What was not edited is written as it was imported.",
    )
