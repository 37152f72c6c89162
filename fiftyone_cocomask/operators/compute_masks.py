"""Operator: the objects of each sample become one mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from .export_form import ask_for_path, given_path
from .forms import (
    Choice,
    choose,
    choose_several,
    count,
    dataset_problem,
    default_field,
    form,
    note,
    radio,
    reject,
    stop,
    warn,
)
from .job import JobOperator, ProgressArgument, Results
from .label_fields import drawable_fields, why_no_field

_MODES = (
    Choice("binary", "Binary", "255 where there is an object, else 0"),
    Choice("semantic", "Semantic", "The value of each object's class"),
    Choice("instance", "Instance", "1, 2, 3 ... for the objects of an image"),
)
_RASTERIZERS = (
    Choice("coco", "COCO", "The pixels of pycocotools, as COCO counts them"),
    Choice(
        "opencv",
        "OpenCV",
        "cv2.fillPoly on truncated coordinates: wider by about half a pixel",
    ),
)
_OVERLAPS = (
    Choice("largest_first", "Small objects on top", "So that they stay visible"),
    Choice("smallest_first", "Large objects on top", "So that they stay whole"),
    Choice("annotation_order", "Later annotations on top", "As the export has them"),
)
_BY_CLASS = Choice("classes", "In an order of the classes", "Later on top")
_STORAGES = (
    Choice("disk", "PNG files", "Lossless, 1 bit a pixel for binary masks"),
    Choice("database", "Arrays in the database", "No files are written"),
)


class ComputeMasks(JobOperator):
    """Draws the objects of each sample into one mask per sample."""

    verb = "Drawing masks"

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="compute_masks",
            label="Compute masks",
            description="Draw polygons, RLE or object masks into one mask per image",
            icon="/assets/mask.svg",
            dynamic=True,
            execute_as_generator=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: Any,
        label_field: str = "segmentations",
        mask_field: str = "mask",
        *,
        mode: str = "binary",
        rasterizer: str = "coco",
        overlap: str | Sequence[str] = "largest_first",
        classes: Sequence[str] | None = None,
        include_crowd: bool = True,
        output_dir: str | None = None,
        storage: str = "disk",
        overwrite: bool = False,
        num_workers: int | None = None,
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
            mode: ``"binary"``, ``"semantic"`` or ``"instance"``
            rasterizer: ``"coco"`` or ``"opencv"``
            overlap: ``"largest_first"``, ``"smallest_first"``, ``"annotation_order"``
                or a list of classes, later on top
            classes: the classes to draw, all by default
            include_crowd: whether to draw crowd annotations
            output_dir: the folder of the mask files
            storage: ``"disk"`` or ``"database"``
            overwrite: whether to draw every mask again and to replace foreign ones
            num_workers: the number of processes that draw
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`MaskReport.to_dict`
        """
        by_class = not isinstance(overlap, str)
        params = {
            "label_field": label_field,
            "mask_field": mask_field,
            "mode": mode,
            "rasterizer": rasterizer,
            "overlap": "classes" if by_class else overlap,
            "class_order": list(overlap) if by_class else None,
            "classes": None if classes is None else list(classes),
            "include_crowd": include_crowd,
            "output_dir": output_dir,
            "storage": storage,
            "overwrite": overwrite,
            "num_workers": num_workers,
        }
        return foo.execute_operator(
            self.uri,
            view=samples.view(),
            params=params,
            request_delegation=delegate,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(label="Compute masks", icon="/assets/mask.svg", prompt=True),
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Returns the form: what is drawn, and what it replaces."""
        inputs = types.Object()
        problem = dataset_problem(ctx)
        fields = [] if problem else drawable_fields(ctx.dataset)
        if problem or not fields:
            stop(inputs, problem or why_no_field(ctx.dataset))
        else:
            _ask(ctx, inputs, fields)
        return form(inputs, "Compute masks")

    def run(self, ctx: Any, progress: ProgressArgument) -> Results:
        """Draws the masks and returns the report."""
        from ..datasets.masks import compute_masks

        params = ctx.params
        label_field = params.get("label_field") or default_field(
            drawable_fields(ctx.dataset), "segmentations"
        )
        by_class = params.get("overlap") == "classes"
        report = compute_masks(
            ctx.target_view(),
            label_field,
            params.get("mask_field") or "mask",
            mode=params.get("mode") or "binary",
            rasterizer=params.get("rasterizer") or "coco",
            overlap=(
                params.get("class_order") or []
                if by_class
                else params.get("overlap") or "largest_first"
            ),
            classes=params.get("classes") or None,
            include_crowd=params.get("include_crowd", True),
            output_dir=given_path(params.get("output_dir")),
            storage=params.get("storage") or "disk",
            overwrite=params.get("overwrite", False),
            num_workers=params.get("num_workers"),
            progress=progress,
        )
        mask_field = params.get("mask_field") or "mask"
        return {**report.to_dict(), "mask_field": mask_field}

    def update_app(self, ctx: Any, results: Results) -> Iterator[Any]:
        """Shows the masks in the grid."""
        yield ctx.ops.reload_dataset()
        fields = [*ctx.active_fields, results["mask_field"]]
        yield ctx.ops.set_active_fields(list(dict.fromkeys(fields)))

    def show_results(self, ctx: Any, outputs: types.Object, results: Results) -> None:
        """Shows how many masks there are and what is not in them."""
        images = count(results["images"], "mask")
        unchanged = f", {results['unchanged']:,} of them unchanged"
        outputs.view(
            "masks",
            types.Success(
                label=f"{images} in **{results['mask_field']}**"
                + (unchanged if results["unchanged"] else ""),
                description=f"{count(results['objects'], 'object')}, "
                f"{count(results['overlap_px'], 'pixel')} under two or more of them. "
                "Next: **Evaluate mask area** and **Evaluate mask coverage**",
                caption=results["output_dir"] and f"Files: `{results['output_dir']}`",
            ),
        )
        for name, number, what in (
            ("hidden", results["num_hidden"], "lie under others: no pixel is visible"),
            ("empty", results["without_geometry"], "have no geometry to draw"),
        ):
            if number:
                label = f"{count(number, 'object')} {what}"
                outputs.view(name, types.Warning(label=label))
        if results["num_skipped"]:
            first = results["skipped"][0]
            outputs.view(
                "skipped",
                types.Error(
                    label=f"{count(results['num_skipped'], 'image')} got no mask",
                    description=f"The first is {first['filepath']}: {first['reason']}",
                ),
            )


def _ask(ctx: Any, inputs: types.Object, fields: list[str]) -> None:
    params = ctx.params
    target = ctx.target_view()
    label_field = choose(
        inputs,
        "label_field",
        [Choice(name) for name in fields],
        params.get("label_field"),
        label="Objects",
        description="The polygons, or detections with masks, to draw",
        default=default_field(fields, "segmentations"),
        problem=f"Dataset '{ctx.dataset.name}' has no objects to draw in the field "
        f"{params.get('label_field')!r}; it has them in {', '.join(fields)}",
    )
    mask_field = _ask_for_mask_field(ctx, inputs, label_field)
    for name, choices, label in (
        ("mode", _MODES, "Values"),
        ("rasterizer", _RASTERIZERS, "Pixels"),
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
    classes = _classes(ctx.dataset, label_field)
    if params.get("mode") in ("semantic", "instance"):
        _ask_for_overlap(params, inputs, classes)
    if len(classes) > 1:
        choose_several(
            inputs,
            "classes",
            classes,
            params.get("classes"),
            label="Classes",
            description="The classes to draw; all if none is chosen",
        )
    inputs.bool("more", default=False, label="More options", view=types.SwitchView())
    _ask_for_more(ctx, inputs)
    if mask_field is not None and label_field is not None:
        _say_what_will_happen(ctx, inputs, target, mask_field)


def _ask_for_mask_field(
    ctx: Any, inputs: types.Object, label_field: str | None
) -> str | None:
    from ..datasets.mask_plan import check_mask_field
    from ..errors import CocoMaskError

    given = ctx.params.get("mask_field") or "mask"
    field = inputs.str(
        "mask_field",
        label="Mask field",
        description="The field to write: a new one, or one of masks",
        default="mask",
    )
    try:
        check_mask_field(ctx.dataset, given, label_field or "")
    except CocoMaskError as error:
        reject(field, str(error))
        return None
    return given


def _classes(dataset: Any, label_field: str | None) -> list[str]:
    from ..datasets.labels import object_list_path

    if label_field is None:
        return []
    return dataset.distinct(f"{object_list_path(dataset, label_field)}.label")


def _ask_for_overlap(
    params: dict[str, Any], inputs: types.Object, classes: list[str]
) -> None:
    overlap = choose(
        inputs,
        "overlap",
        (*_OVERLAPS, _BY_CLASS) if len(classes) > 1 else _OVERLAPS,
        params.get("overlap"),
        label="Where objects overlap",
        default="largest_first",
        view=radio,
    )
    if overlap == "classes":
        choose_several(
            inputs,
            "class_order",
            classes,
            params.get("class_order"),
            label="Order of the classes",
            description="Later on top; classes that are not listed lie below",
        )


def _ask_for_more(ctx: Any, inputs: types.Object) -> None:
    params = ctx.params
    if not params.get("more"):
        return
    inputs.bool(
        "include_crowd",
        default=True,
        label="Draw crowd annotations",
        view=types.CheckboxView(),
    )
    inputs.int(
        "num_workers",
        label="Processes",
        description="How many processes draw; FiftyOne's own setting if none is given",
        required=False,
        min=0,
    )
    storage = choose(
        inputs,
        "storage",
        _STORAGES,
        params.get("storage"),
        label="Keep the masks as",
        default="disk",
        view=radio,
    )
    if storage == "disk":
        ask_for_path(
            ctx,
            inputs,
            "output_dir",
            label="Folder",
            description="The folder of the files; by default the dataset's own",
        )


def _say_what_will_happen(
    ctx: Any, inputs: types.Object, target: Any, mask_field: str
) -> None:
    from ..datasets.mask_files import default_mask_dir
    from ..datasets.masks import mask_options

    params = ctx.params
    images = count(len(target), "image")
    if params.get("storage") == "database":
        where = "The masks are kept in the database."
    else:
        folder = given_path(params.get("output_dir")) or default_mask_dir(
            ctx.dataset, mask_field
        )
        where = f"PNG files in `{folder}`."
    present = ctx.dataset.get_field(mask_field) is not None
    masks = target.exists(mask_field).count() if present else 0
    if not masks:
        note(inputs, "outcome", f"Writes masks of {images} to `{mask_field}`", where)
        return
    replaced = count(masks, "mask")
    if mask_options(ctx.dataset, mask_field) is None:
        what = f"`{mask_field}` has {replaced} that were not computed from labels"
        kept = "They are kept unless you choose to overwrite them."
    else:
        what = f"`{mask_field}` has {replaced}: those out of date are replaced"
        kept = "Masks whose labels and options are unchanged are kept."
    warn(inputs, "outcome", what, f"{kept} {where}")
    inputs.bool(
        "overwrite",
        default=False,
        label="Overwrite all masks",
        view=types.CheckboxView(),
    )
