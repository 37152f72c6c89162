"""The part of a form that asks for an export and says what is in it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fiftyone.operators.types as types
from fiftyone.operators.cache import execution_cache

from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from .forms import Choice, choose, count, is_app_request, names, reject
from .markdown import bold, plain

if TYPE_CHECKING:
    from ..coco.check import ExportReader
    from ..coco.report import ExportReport

# A form is resolved whenever something is typed: an export with more images than can
# be checked in this time, in seconds, is checked in part.
_BUDGET = 2.0
# A folder with more files than this is hardly an export's own, but a person's home.
_MAX_FILES = 500_000
_MAX_PREVIEWS = 16
_MAX_LISTED = 5


_SOURCES = (
    Choice("folder", "Folder", "The export's folder, with its splits"),
    Choice("file", "Zip or JSON file", "The export's .zip, or its COCO JSON"),
)


# What stands for all projects of a folder.
ALL_PROJECTS = "-"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an export in one way.

    Attributes:
        severity: ``"error"``, ``"warning"`` or ``"info"``
        code: the issues' code
        number: how many issues there are
        example: the message of the first one
    """

    severity: str
    code: str
    number: int
    example: str


@dataclass(frozen=True, slots=True)
class ExportPreview:
    """What a form says of an export.

    Attributes:
        error: why it cannot be read, else None
        name: its name
        splits: for each split its numbers of images and annotations
        classes: the labels in use, as far as checked
        facts: what Roboflow wrote about it: version, licence, date
        problems: what is wrong, as far as checked; the worst first
        dropped: the annotations that cannot be imported, as far as checked
        checked: the number of images that were checked
        usable: the number of images that can be imported, as far as checked
        is_json: whether it is a single JSON, whose images may be elsewhere
        projects: where it holds exports of several projects, what each is, by its
            folder
    """

    error: str | None = None
    name: str = ""
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    dropped: int = 0
    checked: int | None = None
    usable: int = 0
    is_json: bool = False
    projects: dict[str, str] = field(default_factory=dict)

    @property
    def has_usable_images(self) -> bool:
        """Whether there are images that can be imported, or may be."""
        return self.usable > 0 or self.checked is not None

    def total(self, what: str) -> int:
        """Returns the number of ``"images"`` or ``"annotations"``."""
        return sum(numbers[what] for numbers in self.splits.values())


def path_text(path: str | os.PathLike[str] | None) -> str | None:
    """Returns a path that a caller from Python gave, as parameters hold it."""
    return None if path is None else os.fspath(path)


def given_path(value: Any) -> str | None:
    """Returns the path that a file field holds, or that a caller gave as text."""
    if isinstance(value, dict):
        value = value.get("absolute_path")
    if not isinstance(value, (str, os.PathLike)) or not str(value).strip():
        return None
    return os.path.expanduser(str(value).strip())


def is_place(value: Any) -> bool:
    """Whether a value is what the App's file explorer makes of a path."""
    return isinstance(value, dict) and (not value or "absolute_path" in value)


def ask_for_export(ctx: ExecutionContext, inputs: types.Object) -> ExportPreview | None:
    """Adds the fields for an export's place, and what is in it.

    Returns:
        the preview of an export that can be read; None if there is none as yet
    """
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
    place = ask_for_path(
        ctx,
        inputs,
        "path",
        label="Path",
        description="Type its path, or choose it with the button on the right",
        folder=not is_file,
        required=True,
    )
    path = given_path(ctx.params.get("path"))
    if path is None:
        return None
    image_dir = given_path(ctx.params.get("image_dir"))
    preview = preview_export(ctx, path, image_dir)
    is_json = path.lower().endswith(".json") and preview.is_json
    are_missing = any(p.code == "image_missing" for p in preview.problems)
    if is_json or are_missing or image_dir is not None:
        ask_for_path(
            ctx,
            inputs,
            "image_dir",
            label="Images",
            description="The folder of the images, if they are not in the export",
        )
    if preview.error is not None:
        reject(place, preview.error)
        return None
    _describe(inputs, preview)
    return preview


def is_chosen_in_app(value: Any) -> bool:
    """Whether a path is asked for with the App's file explorer.

    A caller from Python gives text, which the explorer's type would refuse.
    """
    return value is None or isinstance(value, dict)


