"""The part of a form that asks for an export and says what is in it."""

from __future__ import annotations

import os
from typing import Any

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from ..words import count
from .choosing import Choice, choose
from .export_preview import ALL_PROJECTS, ExportPreview, Problem, preview_export
from .forms import names, reject, stop
from .from_app import is_app_request
from .markdown import bold, plain
from .paths import ask_for_path, given_path, is_chosen_in_app

# How many problems a form lists.
_MAX_LISTED = 5

_SOURCES = (
    Choice("folder", "Folder", "The export's folder, with its splits"),
    Choice("file", "Zip or JSON file", "The export's .zip, or its COCO JSON"),
)


def ask_for_export(
    ctx: ExecutionContext, inputs: types.Object, *, asks_first: bool = False
) -> ExportPreview | None:
    """Adds the fields for an export's place, and what is in it.

    Args:
        ctx: the operator's context
        inputs: the form
        asks_first: whether what is in it decides what a person is to be asked

    Returns:
        the preview of an export that can be read; None if there is none as yet
    """
    place = ask_for_place(ctx, inputs)
    path = given_path(ctx.params.get("path"))
    if path is None:
        return None
    image_dir = given_path(ctx.params.get("image_dir"))
    preview = preview_export(ctx, path, image_dir)
    if preview is None:
        if asks_first:
            stop(inputs, "Wait until it is known what is in the export")
        return None
    is_json = path.lower().endswith(".json") and preview.is_json
    are_missing = any(p.code == "image_missing" for p in preview.problems)
    if is_json or are_missing or image_dir is not None:
        images = ask_for_path(
            ctx,
            inputs,
            "image_dir",
            label="Images",
            description="The folder of the images, if they are not in the export",
        )
        if image_dir is not None and not os.path.isdir(image_dir):
            place = images
    if preview.error is not None:
        reject(place, preview.error)
        return None
    _describe(inputs, preview)
    return preview


def ask_for_place(ctx: ExecutionContext, inputs: types.Object) -> types.Property:
    """Adds the fields for an export's place: a folder, a zip, or a JSON."""
    is_file = False
    if is_chosen_in_app(ctx.params.get("path")):
        source = choose(
            inputs,
            "source",
            _SOURCES,
            ctx.params.get("source"),
            label="Export",
            default="folder",
            view=types.TabsView,
        )
        is_file = source == "file"
    return ask_for_path(
        ctx,
        inputs,
        "path",
        label="Path",
        description="Type its path, or choose it with the button on the right",
        folder=not is_file,
        required=True,
    )


def ask_for_project(
    ctx: ExecutionContext, inputs: types.Object, preview: ExportPreview
) -> ExportPreview | None:
    """Asks which of the projects of a folder is meant, where they are several.

    Returns:
        the preview of that one; None as long as it is not chosen
    """
    if not preview.projects:
        return preview
    chosen = choose(
        inputs,
        "project",
        [Choice(value, label) for value, label in preview.projects.items()],
        ctx.params.get("project"),
        label="This folder holds several projects",
        description="They differ in classes, version or licence; which do you mean?",
        # A caller from Python, who sees no form, means what the path says.
        default=None if is_app_request(ctx) else ALL_PROJECTS,
    )
    if chosen is None or chosen == ALL_PROJECTS:
        return None if chosen is None else preview
    image_dir = given_path(ctx.params.get("image_dir"))
    one = preview_export(ctx, export_path(ctx.params) or "", image_dir, part="project")
    return one if one is not None and one.error is None else None


def export_path(params: dict[str, Any]) -> str | None:
    """Returns the path of the export that is meant: of several projects, the chosen.

    The App keeps what was chosen when another path is: that is no folder of this one.
    """
    path, project = given_path(params.get("path")), params.get("project")
    if path is None or not isinstance(project, str) or project == ALL_PROJECTS:
        return path
    chosen = os.path.join(path, project)
    return chosen if os.path.isdir(chosen) else path


def _describe(inputs: types.Object, preview: ExportPreview) -> None:
    images = count(preview.total("images"), "image")
    annotations = count(preview.total("annotations"), "annotation")
    classes = count(len(preview.classes), "class")
    view = types.Success if preview.has_usable_images else types.Warning
    inputs.view(
        "found",
        view(
            label=f"{bold(preview.name)}: {images}, {annotations}, {classes}",
            description=_splits_table(preview),
            caption=_facts(preview),
        ),
    )
    serious = [p for p in preview.problems if p.severity != "info"]
    notes = [p for p in preview.problems if p.severity == "info"]
    if serious:
        inputs.view("problems", _problems_view(preview, serious))
    if notes:
        inputs.view(
            "notes",
            types.Notice(label="Worth knowing", description=_problem_list(notes)),
        )
    if preview.checked:
        so_far = f"the first {count(preview.checked, 'image')}"
        inputs.view(
            "checked",
            types.Notice(
                label=f"Only {so_far} were checked here; the import checks them all"
            ),
        )


def _splits_table(preview: ExportPreview) -> str:
    rows = [
        f"| {plain(name)} | {numbers['images']:,} | {numbers['annotations']:,} |"
        for name, numbers in preview.splits.items()
    ]
    return "\n".join(["| Split | Images | Annotations |", "|---|---|---|", *rows])


def _facts(preview: ExportPreview) -> str:
    facts = [("Classes", names(preview.classes, 12) or "none")]
    facts += [
        (label, preview.facts[key])
        for key, label in (
            ("license", "Licence"),
            ("version", "Version"),
            ("exported", "Exported"),
        )
        if preview.facts.get(key)
    ]
    return " · ".join(f"**{label}**: {plain(value)}" for label, value in facts)


def _problems_view(preview: ExportPreview, problems: list[Problem]) -> types.View:
    number = sum(problem.number for problem in problems)
    label = f"{count(number, 'problem')} found"
    if preview.dropped:
        label += f"; {count(preview.dropped, 'annotation')} cannot be imported"
    view = types.Error if problems[0].severity == "error" else types.Warning
    return view(label=label, description=_problem_list(problems))


def _problem_list(problems: list[Problem]) -> str:
    lines = [f"- {p.number:,} × `{p.code}`: {plain(p.example)}" for p in problems]
    if len(lines) > _MAX_LISTED:
        more = count(len(lines) - _MAX_LISTED, "more kind")
        lines = [*lines[:_MAX_LISTED], f"- and {more}; the report has them all"]
    return "\n".join(lines)
