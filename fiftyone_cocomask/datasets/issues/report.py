"""What a search for mask issues found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...words import agree, count
from .rules import MaskIssue


@dataclass(slots=True)
class MaskIssueReport:
    """What :func:`find_mask_issues` found.

    Attributes:
        key: the key of the search
        images: the number of samples that were checked
        labels: the number of their labels that have a geometry
        counts: how many labels, or samples, have each issue
        figures: what is counted without being an issue: ``cut_by_edge``, the labels
            that cover pixels at the edge of their image, so that they may go on
            outside; ``varying_copies``, if there are any: the augmented copies that
            cover another share of their image than the others of their source, where
            those are random crops
        definitions: the rule of each issue in words
        views: the name of the saved view of each issue that there is
        without_figures: the samples that could not be checked, as ``{"sample_id",
            "filepath", "reason"}``; at most 1,000
        num_without_figures: how many there are
    """

    key: str
    images: int = 0
    labels: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    without_figures: list[dict[str, str]] = field(default_factory=list)
    num_without_figures: int = 0

    def __post_init__(self) -> None:
        # Searches of earlier versions have not stored it.
        known = len(self.without_figures)
        self.num_without_figures = max(self.num_without_figures, known)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        lines = [f"{count(self.labels, 'label')} of {count(self.images, 'image')}"]
        for issue in MaskIssue:
            number, name = self.counts.get(issue.value, 0), issue.value
            if number:
                noun = "sample" if issue.of_sample else "label"
                what = agree(number, noun, f"{noun}s")
                lines.append(f"{number:>8,} {what}: {name}. {self.definitions[name]}")
        if len(lines) == 1:
            lines.append("No issues")
        edge = self.figures.get("cut_by_edge")
        if edge:
            lines.append(f"{count(edge, 'label')} at the edge of an image")
        varying = self.figures.get("varying_copies")
        if varying:
            lines.append(
                f"{count(varying, 'augmented copy')} with another coverage than the "
                "other copies of the source, as random crops have"
            )
        if self.num_without_figures:
            lines.append(
                f"{count(self.num_without_figures, 'image')} could not be checked"
            )
        return "\n".join(lines)
