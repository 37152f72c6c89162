"""Operator: what the evaluations say, as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..fiftyone_types import ExecutionContext, SampleCollection
from .choosing import choose_several
from .forms import is_refused, note
from .in_time import images_in
from .job import JobOperator, ProgressArgument, Results, job_config
from .markdown import code
from .paths import ask_for_path, given_path, path_text
from .prerequisites import all_evaluations, choosable, no_evaluations
from .results import NextStep, next_step, split_rows
from .target_samples import target_samples

_FILE_NAME = "report.html"


class WriteReport(JobOperator):
    """Writes a report of a dataset's evaluations."""

    verb = "Writing the report"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="write_report",
            label="Write a report",
            description="Write what the mask evaluations say as one HTML file",
            icon="/assets/export.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        output_path: str | os.PathLike[str],
        *,
        eval_keys: Sequence[str] | None = None,
        title: str | None = None,
        delegate: bool = False,
    ) -> Any:
        """Writes a report of a dataset or view.

        Example::

            import fiftyone.operators as foo

            report = foo.get_operator("@cocomask/cocomask/write_report")
            report(dataset, "/path/to/report.html")

        Args:
            samples: the dataset or view
            output_path: the ``.html`` file, or a folder for ``report.html``
            eval_keys: the evaluations to report, all by default
            title: the title, the dataset's name by default
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``path`` of the file
        """
        params = {
            "output_path": path_text(output_path),
            "eval_keys": as_text_list(eval_keys),
            "title": title,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which evaluations go into which file."""
        keys = choosable(ctx, inputs, all_evaluations, no_evaluations)
        if keys:
            _ask(ctx, inputs, keys)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Writes the report and returns its path."""
        from ..datasets.reports.write import write_report

        samples = target_samples(ctx)
        path = write_report(
            samples,
            _file(ctx.params.get("output_path")),
            eval_keys=ctx.params.get("eval_keys") or None,
            title=ctx.params.get("title") or None,
            progress=progress,
        )
        return {
            "path": str(path),
            "eval_keys": ctx.params.get("eval_keys") or all_evaluations(ctx.dataset),
            "per_split": split_rows(samples),
        }

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the way back to Roboflow."""
        why = "Write the dataset back as a COCO export; give output_dir"
        return [next_step("export_roboflow_coco", why)]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Leaves the App as it is: the dataset has not changed."""
        yield from ()

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows where the report is."""
        outputs.view(
            "written",
            types.Success(label="Report written", description=code(results["path"])),
        )


def _file(given: Any) -> str:
    """Returns the file that a path means: in a folder, one of the usual name."""
    path = given_path(given) or ""
    return os.path.join(path, _FILE_NAME) if os.path.isdir(path) else path


def _ask(ctx: ExecutionContext, inputs: types.Object, keys: list[str]) -> None:
    from ..datasets.reports.write import checked_path

    place = ask_for_path(
        ctx,
        inputs,
        "output_path",
        label="File",
        description=f"A file whose name ends with .html, or a folder for {_FILE_NAME}",
        required=True,
    )
    path = _file(ctx.params.get("output_path"))
    if os.path.isabs(path):
        is_refused(place, checked_path, path)
    choose_several(
        ctx,
        inputs,
        "eval_keys",
        keys,
        ctx.params.get("eval_keys"),
        label="Evaluations",
        description="Those to report; all by default",
    )
    inputs.str("title", label="Title", description="The dataset's name by default")
    is_there = os.path.isfile(path)
    note(
        inputs,
        "outcome",
        f"Writes a report of {images_in(target_samples(ctx))}",
        f"Replaces {code(path)}" if is_there else "One file that opens offline",
    )