def ask_for_path(
    ctx: ExecutionContext,
    inputs: types.Object,
    name: str,
    *,
    label: str | None,
    description: str,
    folder: bool = True,
    required: bool = False,
) -> types.Property:
    """Adds a field for a path: the App's file explorer, or text from Python."""
    given = ctx.params.get(name)
    if is_chosen_in_app(given):
        field = inputs.file(
            name,
            label=label,
            description=description,
            required=required,
            view=types.FileExplorerView(
                choose_dir=folder, button_label="Choose", choose_button_label="Choose"
            ),
        )
    else:
        field = inputs.str(
            name, label=label, description=description, required=required
        )
    path = given_path(given)
    if path is not None and not os.path.isabs(path):
        # The server's working directory is none that a person would think of.
        reject(field, f"Give the whole path, beginning with {Path.cwd().anchor}")
    return field


def preview_export(
    ctx: ExecutionContext, path: str, image_dir: str | None
) -> ExportPreview:
    """Returns what is in an export, checked once for each opening of a form.

    What opens no form checks it each time: it may have changed since.
    """
    read = _preview if ctx.prompt_id else _preview.uncached
    return read(ctx, path, image_dir)


# The form is made again after each change in it.
@execution_cache(  # type: ignore[untyped-decorator]
    residency="ephemeral", max_size=_MAX_PREVIEWS, prompt_scoped=True
)
def _preview(ctx: ExecutionContext, path: str, image_dir: str | None) -> ExportPreview:
    from ..coco.check import ExportReader

    problem = _path_problem(path)
    if problem is not None:
        return ExportPreview(error=problem)
    is_json = os.path.isfile(path) and path.lower().endswith(".json")
    try:
        with ExportReader(path, image_dir=image_dir) as reader:
            checked = _check_for_a_while(reader)
            report = reader.report
            return ExportPreview(
                name=reader.name,
                splits=report.splits,
                classes=reader.classes,
                facts=reader.roboflow,
                problems=_problems(report),
                dropped=report.dropped,
                checked=checked,
                usable=report.usable_images,
                is_json=is_json,
                projects=_projects(reader, path),
            )
    except CocoMaskError as error:
        return ExportPreview(error=str(error), is_json=is_json)


def _projects(reader: ExportReader, path: str) -> dict[str, str]:
    """Returns what there is to choose of the projects of a folder, if they are several.

    One whose splits are not in a folder of its own can only be imported with others.
    """
    if len(reader.projects) < 2:
        return {}
    found = {ALL_PROJECTS: "All of them, as one dataset"}
    for project in sorted(reader.projects, key=lambda each: each.folders[0]):
        folder = project.folders[0]
        if os.path.isdir(path) and len(project.folders) == 1 and folder:
            facts = [count(project.images, "image")]
            facts += [project.facts[f] for f in ("license",) if f in project.facts]
            found[folder] = f"{folder}: {', '.join(facts)}"
    return found


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
    one = preview_export(ctx, export_path(ctx.params) or "", image_dir)
    return one if one.error is None else None


def export_path(params: dict[str, Any]) -> str | None:
    """Returns the path of the export that is meant: of several projects, the chosen."""
    path, project = given_path(params.get("path")), params.get("project")
    if path is None or not project or project == ALL_PROJECTS:
        return path
    return os.path.join(path, project)


def _path_problem(path: str) -> str | None:
    if not os.path.isabs(path):
        return f"Give the whole path, beginning with {Path.cwd().anchor}"
    if not os.path.exists(path):
        return f"There is no file or folder {path}"
    return _problem_of_files(path) if os.path.isdir(path) else None


def _problem_of_files(folder: str) -> str | None:
    """Returns why a folder has too many files to be looked at in a form."""
    seen = 0
    ends = time.monotonic() + _BUDGET
    for _, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > _MAX_FILES:
            return (
                f"{folder} holds more than {_MAX_FILES:,} files; give the export's "
                "own folder"
            )
        if time.monotonic() > ends:
            return (
                f"{folder} takes longer to look through than {_BUDGET:g} seconds "
                f"({seen:,} files so far); give the export's own folder, or import it "
                "from Python or the command line"
            )
    return None


def _check_for_a_while(reader: ExportReader) -> int | None:
    """Checks images until the time is over.

    Returns:
        the number of images checked, None if they are all
    """
    ends = time.monotonic() + _BUDGET
    for number, _ in enumerate(reader.images(), start=1):
        if time.monotonic() > ends:
            return number
    return None


def _problems(report: ExportReport) -> list[Problem]:
    return [
        Problem(kind["severity"], kind["code"], kind["count"], kind["example"])
        for kind in report.kinds()
    ]


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
    if preview.checked is not None:
        so_far = f"the first {preview.checked:,} images"
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
        more = f"- and {len(lines) - _MAX_LISTED:,} more kinds; the report has them all"
        lines = [*lines[:_MAX_LISTED], more]
    return "\n".join(lines)
