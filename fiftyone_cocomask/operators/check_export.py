"""Operator: what is in an export, and what is wrong with it."""

from __future__ import annotations

import os
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from ..limits import MAX_NAMED
from ..words import count, part_of
from .export_form import ask_for_export
from .job import JobOperator, ProgressArgument, Results, job_config
from .markdown import bold, plain
from .paths import given_path, path_text
from .results import NextStep, next_step, outcome, rows

_EXAMPLES = 3


class CheckExport(JobOperator):
    """Checks a COCO export; reads only."""

    verb = "Checking the export"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="check_export",
            label="Check a COCO export",
            description="Say what is in a COCO export and what is wrong with it",
            icon="/assets/inspect.svg",
            risk_level=types.RiskLevel.LOW,
            view_target=False,
        )

    def __call__(
        self,
        path: str | os.PathLike[str],
        *,
        image_dir: str | os.PathLike[str] | None = None,
        delegate: bool = False,
    ) -> Any:
        """Checks a COCO export without importing it.

        Example::

            import fiftyone.operators as foo

            check_export = foo.get_operator("@cocomask/cocomask/check_export")
            result = check_export("/path/to/export")
            print(result.result["images"], result.result["counts"])

        Args:
            path: the export's folder, its ``.zip``, or a COCO JSON file
            image_dir: where the images are; beside the JSON by default
            delegate: whether to queue the check for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` is :meth:`ExportReport.to_dict`
        """
        params = {"path": path_text(path), "image_dir": path_text(image_dir)}
        return self.execute_with(params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: it shows what is in the export."""
        ask_for_export(ctx, inputs)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Returns the report as a dict."""
        import fiftyone.core.utils as fou

        from ..coco.check import ExportReader

        path = given_path(ctx.params.get("path")) or ""
        image_dir = given_path(ctx.params.get("image_dir"))
        with ExportReader(path, image_dir=image_dir) as reader:
            with fou.ProgressBar(total=reader.num_images, progress=progress) as bar:
                for _ in bar(reader.images()):
                    pass
            report = reader.report
        return {**report.to_dict(max_issues=MAX_NAMED), **report_rows(report)}

    def warnings(self, results: Results) -> list[str]:
        """Returns what cannot be imported, and the worst of what is wrong."""
        return report_warnings(results)

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the import."""
        if not results["usable_images"]:
            return []
        why = "Create a dataset from it, or bring one up to date"
        return [next_step("import_roboflow_coco", why, **_place(ctx))]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Any:
        """Yields nothing: a check changes nothing."""
        return iter(())

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows the counts and a table of the issues."""
        usable = part_of(results["imported"], results["annotations"], "annotation")
        images = part_of(results["usable_images"], results["images"], "image")
        outputs.view(
            "counts",
            outcome(
                results["usable_images"],
                label=f"{bold(results['name'])}: {images} and {usable} can be imported",
            ),
        )
        show_issues(outputs, results)


def _place(ctx: ExecutionContext) -> Results:
    """Returns where the export that was checked is, as the form of the import asks."""
    given = {name: ctx.params.get(name) for name in ("source", "path", "image_dir")}
    return {name: value for name, value in given.items() if value is not None}


def report_rows(report: Any) -> Results:
    """Returns an export's figures by class and by split."""
    classes = {name: {"objects": n} for name, n in sorted(report.classes.items())}
    return {
        "per_class": rows("class", classes),
        "per_split": rows("split", report.splits),
    }


def report_warnings(report: Results) -> list[str]:
    """Returns what a report says of losses: the sentence of each kind of error."""
    return [
        f"{kind['count']:,} x {kind['code']}, {kind['action'].replace('_', ' ')}: "
        f"{kind['example']}"
        for kind in report["kinds"]
        if kind["severity"] == "error"
    ]


def show_issues(outputs: types.Object, report: Results) -> None:
    """Adds a report's issues, kind by kind.

    Args:
        outputs: the form to add them to
        report: what :meth:`ExportReport.to_dict` returned
    """
    examples: dict[tuple[str, ...], list[Results]] = {}
    for issue in report["issues"]:
        examples.setdefault(_kind(issue), []).append(issue)
    for severity, view, title in (
        ("error", types.Error, "Errors"),
        ("warning", types.Warning, "Warnings"),
        ("info", types.Notice, "Worth knowing"),
    ):
        lines = [
            line
            for kind in report["kinds"]
            if kind["severity"] == severity
            for line in _issue_lines(kind, examples.get(_kind(kind), []))
        ]
        if lines:
            outputs.view(severity, view(label=title, description="\n".join(lines)))
    if not report["kinds"]:
        outputs.view("none", types.Notice(label="No issues"))
    if report["issues_omitted"]:
        omitted = count(report["issues_omitted"], "more issue")
        outputs.view("omitted", types.Notice(label=f"{omitted} are in the report"))


def _kind(of: Results) -> tuple[str, ...]:
    return of["severity"], of["action"], of["code"]


def _issue_lines(kind: Results, issues: list[Results]) -> list[str]:
    """Returns the number of issues of a kind, and the first of them."""
    lines = [
        f"- {kind['count']:,} × `{kind['code']}`, {kind['action'].replace('_', ' ')}"
    ]
    for issue in issues[:_EXAMPLES]:
        keys = ("split", "file_name", "annotation_id")
        place = ", ".join(str(issue[key]) for key in keys if key in issue)
        lines.append(
            f"  - {plain(place)}{': ' if place else ''}{plain(issue['message'])}"
        )
    more = kind["count"] - len(issues[:_EXAMPLES])
    if issues and more:
        lines.append(f"  - and {more:,} more")
    return lines
