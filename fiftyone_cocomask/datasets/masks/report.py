"""What computing masks did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ...limits import MAX_NAMED
from ...words import agree, count
from .drawing import MaskResult

# What several reports are added up by.
_SUMS = (
    "images",
    "unchanged",
    "unchanged_objects",
    "objects",
    "num_hidden",
    "overlap_px",
    "lines",
    "without_geometry",
    "boxes",
    "num_skipped",
    "seconds",
)


@dataclass(slots=True)
class MaskReport:
    """What :func:`compute_masks` did.

    Attributes:
        images: the number of images that have a current mask now
        unchanged: how many of them had it before; the figures below leave them out
        unchanged_objects: the number of objects in those
        objects: the number of objects drawn
        hidden: the objects with no visible pixel, as ``{"sample_id", "filepath",
            "label_id"}``; at most 1,000 are named
        num_hidden: how many there are
        overlap_px: the number of pixels under two or more objects
        lines: how many objects were drawn as lines: polylines that are not filled, in
            a field that says so or in which nothing is filled
        without_geometry: the number of labels that have no polygon, RLE or mask
        boxes: the number of boxes that have no shape and are background in the masks,
            also those in the field of boxes that an import writes beside its polygons
        skipped: the samples that got no mask, as ``{"sample_id", "filepath",
            "reason"}``; at most 1,000 are named
        num_skipped: how many there are
        output_dir: the folder of the mask files, or None
        seconds: how long it took; of several tasks, all together
    """

    images: int = 0
    unchanged: int = 0
    unchanged_objects: int = 0
    objects: int = 0
    hidden: list[dict[str, str]] = field(default_factory=list)
    num_hidden: int = 0
    overlap_px: int = 0
    lines: int = 0
    without_geometry: int = 0
    boxes: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    num_skipped: int = 0
    output_dir: str | None = None
    seconds: float = 0.0

    def add(self, result: MaskResult) -> None:
        """Counts one sample."""
        names = {"sample_id": str(result.sample_id), "filepath": result.filepath}
        if result.skipped is not None:
            self.num_skipped += 1
            if len(self.skipped) < MAX_NAMED:
                self.skipped.append({**names, "reason": result.skipped})
            return
        self.images += 1
        self.unchanged += result.segmentation is None
        self.unchanged_objects += result.unchanged_objects
        self.objects += result.objects
        self.overlap_px += result.overlap_px
        self.lines += result.lines
        self.without_geometry += result.without_geometry
        self.num_hidden += len(result.hidden)
        for label_id in result.hidden[: MAX_NAMED - len(self.hidden)]:
            self.hidden.append({**names, "label_id": str(label_id)})

    @classmethod
    def of_parts(cls, reports: Iterable[dict[str, Any]]) -> MaskReport:
        """Returns one report of what several tasks did, given as :meth:`to_dict`."""
        total = cls()
        for part in reports:
            for name in _SUMS:
                setattr(total, name, getattr(total, name) + part.get(name, 0))
            total.hidden += part["hidden"][: MAX_NAMED - len(total.hidden)]
            total.skipped += part["skipped"][: MAX_NAMED - len(total.skipped)]
            total.output_dir = part["output_dir"]
        return total

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as JSON holds it."""
        return asdict(self)

    def summary(self) -> str:
        """Returns the report in a few lines for a person."""
        objects = self.objects + self.unchanged_objects
        kept = "all" if self.unchanged == self.images else f"{self.unchanged:,} of them"
        lines = [
            f"{count(self.images, 'mask')} of {count(objects, 'object')}"
            + (f", {kept} unchanged" if self.unchanged else "")
            + f", in {self.seconds:.1f} s"
        ]
        if self.images > self.unchanged or not self.images:
            lines.append(
                f"{self.overlap_px:,} px lie under two or more objects; "
                f"{count(self.num_hidden, 'object')} "
                f"{agree(self.num_hidden, 'has', 'have')} no visible pixel"
            )
        if self.lines:
            lines.append(
                f"{count(self.lines, 'object')} not filled, drawn as "
                f"{agree(self.lines, 'a line', 'lines')}; for areas, set "
                "the default of 'filled' in the field's label schema to True"
            )
        if self.without_geometry:
            lines.append(f"Labels without geometry to draw: {self.without_geometry:,}")
        if self.boxes:
            lines.append(
                f"Boxes without a shape: {self.boxes:,}; the masks have background "
                "there"
            )
        if self.num_skipped:
            first = self.skipped[0]
            lines.append(
                f"{count(self.num_skipped, 'sample')} got no mask; the first is "
                f"{first['filepath']}: {first['reason']}"
            )
        if self.output_dir:
            lines.append(f"Mask files are in {self.output_dir}")
        return "\n".join(lines)
