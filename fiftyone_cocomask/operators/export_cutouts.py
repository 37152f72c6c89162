"""Operator: objects become RGBA PNG files with a transparent background."""

from __future__ import annotations

import os
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from .choosing import Choice, choose, default_field
from .exporting import ExportOperator, confirm_folder, say_where
from .job import ProgressArgument, Results, job_config
from .label_fields import (
    drawable_fields,
    segmentation_fields,
    why_no_field,
)
from .paths import ask_for_path, given_path, path_text
from .prerequisites import choosable
from .results import NextStep, class_rows, next_step, split_rows
from .target_samples import target_samples


class ExportCutouts(ExportOperator):
    """Writes objects, or whole foregrounds, as RGBA PNG files."""

    verb = "Cutting out"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="export_cutouts",
            label="Export cut-outs",
            description="Write objects as PNG files with a transparent background",
            icon="/assets/mask.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        label_or_mask_field: str = "segmentations",
        output_dir: str | os.PathLike[str] | None = None,
        *,
        crop: bool = True,
        confirm: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Writes objects, or whole foregrounds, as RGBA PNG files.

        Example::

            import fiftyone.operators as foo

            export_cutouts = foo.get_operator("@cocomask/cocomask/export_cutouts")
            export_cutouts(dataset, "segmentations", "/path/to/cutouts")

        Args:
            samples: the dataset or view
            label_or_mask_field: a field of Polylines, Detections with masks, or a
                ``Segmentation``
            output_dir: the folder of the files
            crop: whether to leave only the rectangle around the foreground
            confirm: whether ``output_dir`` may lie in the folder of an export
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`ExportedFiles.to_dict`
        """
        params = {
            "label_or_mask_field": label_or_mask_field,
            "output_dir": path_text(output_dir),
            "crop": crop,
            "confirm": confirm,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what is cut out and where it goes."""
        fields = choosable(ctx, inputs, _fields, why_no_field)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Writes the files and returns the report."""
        from ..datasets.exporting.masks import export_cutouts

        params = ctx.params
        samples = target_samples(ctx)
        field = params.get("label_or_mask_field") or default_field(
            _fields(ctx.dataset), "segmentations"
        )
        report = export_cutouts(
            samples,
            field,
            given_path(params.get("output_dir")) or "",
            crop=params.get("crop", True),
            progress=progress,
        )
        is_mask = field in segmentation_fields(ctx.dataset)
        return {
            **report.to_dict(),
            "label_or_mask_field": field,
            "per_class": [] if is_mask else class_rows(samples, field),
            "per_split": split_rows(samples),
        }

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the export of whole masks, where there are any."""
        if not segmentation_fields(ctx.dataset):
            return []
        why = "Write the whole masks as PNG files, too; give output_dir"
        return [next_step("export_masks", why)]


def _fields(dataset: Dataset) -> list[str]:
    return [*drawable_fields(dataset), *segmentation_fields(dataset)]


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    params = ctx.params
    masks = segmentation_fields(ctx.dataset)
    name = choose(
        inputs,
        "label_or_mask_field",
        [
            Choice(field, description="Whole images" if field in masks else "Objects")
            for field in fields
        ],
        params.get("label_or_mask_field"),
        label="What",
        description="Each object of a label field, or each image's whole foreground",
        default=default_field(fields, "segmentations"),
    )
    inputs.bool(
        "crop",
        default=True,
        label="Crop",
        description="Leave only the rectangle around the foreground",
        view=types.CheckboxView(),
    )
    ask_for_path(
        ctx,
        inputs,
        "output_dir",
        label="Folder",
        description="The folder to write to",
        required=True,
        written=True,
    )
    ending = "" if name in masks else "_<number>_<class>"
    say_where(ctx, inputs, f"<split>/<image's name>{ending}.png")
    confirm_folder(ctx, inputs)
