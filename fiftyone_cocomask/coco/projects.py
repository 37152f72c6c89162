"""The projects that a folder holds exports of: more than one is hardly meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..words import count, shortened, shortened_name
from .issues import Action, IssueCode
from .report import ExportReport
from .sources import roboflow_facts
from .split_folders import is_annotation_folder, is_split_name
from .splits import SplitIndex

_MAX_NAMED = 5
# What two exports of one project and version have in common.
_TELLING = ("project", "version", "url", "license")


@dataclass(slots=True)
class Project:
    """One project of an export.

    Attributes:
        folders: the folders that hold its splits, ``""`` for the export's own
        splits: the names of its splits
        facts: project, version, licence, export date and address, as far as known
        classes: the names of its categories
        images: the number of images that it lists
    """

    folders: list[str]
    splits: list[str]
    facts: dict[str, str]
    classes: set[str] = field(default_factory=set)
    images: int = 0


def projects_of(
    indexes: Sequence[SplitIndex], readmes: Mapping[str, str]
) -> list[Project]:
    """Returns the projects of an export, by what its splits say of themselves.

    Folders around splits are different projects where their READMEs or ``info`` name
    another project, version, address or licence, or where they share no class.
    """
    by_folder: dict[str, list[SplitIndex]] = {}
    for index in indexes:
        by_folder.setdefault(_project_folder(index), []).append(index)
    projects: list[Project] = []
    for folder, of_folder in by_folder.items():
        found = _project(folder, of_folder, readmes, is_only=len(by_folder) == 1)
        same = next((each for each in projects if _are_one(each, found)), None)
        if same is None:
            projects.append(found)
            continue
        same.folders += found.folders
        same.splits += found.splits
        same.classes |= found.classes
        same.images += found.images
    return projects


def common_facts(projects: Sequence[Project]) -> dict[str, str]:
    """Returns what is true of all projects, and all their licences."""
    facts = dict(projects[0].facts) if projects else {}
    for project in projects[1:]:
        facts = {k: v for k, v in facts.items() if project.facts.get(k) == v}
    licenses = dict.fromkeys(p.facts.get("license", "not stated") for p in projects)
    if len(licenses) > 1:
        facts["license"] = ", ".join(licenses)
    return facts


def report_projects(projects: Sequence[Project], report: ExportReport) -> None:
    """Reports that an export is several."""
    if len(projects) < 2:
        return
    named = "; ".join(map(_in_words, projects[:_MAX_NAMED]))
    more = len(projects) - _MAX_NAMED
    report.add(
        IssueCode.SEVERAL_PROJECTS,
        f"these are exports of {len(projects):,} projects: {named}"
        + (f"; and {more:,} more" if more > 0 else "")
        + ". One dataset mixes their classes and licences; give the folder of one",
        Action.KEPT,
    )


def _project_folder(index: SplitIndex) -> str:
    """Returns the folder around those of a split's JSON."""
    folder = index.files.json_in_export.rpartition("/")[0]
    while folder and is_annotation_folder(folder):
        folder = folder.rpartition("/")[0]
    outer, _, last = folder.rpartition("/")
    return outer if is_split_name(last) else folder


def _project(
    folder: str,
    indexes: Sequence[SplitIndex],
    readmes: Mapping[str, str],
    *,
    is_only: bool,
) -> Project:
    inside = f"{folder}/" if folder else ""
    own = {
        name: text
        for name, text in readmes.items()
        if is_only or name.rpartition("/")[0] == folder or name.startswith(inside)
    }
    entries = [e for index in indexes for e in index.category_entries or []]
    return Project(
        [folder],
        [index.name for index in indexes],
        roboflow_facts(indexes[0].info, indexes[0].licenses, own),
        {str(entry.get("name")) for entry in entries if isinstance(entry, dict)},
        sum(index.num_images for index in indexes),
    )


def _are_one(project: Project, other: Project) -> bool:
    for fact in _TELLING:
        mine, theirs = project.facts.get(fact), other.facts.get(fact)
        if mine is not None and theirs is not None and mine != theirs:
            return False
    if not project.classes or not other.classes:
        return True
    return not project.classes.isdisjoint(other.classes)


def _in_words(project: Project) -> str:
    name = shortened_name(project.folders[0] or project.splits[0], 40)
    facts = [
        shortened(f"{word}{project.facts[fact]}")
        for fact, word in (("version", "version "), ("license", ""))
        if fact in project.facts
    ]
    return f"{name} ({', '.join([*facts, count(project.images, 'image')])})"
