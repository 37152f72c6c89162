"""The report of an export: what is in it, what is wrong, what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..words import part_of, printable, shortened, shortened_name
from .issues import Action, Issue, IssueCode, Severity
from .merge_counts import MergeCounts
from .records import CocoId

_EXAMPLES = 3
_MAX_MESSAGE = 1000
_HEADINGS = {
    Severity.ERROR: "Errors",
    Severity.WARNING: "Warnings",
    Severity.INFO: "Notes",
}
# A kind of issue in a report: all of one code, of which the same became.
_Kind = tuple[Severity, Action, IssueCode]
# What was lost comes first; whether the rest was put right or kept tells no harm.
_LOSSES = (Action.DROPPED, Action.BOX_ONLY)
_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_CODE_RANK = {code: rank for rank, code in enumerate(IssueCode)}


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
        classes: how many of these each class has
        dropped: the number that are not; each has an issue
        usable_images: the number of images that can become samples
        unlisted: the number of image files that the JSON does not list
        merge: what importing it did to the dataset; None where it was not imported
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.images = 0
        self.annotations = 0
        self.categories = 0
        self.splits: dict[str, dict[str, int]] = {}
        self.issues: list[Issue] = []
        self.imported = 0
        self.classes: Counter[str] = Counter()
        self.dropped = 0
        self.usable_images = 0
        self.unlisted = 0
        self.merge: MergeCounts | None = None

    @property
    def accounted(self) -> int:
        """The annotations imported and dropped: always all of them."""
        return self.imported + self.dropped

    def count_split(self, split: str, images: int, annotations: int) -> None:
        """Adds a split's numbers."""
        self.splits[split] = {"images": images, "annotations": annotations}
        self.images += images
        self.annotations += annotations

    def count_imported(self, label: str) -> None:
        """Counts an annotation that is in the dataset."""
        self.imported += 1
        self.classes[label] += 1

    def drop_imported(self, labels: Iterable[str]) -> None:
        """Counts annotations that turned out not to fit into the dataset."""
        for label in labels:
            self.imported -= 1
            self.dropped += 1
            self.classes[label] -= 1
        self.classes = +self.classes

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
        is_loss: bool = False,
    ) -> None:
        """Adds an issue; it is an error where something was lost.

        A box whose segmentation is missing lost none; one whose segmentation could not
        be used did. ``is_loss`` says so of a part that was left out.
        """
        lost = action is Action.DROPPED or (
            (is_loss or action is Action.BOX_ONLY)
            and code is not IssueCode.SEGMENTATION_MISSING
        )
        severity = Severity.ERROR if lost else code.severity
        message = shortened(message, _MAX_MESSAGE)
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

    def join(self, other: ExportReport) -> None:
        """Adds what was found in the images that come next."""
        self.issues += other.issues
        self.imported += other.imported
        self.classes.update(other.classes)
        self.dropped += other.dropped
        self.usable_images += other.usable_images

    def packed_part(self) -> list[Any]:
        """Returns what :meth:`join` takes of this report as plain values."""
        issues = [
            [getattr(issue, name) for name in Issue.__slots__] for issue in self.issues
        ]
        counts = [self.imported, dict(self.classes), self.dropped, self.usable_images]
        return [self.name, issues, *counts]

    @classmethod
    def unpacked_part(cls, values: Sequence[Any]) -> ExportReport:
        """Returns what :meth:`packed_part` gave."""
        name, issues, imported, classes, dropped, usable_images = values
        report = cls(name)
        for values in issues:
            facts = dict(zip(Issue.__slots__, values, strict=True))
            facts["code"] = IssueCode(facts["code"])
            facts["severity"] = Severity(facts["severity"])
            facts["action"] = Action(facts["action"])
            report.issues.append(Issue(**facts))
        report.imported, report.dropped = imported, dropped
        report.classes.update(classes)
        report.usable_images = usable_images
        return report

    def counts(self) -> dict[str, int]:
        """Returns the number of issues of each code."""
        return dict(Counter(issue.code.value for issue in self.issues))

    def kinds(self) -> list[dict[str, Any]]:
        """Returns each code and what became of it, with its number and an example.

        The most harmful first: errors, and among them what was lost before the rest;
        causes before what follows from them.
        """
        return [
            {
                "code": code.value,
                "severity": severity.value,
                "action": action.value,
                "count": len(found),
                "example": _example(found[0], names_split=len(self.splits) > 1),
            }
            for (severity, action, code), found in _by_kind(self.issues)
        ]

    def to_dict(
        self, max_issues: int | None = None, max_bytes: int | None = None
    ) -> dict[str, Any]:
        """Returns the report as plain dicts, lists, strings and numbers.

        Args:
            max_issues: how many issues to include: some of every kind, the most harmful
                first. All by default
            max_bytes: about how many bytes of issues to include
        """
        issues = self.issues
        if max_issues is not None and len(issues) > max_issues:
            issues = _some_of_each_kind(issues, max_issues)
        if max_bytes is not None:
            issues = list(_within(issues, max_bytes))
        merge = {} if self.merge is None else {"merge": self.merge.to_dict()}
        return {
            "name": self.name,
            "images": self.images,
            "usable_images": self.usable_images,
            "annotations": self.annotations,
            "imported": self.imported,
            "dropped": self.dropped,
            "categories": self.categories,
            "classes": dict(sorted(self.classes.items())),
            "unlisted": self.unlisted,
            "splits": {name: dict(counts) for name, counts in self.splits.items()},
            "counts": self.counts(),
            "kinds": self.kinds(),
            "issues": [issue.to_dict() for issue in issues],
            "issues_omitted": len(self.issues) - len(issues),
            **merge,
        }

    def summary(self) -> str:
        """Returns a table for people.

        The counts, then each code with its number, what was done and the first
        examples; what was lost first, causes before what follows from them.
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
            (shortened(name), f"{counts['images']:,}", f"{counts['annotations']:,}")
            for name, counts in self.splits.items()
        ]
        if len(self.splits) > 1:
            rows.append(("all", f"{self.images:,}", f"{self.annotations:,}"))
        width = max(len(row[0]) for row in rows)
        for first, second, third in rows:
            yield f"  {first:<{width}}  {second:>9}  {third:>11}"
        yield (
            f"{part_of(self.usable_images, self.images, 'image')} usable, "
            f"{part_of(self.imported, self.annotations, 'annotation')} usable, "
            f"{self.dropped:,} dropped"
        )
        if self.merge is not None:
            yield f"Dataset: {', '.join(self.merge.lines()) or 'nothing has changed'}"

    def _body(self) -> Iterator[str]:
        if not self.issues:
            yield "No issues."
            return
        heading = None
        for (severity, code), found in _by_code(self.issues).items():
            if severity is not heading:
                yield ""
                yield _HEADINGS[severity]
                heading = severity
            yield from _code_lines(code, found)


def _example(issue: Issue, *, names_split: bool) -> str:
    places = _places(issue, names_split=names_split)
    return f"{', '.join(places)}: {issue.message}" if places else issue.message


def _by_kind(issues: Iterable[Issue]) -> list[tuple[_Kind, list[Issue]]]:
    """Returns issues by what they are and what became of them, most harmful first."""
    kinds: dict[_Kind, list[Issue]] = {}
    for issue in issues:
        kinds.setdefault((issue.severity, issue.action, issue.code), []).append(issue)
    return sorted(kinds.items(), key=lambda item: _rank(item[0]))


def _by_code(issues: Iterable[Issue]) -> dict[tuple[Severity, IssueCode], list[Issue]]:
    """Returns issues by severity and code, most harmful first."""
    codes: dict[tuple[Severity, IssueCode], list[Issue]] = {}
    for (severity, _, code), found in _by_kind(issues):
        codes.setdefault((severity, code), []).extend(found)
    return codes


def _rank(kind: _Kind) -> tuple[int, int, int]:
    severity, action, code = kind
    loss = _LOSSES.index(action) if action in _LOSSES else len(_LOSSES)
    return _SEVERITY_RANK[severity], loss, _CODE_RANK[code]


def _some_of_each_kind(issues: list[Issue], number: int) -> list[Issue]:
    """Returns so many issues: examples of each kind first, then the most harmful."""
    kinds = [found for _, found in _by_kind(issues)]
    shares = [0] * len(kinds)
    for most in (1, _EXAMPLES, len(issues)):
        for place, found in enumerate(kinds):
            more = min(most, len(found)) - shares[place]
            shares[place] += min(more, number - sum(shares))
    return [
        issue
        for found, share in zip(kinds, shares, strict=True)
        for issue in found[:share]
    ]


def _within(issues: Iterable[Issue], max_bytes: int) -> Iterator[Issue]:
    for issue in issues:
        texts = (issue.file_name, issue.split, str(issue.annotation_id), issue.message)
        max_bytes -= 200 + sum(len((text or "").encode()) for text in texts)
        if max_bytes >= 0:
            yield issue


def _code_lines(code: IssueCode, issues: list[Issue]) -> Iterator[str]:
    actions = Counter(issue.action.value for issue in issues)
    done = ", ".join(f"{count:,} {action}" for action, count in actions.most_common())
    yield f"  {code.value}: {done}"
    for issue in issues[:_EXAMPLES]:
        yield f"    {_place(issue)}{printable(issue.message)}"
    if len(issues) > _EXAMPLES:
        yield f"    ... and {len(issues) - _EXAMPLES:,} more"


def _place(issue: Issue) -> str:
    places = _places(issue)
    return f"[{', '.join(places)}] " if places else ""


def _places(issue: Issue, *, names_split: bool = True) -> list[str]:
    """Returns where an issue is: its split, file, and annotation or image."""
    parts = []
    if names_split and issue.split is not None:
        parts.append(shortened(issue.split))
    if issue.file_name is not None:
        parts.append(shortened_name(issue.file_name))
    if issue.annotation_id is not None:
        parts.append(shortened(f"annotation {issue.annotation_id}"))
    elif issue.image_id is not None and issue.file_name is None:
        parts.append(shortened(f"image {issue.image_id}"))
    return parts
