"""Operator: masks become 0/255 PNG files for other programs."""

from __future__ import annotations

import os
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..choices import VALUES, Values
from ..fiftyone_types import ExecutionContext, SampleCollection
from .choosing import choose, choose_field, default_field, radio
from .exporting import (
    ExportOperator,
    confirm_beside_images,
    confirm_folder,
    say_where,
)
from .folding import hide_unless
from .forms import reject
from .from_app import is_from_app
from .job import ProgressArgument, Results, job_config
from .label_fields import fields_of_masks, segmentation_fields
from .paths import ask_for_path, given_path, path_text
from .results import NextStep, next_step, split_rows
from .target_samples import target_samples


class ExportMasks(ExportOperator):
    """Writes masks as 0/255 PNG files."""

    verb = "Writing masks"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="export_masks",
            label="Export masks",
            description="Write masks as PNG files, in a folder or beside images",
            icon="/assets/mask.svg",
            risk_level=types.RiskLevel.HIGH,
        )

    def __call__(
        self,
        samples: SampleCollection,
        mask_field: str = "mask",
        output_dir: str | os.PathLike[str] | None = None,
        *,
        beside_images: bool = False,
        suffix: str = "_mask",
        values: Values | None = None,
        per_class: bool = False,
        confirm: bool = False,
        delegate: bool = False,
    ) -> Any:
        """Writes masks as 0/255 PNG files.

        Example::

            import fiftyone.operators as foo

            export_masks = foo.get_operator("@cocomask/cocomask/export_masks")
            export_masks(dataset, "mask", "/path/to/masks")

        Args:
            samples: the dataset or view
            mask_field: a ``Segmentation`` field
            output_dir: the folder of the files
            beside_images: whether to write them beside the images instead
            suffix: what to put behind the images' names
            values: ``"binary"`` (the default), ``"class"`` or ``"instance"``
            per_class: whether each class has masks of its own, in its own folder
            confirm: whether ``output_dir`` may lie in the folder of an export
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`ExportedFiles.to_dict`
        """
        params = {
            "mask_field": mask_field,
            "beside_images": beside_images,
            # A caller from Python has said yes by asking for it.
            "confirm": confirm or beside_images,
            "output_dir": path_text(output_dir),
            "suffix": suffix,
            "per_class": per_class,
            **({} if values is None else {"values": values}),
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which masks go where."""
        fields = fields_of_masks(ctx, inputs)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Writes the files and returns the report."""
        from ..datasets.exporting.masks import export_masks

        params = ctx.params
        beside_images = bool(params.get("beside_images"))
        fields = segmentation_fields(ctx.dataset)
        samples = target_samples(ctx)
        mask_field = params.get("mask_field") or default_field(fields, "mask")
        report = export_masks(
            samples,
            mask_field,
            None if beside_images else given_path(params.get("output_dir")),
            beside_images=beside_images,
            suffix=_suffix(params),
            values=params.get("values") or "binary",
            per_class=bool(params.get("per_class")),
            progress=progress,
        )
        return {
            **report.to_dict(),
            "mask_field": mask_field,
            "per_split": split_rows(samples),
        }

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the export of the annotations themselves."""
        why = "Write the annotations back as a COCO export; give output_dir"
        return [next_step("export_roboflow_coco", why)]


def _suffix(params: dict[str, Any]) -> Any:
    """Returns what follows the names of images, which may be nothing."""
    given = params.get("suffix")
    return "_mask" if given is None else given


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    params = ctx.params
    choose_field(
        inputs,
        "mask_field",
        fields,
        params.get("mask_field"),
        label="Masks",
        description="The masks to write: 255 wherever one is not 0",
        usual="mask",
    )
    choose(
        inputs,
        "values",
        VALUES,
        params.get("values"),
        label="Values",
        default="binary",
        view=radio,
    )
    inputs.bool(
        "per_class",
        default=False,
        label="A folder per class",
        description="A 0/255 mask for each class that an image has; of semantic masks",
        view=types.CheckboxView(),
    )
    inputs.bool(
        "beside_images",
        default=False,
        label="Beside the images",
        description="Instead of in a folder, with an ending of their own",
        view=types.CheckboxView(),
    )
    beside_images = bool(params.get("beside_images"))
    suffix = _suffix(params)
    field = inputs.str(
        "suffix",
        label="Ending",
        description="What is put behind the image's name",
        default="_mask",
    )
    if not isinstance(suffix, str) or "/" in suffix or "\\" in suffix:
        reject(field, f"suffix must be a part of a file name, not {suffix!r}")
        return
    place = ask_for_path(
        ctx,
        inputs,
        "output_dir",
        label="Folder",
        description="The folder to write to",
        required=not beside_images,
        written=True,
    )
    hide_unless(ctx, inputs, ["output_dir"], not beside_images)
    if not beside_images:
        say_where(ctx, inputs, f"<split>/<image's name>{suffix}.png")
        confirm_folder(ctx, inputs)
        return
    if given_path(params.get("output_dir")) is not None and not is_from_app(ctx):
        reject(place, "Give either output_dir or beside_images, not both")
    say_where(ctx, inputs, f"<image's name>{suffix}.png beside each image")
    confirm_beside_images(ctx, inputs)
