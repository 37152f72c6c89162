"""What is worth one line in a report and not one for each annotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from ..words import agree, part_of
from .issues import Action, IssueCode
from .records import CocoId
from .report import ExportReport

# Issues of these codes are about a whole split.
COUNTED_CODES = frozenset(code for code in IssueCode if code.counted_message)
_ACTIONS = {IssueCode.ATTRIBUTE_RENAMED: Action.REPAIRED}
_OF_IMAGES = (IssueCode.IMAGE_WITHOUT_ANNOTATIONS, IssueCode.IMAGE_NOT_RGB)


_MAX_DETAILS = 10


@dataclass(slots=True)
class _Note:
    file_name: str | None
    image_id: CocoId | None
    annotation_id: CocoId | None
    count: int = 0


class Notes:
    """Counts, over a split, what is normal but worth knowing."""

    def __init__(self) -> None:
        self._notes: dict[IssueCode, _Note] = {}
        self._details: dict[IssueCode, dict[str, None]] = {}
        self._telling_areas = 0
        self._areas_of_filled_boxes = 0

    def count_stated_area(self, *, fills_box: bool) -> None:
        """Counts an annotation that states an area.

        Args:
            fills_box: whether its object fills its box, so that nothing tells of which
                of them the area is
        """
        if fills_box:
            self._areas_of_filled_boxes += 1
        else:
            self._telling_areas += 1

    def add(
        self,
        code: IssueCode,
        file_name: str | None,
        image_id: CocoId | None,
        annotation_id: CocoId | None = None,
        detail: str | None = None,
    ) -> None:
        """Counts one case; the first one becomes the example."""
        note = self._notes.get(code)
        if note is None:
            note = self._notes[code] = _Note(file_name, image_id, annotation_id)
        note.count += 1
        if detail is not None:
            details = self._details.setdefault(code, {})
            if len(details) < _MAX_DETAILS:
                details[detail] = None

    def join(self, other: Notes) -> None:
        """Adds what was counted in the images that come next."""
        for code, note in other._notes.items():
            first = self._notes.setdefault(code, note)
            if first is not note:
                first.count += note.count
        for code, names in other._details.items():
            details = self._details.setdefault(code, {})
            for name in names:
                if len(details) < _MAX_DETAILS:
                    details[name] = None
        self._telling_areas += other._telling_areas
        self._areas_of_filled_boxes += other._areas_of_filled_boxes

    def packed(self) -> list[Any]:
        """Returns the counts as plain values."""
        notes = [(code, astuple(note)) for code, note in self._notes.items()]
        details = [(code, list(names)) for code, names in self._details.items()]
        return [notes, details, self._telling_areas, self._areas_of_filled_boxes]

    @classmethod
    def unpacked(cls, values: Sequence[Any]) -> Notes:
        """Returns the counts that :meth:`packed` gave."""
        found = cls()
        notes, details, found._telling_areas, found._areas_of_filled_boxes = values
        found._notes = {IssueCode(code): _Note(*note) for code, note in notes}
        found._details = {IssueCode(c): dict.fromkeys(names) for c, names in details}
        return found

    def report(
        self, report: ExportReport, split: str, images: int, annotations: int
    ) -> None:
        """Adds an issue for each code that was counted."""
        for code, note in self._notes.items():
            assert code.counted_message is not None
            of_images = code in _OF_IMAGES
            total = images if of_images else annotations
            if code is IssueCode.AREA_IS_BOX_AREA:
                total = self._telling_areas
            message = code.counted_message.format(
                some=part_of(note.count, total, "image" if of_images else "annotation"),
                are=agree(note.count, "is", "are"),
                have=agree(note.count, "has", "have"),
                mark=agree(note.count, "marks", "mark"),
                detail=", ".join(self._details.get(code, {})),
            )
            if code is IssueCode.AREA_IS_BOX_AREA and self._areas_of_filled_boxes:
                message += (
                    f"; {self._areas_of_filled_boxes:,} more "
                    f"{agree(self._areas_of_filled_boxes, 'fills its', 'fill their')} "
                    "box, so that both areas are the same"
                )
            # Of the split, not of an annotation: what comes first is an example.
            report.add(
                code,
                message + _example(note),
                _ACTIONS.get(code, Action.KEPT),
                split=split,
            )


def _example(note: _Note) -> str:
    of_annotation = note.annotation_id is not None
    parts = [f"annotation {note.annotation_id}"] if of_annotation else []
    parts += [note.file_name] if note.file_name is not None else []
    return f"; for example {' of '.join(parts)}" if parts else ""
