"""Operator: a COCO export becomes a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..choices import IF_EXISTS, ConflictRule, IfExists, OldCopies
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from .check_export import report_rows, report_warnings, show_issues
from .export_form import ask_for_export, ask_for_project, export_path
from .export_preview import ExportPreview
from .forms import (
    ask_for_dry_run,
    ask_for_processes,
    choose,
    choose_several,
    count,
    note,
    radio,
    reject,
    section,
    stop,
    warn,
)
from .job import ProgressArgument, Results, job_config
from .markdown import bold, code
from .merge_form import ask_what_wins, describe_merge, preview_merge
from .paths import given_path, path_text
from .results import NextStep, next_step, without_dry_run
from .split_job import BegunTasks, TasksOperator, ask_for_num_tasks, is_of_tasks

if TYPE_CHECKING:
    from ..coco.report import ExportReport
    from ..datasets.parallel.shared_runs import SplitRun

_MAX_ISSUES = 100
_NO_TASKS = (
    "num_tasks must be 1 with dry_run: tasks keep what they have read in the database, "
    "and nothing is to be written"
)


class ImportRoboflowCoco(TasksOperator):
    """Imports a COCO export into a dataset."""

    verb = "Importing"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="import_roboflow_coco",
            label="Import a Roboflow COCO export",
            description="Create a dataset from a COCO export, or merge it into one",
            icon="/assets/import.svg",
            # It can remove the samples of an existing dataset.
            risk_level=types.RiskLevel.HIGH,
            view_target=False,
        )

    def __call__(
        self,
        path: str | os.PathLike[str],
        dataset: str | None = None,
        *,
        image_dir: str | os.PathLike[str] | None = None,
        splits: Sequence[str] | None = None,
        label_field: str = "segmentations",
        box_field: str = "detections",
        tags: Sequence[str] | None = None,
        if_exists: IfExists = "merge",
        conflicts: ConflictRule = "keep",
        old_copies: OldCopies = "tag",
        dry_run: bool = False,
        num_workers: int | None = None,
        num_tasks: int = 1,
        delegate: bool = False,
    ) -> Any:
        """Imports a COCO export into a persistent dataset.

        Example::

            import fiftyone.operators as foo

            import_export = foo.get_operator(
                "@cocomask/cocomask/import_roboflow_coco"
            )
            result = import_export("/path/to/export", "butterflies")
            print(result.result["dataset"])

        Args:
            path: the export's folder, its ``.zip``, or a COCO JSON file
            dataset: the dataset's name; by default a new one named after the export
            image_dir: where the images are; beside the JSON by default
            splits: the splits to import; all by default
            label_field: the field to write the segmentations to
            box_field: the field to write the boxes to
            tags: tags to add to each sample
            if_exists: ``"merge"``, ``"replace"`` or ``"error"``
            conflicts: ``"keep"`` leaves what a person made, ``"export"`` takes the
                export's
            old_copies: ``"tag"`` or ``"delete"`` older copies of images that the
                export has augmented again
            dry_run: whether to write nothing, and only report what would be done
            num_workers: the number of processes that read and make samples, in each
                task
            num_tasks: the number of delegated operations to queue, each of which reads
                a part of the images; 1 imports them all here and now
            delegate: whether to queue the import for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``dataset``'s name and the import's ``report``, and of
            several tasks the ``run`` and ``num_tasks``
        """
        params = {
            "path": path_text(path),
            "dataset": dataset,
            "image_dir": path_text(image_dir),
            "splits": None if splits is None else list(splits),
            "label_field": label_field,
            "box_field": box_field,
            "tags": None if tags is None else list(tags),
            "if_exists": if_exists,
            "conflicts": conflicts,
            "old_copies": old_copies,
            "dry_run": dry_run,
            "num_workers": num_workers,
            "num_tasks": num_tasks,
        }
        return foo.execute_operator(
            self.uri, params=params, request_delegation=delegate
        )

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(
                label="Import a Roboflow COCO export",
                icon="/assets/import.svg",
                prompt=True,
            ),
        )

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what the export holds and what will become of it."""
        preview = ask_for_export(ctx, inputs)
        if preview is not None:
            preview = ask_for_project(ctx, inputs, preview)
        if preview is not None:
            _ask_how(ctx, inputs, preview)

    def run_at_once(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Imports, and returns the dataset's name and the report."""
        from ..datasets.importing.importing import import_roboflow_coco

        dataset, report = import_roboflow_coco(
            **_what_to_import(ctx),
            dry_run=bool(ctx.params.get("dry_run")),
            progress=progress,
        )
        return _results(ctx, dataset, report)

    def begin_tasks(self, ctx: ExecutionContext, num_tasks: int) -> BegunTasks:
        """Makes the dataset if it is not there, and splits the export's images."""
        from ..datasets.importing.tasks import begin_tasks

        if ctx.params.get("dry_run"):
            raise CocoMaskError(_NO_TASKS)
        dataset, run_id, number = begin_tasks(
            **_what_to_import(ctx), num_tasks=num_tasks
        )
        return BegunTasks(dataset, run_id, [dataset.view()] * number)

    def run_task(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        number: int,
        progress: ProgressArgument,
    ) -> dict[str, Any]:
        """Reads a part of the images."""
        from ..datasets.importing.tasks import read_part

        return read_part(ctx.dataset, run, number, progress)

    def join_tasks(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        parts: list[dict[str, Any]],
        progress: ProgressArgument,
    ) -> Results:
        """Writes what the tasks have read."""
        from ..datasets.importing.task_run import finish_run
        from ..datasets.importing.tasks import join_parts

        dataset, report = join_parts(ctx.dataset, run, parts, progress)
        results = _results(ctx, dataset, report)
        finish_run(dataset, run, results)
        return results

    def warnings(self, results: Results) -> list[str]:
        """Returns what could not be imported."""
        return report_warnings(results["report"])

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the masks, or after a dry run the import itself."""
        if results["dry_run"]:
            return [without_dry_run("import_roboflow_coco", ctx.params)]
        if not results["report"]["usable_images"]:
            return []
        why = "Draw the objects of each image into one mask"
        return [
            next_step("compute_masks", why, label_field=results["label_field"]),
        ]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Shows the dataset."""
        if is_of_tasks(results) or results["dry_run"]:
            return
        show = f"{self.plugin_name}/show_dataset"
        yield ctx.trigger(show, {"dataset": results["dataset"]})

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows what was imported and the issues."""
        report = results["report"]
        images = count(report["usable_images"], "image")
        annotations = count(report["imported"], "annotation")
        merge = "\n".join(f"- {line}" for line in results["merge"])
        view = types.Success if report["usable_images"] else types.Error
        if results["dry_run"]:
            outputs.view(
                "planned",
                types.Notice(label="Nothing was written", description=merge),
            )
        else:
            outputs.view(
                "imported",
                view(
                    label=f"Imported {images} and {annotations} into "
                    f"{bold(results['dataset'])}",
                    description=merge,
                ),
            )
        if report["dropped"]:
            dropped = count(report["dropped"], "annotation")
            outputs.view(
                "dropped",
                types.Warning(label=f"{dropped} could not be imported; see below"),
            )
        show_issues(outputs, report)


def _what_to_import(ctx: ExecutionContext) -> dict[str, Any]:
    """Returns the arguments of ``import_roboflow_coco`` but for ``dry_run``."""
    params = ctx.params
    return {
        "path": export_path(params) or "",
        "dataset": _chosen_dataset(ctx),
        "image_dir": given_path(params.get("image_dir")),
        "splits": params.get("splits") or None,
        "label_field": params.get("label_field") or "segmentations",
        "box_field": params.get("box_field") or "detections",
        "tags": params.get("tags"),
        "if_exists": params.get("if_exists") or "merge",
        "conflicts": params.get("conflicts") or "keep",
        "old_copies": params.get("old_copies") or "tag",
        "num_workers": params.get("num_workers"),
    }


def _results(
    ctx: ExecutionContext, dataset: fo.Dataset | None, report: ExportReport
) -> Results:
    from ..datasets.documents import num_samples

    return {
        "dataset": None if dataset is None else dataset.name,
        "samples": 0 if dataset is None else num_samples(dataset),
        "merge": report.merge.lines() if report.merge is not None else [],
        "dry_run": bool(ctx.params.get("dry_run")),
        "label_field": ctx.params.get("label_field") or "segmentations",
        "report": report.to_dict(max_issues=_MAX_ISSUES),
        **report_rows(report),
    }


def _ask_how(
    ctx: ExecutionContext, inputs: types.Object, preview: ExportPreview
) -> None:
    params = ctx.params
    # Of one split nobody is asked, and one that is given is checked.
    if len(preview.splits) > 1 or params.get("splits"):
        choose_several(
            inputs,
            "splits",
            list(preview.splits),
            params.get("splits"),
            label="Splits",
            description="The splits to import; all if none is chosen",
        )
    name = _chosen_dataset(ctx)
    _ask_for_dataset(ctx, inputs, name)
    with section(ctx, inputs, "more", "More options"):
        _ask_for_fields(inputs, params)
    wants_more = bool(params.get("more"))
    if _reject_wrong_names(params, inputs, name):
        return
    is_merge = (params.get("if_exists") or "merge") == "merge"
    present = fo.load_dataset(name) if name and fo.dataset_exists(name) else None
    merge = None
    if present is not None and is_merge:
        merge = preview_merge(ctx, inputs, present)
        if merge is None:
            return
    ask_what_wins(ctx, inputs, merge, wants_more)
    if merge is not None and present is not None:
        describe_merge(inputs, preview, present, merge)
    elif name is not None:
        _say_what_will_happen(params, inputs, preview, name)


def _reject_wrong_names(
    params: dict[str, Any], inputs: types.Object, name: str | None
) -> bool:
    """Marks the field of a name that cannot be, and returns whether there is one."""
    from ..datasets.importing.importing import check_names, present_dataset

    label_field = params.get("label_field") or "segmentations"
    box_field = params.get("box_field") or "detections"
    try:
        check_names(name, label_field, box_field)
    except CocoMaskError as error:
        wrong = str(error).partition(" ")[0]
        if wrong == "label_field" and label_field == box_field:
            wrong = "box_field"
        field = inputs.properties.get(wrong) or inputs.properties["dataset"]
        reject(field, str(error))
        return True
    if params.get("task") is not None:
        # The dataset is there since the first of the tasks.
        return False
    fields = (label_field, box_field)
    try:
        present_dataset(name, params.get("if_exists") or "merge", fields)
    except CocoMaskError as error:
        reject(inputs.properties["dataset"], str(error))
        return True
    return False


def _ask_for_dataset(
    ctx: ExecutionContext, inputs: types.Object, name: str | None
) -> None:
    options = types.AutocompleteView()
    for present in fo.list_datasets():
        options.add_choice(present, label=present)
    inputs.str(
        "dataset",
        label="Dataset",
        description="A new name, or an existing dataset; else named after the export",
        required=False,
        view=options,
    )
    if name is not None and fo.dataset_exists(name):
        given = ctx.params.get("if_exists")
        choose(
            inputs,
            "if_exists",
            IF_EXISTS if given == "error" else IF_EXISTS[:-1],
            given,
            label="This dataset exists",
            default="merge",
            view=radio,
        )


def _ask_for_fields(inputs: types.Object, params: dict[str, Any]) -> None:
    for name, default, what in (
        ("label_field", "segmentations", "polygons and RLE"),
        ("box_field", "detections", "boxes"),
    ):
        label = name.replace("_", " ").capitalize()
        inputs.str(
            name, default=default, label=label, description=f"The field for {what}"
        )
    ask_for_dry_run(inputs, "Write nothing")
    ask_for_processes(inputs, "read the images and make samples from them")
    ask_for_num_tasks(inputs)
    num_tasks = params.get("num_tasks")
    if params.get("dry_run") and isinstance(num_tasks, int) and num_tasks > 1:
        reject(inputs.properties["num_tasks"], _NO_TASKS)
    inputs.list(
        "tags",
        types.String(),
        required=False,
        label="Tags",
        description="Added to each sample, beside its split and Roboflow's own tags",
        view=types.AutocompleteView(allow_duplicates=False),
    )


def _chosen_dataset(ctx: ExecutionContext) -> str | None:
    """Returns the name of the dataset; None if a caller from Python gave none.

    The form promises a name before the import, so there it is the export's own: the
    SDK's default may end in random letters.
    """
    params = ctx.params
    if params.get("dataset"):
        name: str = params["dataset"]
        return name
    # An import that was delegated is named as its form has said.
    if "operator_uri" not in ctx.request_params:
        return None
    location = Path(export_path(params) or "").resolve()
    return location.stem if location.is_file() else location.name


def _say_what_will_happen(
    params: dict[str, Any], inputs: types.Object, preview: ExportPreview, name: str
) -> None:
    from ..datasets.documents import num_samples

    splits = params.get("splits") or list(preview.splits)
    number = sum(preview.splits[s]["images"] for s in splits if s in preview.splits)
    images = count(number, "image")
    label_field = params.get("label_field") or "segmentations"
    box_field = params.get("box_field") or "detections"
    fields = f"Segmentations go to {code(label_field)}, boxes to {code(box_field)}."
    if not preview.has_usable_images:
        stop(
            inputs,
            f"None of the {images} of this export can be used, so there is nothing to "
            "import. The problems above say why.",
        )
        return
    if not fo.dataset_exists(name):
        label = f"Makes the dataset {bold(name)} of {images}"
        note(inputs, "outcome", label, f"{fields} The images stay where they are.")
        return
    dataset = fo.load_dataset(name)
    samples = count(num_samples(dataset), "sample")
    warn(
        inputs,
        "outcome",
        f"Puts {images} in the place of the {samples} of {bold(name)}",
        f"{fields} Image files are not deleted.",
    )
