"""What an export to COCO wrote, and what it could not write."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ...limits import MAX_NAMED
from ...words import count


@dataclass(slots=True)
class CocoExportReport:
    """What :func:`export_roboflow_coco` wrote.

    Attributes:
        output_dir: the folder
        images: the number of images
        annotations: the number of annotations
        splits: for each split its numbers of images and annotations
        unchanged: the number of annotations that are as the import found them
        edited: the number whose shape, box or attributes a person changed
        relabelled: the number of which only the class was changed
        added: the number that no import made
        deleted: the number that the import made and that are gone
        left_out: the number that the dataset has and the view does not
        num_losses: the number of losses
        losses: what could not be written, at most 1,000, as ``{"sample_id",
            "filepath", "label_id", "reason"}`` as far as known
        warnings: what a reader of the result should know, each once
        files_copied: the number of image files that were copied or linked
    """

    output_dir: str
    images: int = 0
    annotations: int = 0
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    unchanged: int = 0
    edited: int = 0
    relabelled: int = 0
    added: int = 0
    deleted: int = 0
    left_out: int = 0
    num_losses: int = 0
    losses: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files_copied: int = 0

    def lose(self, reason: str, **place: Any) -> None:
        """Notes something that could not be written."""
        self.num_losses += 1
        if len(self.losses) < MAX_NAMED:
            known = {name: value for name, value in place.items() if value is not None}
            self.losses.append({**known, "reason": reason})

    def warn(self, warning: str) -> None:
        """Notes something once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return asdict(self)

    def summary(self) -> str:
        """Returns lines for a person."""
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        lines = [
            f"{count(self.images, 'image')} and "
            f"{count(self.annotations, 'annotation')} in {self.output_dir}"
        ]
        rows = [
            (name, f"{n['images']:,}", f"{n['annotations']:,}")
            for name, n in self.splits.items()
        ]
        if rows:
            rows.insert(0, ("split", "images", "annotations"))
            width = max(len(row[0]) for row in rows)
            lines += [f"  {a:<{width}}  {b:>9}  {c:>11}" for a, b, c in rows]
        counts = [
            (self.unchanged, "unchanged"),
            (self.edited, "edited"),
            (self.relabelled, "relabelled"),
            (self.added, "added"),
            (self.deleted, "deleted"),
            (self.left_out, "left out by the view"),
        ]
        told = ", ".join(f"{number:,} {word}" for number, word in counts if number)
        if told:
            lines.append(f"Since the import: {told}")
        lines += [f"Warning: {warning}" for warning in self.warnings]
        if self.num_losses:
            first = self.losses[0]
            place = first.get("filepath") or first.get("file_name")
            lines.append(
                f"{self.num_losses:,} could not be written; the first"
                f"{f' is of {place}' if place else ''}: {first['reason']}"
            )
        return lines
