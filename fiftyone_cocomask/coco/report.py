"""The report of an export: what is in it, what is wrong, what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .issues import Action, Issue, IssueCode, Severity
from .records import CocoId
from .words import printable, shortened

_EXAMPLES = 3
_HEADINGS = {
    Severity.ERROR: "Errors",
    Severity.WARNING: "Warnings",
    Severity.INFO: "Notes",
}
_SEVERITY_ORDER = tuple(_HEADINGS)


class ExportReport:
    """What an export holds, what is wrong with it, and what was done about it.

    Attributes:
        name: the export's name
        images: the number of images that the JSON lists
        annotations: the number of annotations that the JSON lists
        categories: the number of categories
        splits: for each split its number of images and annotations
        issues: everything found, in the order of the export
        imported: the number of annotations that are in the dataset
        dropped: the number that are not; each has an issue
        usable_images: the number of images that can become samples
        unlisted: the number of image files that the JSON does not list
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.images = 0
        self.annotations = 0
        self.categories = 0
        self.splits: dict[str, dict[str, int]] = {}
        self.issues: list[Issue] = []
        self.imported = 0
        self.dropped = 0
        self.usable_images = 0
        self.unlisted = 0

    @property
    def accounted(self) -> int:
        """The annotations imported and dropped: always all of them."""
        return self.imported + self.dropped

    def count_split(self, split: str, images: int, annotations: int) -> None:
        """Adds a split's numbers."""
        self.splits[split] = {"images": images, "annotations": annotations}
        self.images += images
        self.annotations += annotations

    def add(
        self,
        code: IssueCode,
        message: str,
        action: Action,
        *,
        split: str | None = None,
        file_name: str | None = None,
        image_id: CocoId | None = None,
        annotation_id: CocoId | None = None,
    ) -> None:
        """Adds an issue; it is an error where something was dropped."""
        dropped = action is Action.DROPPED
        severity = Severity.ERROR if dropped else code.severity
        self.issues.append(
            Issue(
                code,
                severity,
                split,
                file_name,
                image_id,
                annotation_id,
                message,
                action,
            )
        )

    def counts(self) -> dict[str, int]:
        """Returns the number of issues of each code."""
        return dict(Counter(issue.code.value for issue in self.issues))

    def to_dict(self, max_issues: int | None = None) -> dict[str, Any]:
        """Returns the report as plain dicts, lists, strings and numbers.

        Args:
            max_issues: how many issues to include; errors come first. All by default
        """
        issues = self.issues
        if max_issues is not None and len(issues) > max_issues:
            issues = sorted(issues, key=_severity_rank)[:max_issues]
        return {
            "name": self.name,
            "images": self.images,
            "usable_images": self.usable_images,
            "annotations": self.annotations,
            "imported": self.imported,
            "dropped": self.dropped,
            "categories": self.categories,
            "unlisted": self.unlisted,
            "splits": {name: dict(counts) for name, counts in self.splits.items()},
            "counts": self.counts(),
            "issues": [issue.to_dict() for issue in issues],
            "issues_omitted": len(self.issues) - len(issues),
        }

    def summary(self) -> str:
        """Returns a table for people.

        The counts, then each code with its number, what was done and the first
        examples; errors first.
        """
        return "\n".join([*self._head(), *self._body()])

    def __repr__(self) -> str:
        return (
            f"<ExportReport {self.name!r}: {self.images} images, {self.annotations} "
            f"annotations, {len(self.issues)} issues>"
        )

    def _head(self) -> Iterator[str]:
        yield f"Export {printable(self.name)}"
        rows = [("split", "images", "annotations")]
        rows += [
            (name, f"{counts['images']:,}", f"{counts['annotations']:,}")
            for name, counts in self.splits.items()
        ]
        if len(self.splits) > 1:
            rows.append(("all", f"{self.images:,}", f"{self.annotations:,}"))
        width = max(len(row[0]) for row in rows)
        for first, second, third in rows:
            yield f"  {first:<{width}}  {second:>9}  {third:>11}"
        yield (
            f"{self.usable_images:,} of {self.images:,} images usable, "
            f"{self.imported:,} of {self.annotations:,} annotations usable, "
            f"{self.dropped:,} dropped"
        )

    def _body(self) -> Iterator[str]:
        if not self.issues:
            yield "No issues."
            return
        by_code: dict[tuple[Severity, IssueCode], list[Issue]] = {}
        for issue in self.issues:
            by_code.setdefault((issue.severity, issue.code), []).append(issue)
        for severity in _SEVERITY_ORDER:
            groups = [(c, found) for (s, c), found in by_code.items() if s is severity]
            if groups:
                yield ""
                yield _HEADINGS[severity]
            for code, found in sorted(groups, key=lambda group: -len(group[1])):
                yield from _group_lines(code, found)


def _group_lines(code: IssueCode, issues: list[Issue]) -> Iterator[str]:
    actions = Counter(issue.action.value for issue in issues)
    done = ", ".join(f"{count:,} {action}" for action, count in actions.most_common())
    yield f"  {code.value}: {done}"
    for issue in issues[:_EXAMPLES]:
        yield f"    {_place(issue)}{printable(issue.message)}"
    if len(issues) > _EXAMPLES:
        yield f"    ... and {len(issues) - _EXAMPLES:,} more"


def _place(issue: Issue) -> str:
    parts = []
    if issue.split is not None:
        parts.append(issue.split)
    if issue.file_name is not None:
        parts.append(shortened(issue.file_name))
    if issue.annotation_id is not None:
        parts.append(shortened(f"annotation {issue.annotation_id}"))
    elif issue.image_id is not None and issue.file_name is None:
        parts.append(shortened(f"image {issue.image_id}"))
    return f"[{', '.join(parts)}] " if parts else ""


def _severity_rank(issue: Issue) -> int:
    return _SEVERITY_ORDER.index(issue.severity)
