"""Operator: a COCO export becomes a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..choices import ConflictRule, IfExists, OldCopies
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from ..words import count
from .check_export import report_rows, report_warnings, show_issues
from .choosing import given_params
from .export_form import ask_for_export, ask_for_project, export_path
from .import_form import NO_TASKS, ask_how, chosen_dataset
from .job import ProgressArgument, Results, job_config
from .markdown import bold
from .paths import given_path, path_text
from .results import NextStep, next_step, without_dry_run
from .split_job import BegunTasks, TasksOperator, is_of_tasks

if TYPE_CHECKING:
    from ..coco.report import ExportReport
    from ..datasets.parallel.shared_runs import SplitRun

_MAX_ISSUES = 100
_GIVEN = (
    "splits",
    "label_field",
    "box_field",
    "tags",
    "if_exists",
    "conflicts",
    "old_copies",
    "num_workers",
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
            "splits": as_text_list(splits),
            "label_field": label_field,
            "box_field": box_field,
            "tags": as_text_list(tags),
            "if_exists": if_exists,
            "conflicts": conflicts,
            "old_copies": old_copies,
            "dry_run": dry_run,
            "num_workers": num_workers,
            "num_tasks": num_tasks,
        }
        return self.execute_with(params, delegate)

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return self.grid_button()

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what the export holds and what will become of it."""
        preview = ask_for_export(ctx, inputs, asks_first=True)
        if preview is not None:
            preview = ask_for_project(ctx, inputs, preview)
        if preview is not None:
            ask_how(ctx, inputs, preview)

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
            raise CocoMaskError(NO_TASKS)
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
    """Returns what is given of the arguments of the SDK, but for ``dry_run``."""
    params = ctx.params
    return {
        **given_params(params, _GIVEN),
        "path": export_path(params) or "",
        "dataset": chosen_dataset(ctx),
        "image_dir": given_path(params.get("image_dir")),
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
