"""What a form says of an export: what is in it, and what is wrong with it."""

from __future__ import annotations

import os
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext
from ..words import count
from .in_time import Finding, find_out
from .paths import whole_path_sentence

if TYPE_CHECKING:
    from ..coco.check import ExportReader
    from ..coco.report import ExportReport

# For a caller from Python, an export with more images than can be checked in this time,
# in seconds, is checked in part.
BUDGET = 2.0
# A folder with more files than this is hardly an export's own, but a person's home.
_MAX_FILES = 500_000
# A form waits for an export of so few files, and of JSONs of so few bytes.
_FEW_FILES = 300
_SMALL_FILE = 2**20
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


def preview_export(
    ctx: ExecutionContext, path: str, image_dir: str | None, *, part: str = "export"
) -> ExportPreview | None:
    """Returns what is in an export, checked once for each opening of a form.

    What opens no form checks it each time: it may have changed since.

    Args:
        ctx: the operator's context
        path: the export
        image_dir: where the images are, if not in the export
        part: the part of the form that asks: another path there takes its place

    Returns:
        what is known of it; None if a form cannot know anything in time
    """
    return find_out(
        "checking the export",
        ("export", path, image_dir) if ctx.prompt_id else None,
        lambda finding: _preview(finding, path, image_dir),
        opening=opening_of(ctx, part),
        seconds=BUDGET,
        is_soon=_is_small(path),
    ).value


def opening_of(ctx: ExecutionContext, part: str) -> Hashable:
    """Returns the opening of a form, or of a part of it; None where none is open."""
    return (ctx.prompt_id, part) if ctx.prompt_id else None


def _is_small(path: str) -> bool:
    """Whether an export is so small that a form can wait for it, however long."""
    if not os.path.isdir(path):
        return not os.path.exists(path) or os.path.getsize(path) < _SMALL_FILE
    files, folders = 0, [path]
    while folders:
        # Not `os.walk`, which lists all of a folder before it says anything.
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                files += 1
                is_large = entry.name.endswith(".json") and _is_large(entry)
                if files > _FEW_FILES or is_large:
                    return False
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return True


def _is_large(file: os.DirEntry[str]) -> bool:
    return file.is_file() and file.stat().st_size > _SMALL_FILE


def _preview(
    finding: Finding[ExportPreview], path: str, image_dir: str | None
) -> ExportPreview:
    from ..coco.check import ExportReader

    problem = _path_problem(path)
    if problem is not None:
        return ExportPreview(error=problem)
    is_json = os.path.isfile(path) and path.lower().endswith(".json")
    try:
        with ExportReader(path, image_dir=image_dir) as reader:
            total = reader.num_images
            if total > _FEW_FILES:
                # That much is known before any image is looked at.
                finding.so_far(_described(reader, path, is_json, 0), 0, total)
            for number, _ in enumerate(reader.images(), start=1):
                if finding.is_due() and number < total:
                    so_far = _described(reader, path, is_json, number)
                    finding.so_far(so_far, number, total)
            return _described(reader, path, is_json, None)
    except CocoMaskError as error:
        return ExportPreview(error=str(error), is_json=is_json)


def _described(
    reader: ExportReader, path: str, is_json: bool, checked: int | None
) -> ExportPreview:
    report = reader.report
    return ExportPreview(
        name=reader.name,
        splits={name: dict(numbers) for name, numbers in report.splits.items()},
        classes=reader.classes,
        facts=reader.roboflow,
        problems=_problems(report),
        dropped=report.dropped,
        checked=checked,
        usable=report.usable_images,
        is_json=is_json,
        projects=_projects(reader, path),
    )


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


def _path_problem(path: str) -> str | None:
    if not os.path.isabs(path):
        return whole_path_sentence()
    if not os.path.exists(path):
        return f"There is no file or folder {path}"
    return _problem_of_files(path) if os.path.isdir(path) else None


def _problem_of_files(folder: str) -> str | None:
    """Returns why a folder has too many files to be looked at in a form."""
    seen = 0
    ends = time.monotonic() + BUDGET
    for _, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > _MAX_FILES:
            return (
                f"{folder} holds more than {_MAX_FILES:,} files; give the export's "
                "own folder"
            )
        if time.monotonic() > ends:
            return (
                f"{folder} takes longer to look through than {BUDGET:g} seconds "
                f"({seen:,} files so far); give the export's own folder, or import it "
                "from Python or the command line"
            )
    return None


def _problems(report: ExportReport) -> list[Problem]:
    return [
        Problem(kind["severity"], kind["code"], kind["count"], kind["example"])
        for kind in report.kinds()
    ]
