"""What is worth one line in a report and not one for each annotation."""

from __future__ import annotations

from dataclasses import dataclass

from .issues import Action, IssueCode
from .records import CocoId
from .report import ExportReport

_MESSAGES = {
    IssueCode.AREA_IS_BOX_AREA: (
        "'area' of {count:,} of {total:,} annotations is the box's area, as Roboflow "
        "writes it, and not that of the segmentation"
    ),
    IssueCode.AREA_DIFFERS: (
        "'area' of {count:,} of {total:,} annotations is neither that of the "
        "segmentation nor that of the box"
    ),
    IssueCode.MULTI_PART: (
        "{count:,} of {total:,} annotations have several parts; their union is the "
        "object"
    ),
    IssueCode.CROWD: "{count:,} of {total:,} annotations mark a crowd (iscrowd 1)",
    IssueCode.ATTRIBUTE_RENAMED: (
        "{count:,} of {total:,} annotations have attributes of names that FiftyOne "
        "cannot take; they are called otherwise: {detail}"
    ),
    IssueCode.KEYPOINTS: (
        "{count:,} of {total:,} annotations have keypoints; they are kept as the "
        "attribute 'keypoints'"
    ),
    IssueCode.ANNOTATION_WITHOUT_ID: "{count:,} of {total:,} annotations have no id",
    IssueCode.IMAGE_WITHOUT_ANNOTATIONS: (
        "{count:,} of {total:,} images have no annotations: negative images"
    ),
    IssueCode.IMAGE_NOT_RGB: (
        "{count:,} of {total:,} images are not plain RGB but {detail}"
    ),
}
# Issues of these codes are about a whole split; the image they name is an example.
COUNTED_CODES = frozenset(_MESSAGES)
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

    def report(
        self, report: ExportReport, split: str, images: int, annotations: int
    ) -> None:
        """Adds an issue for each code that was counted."""
        for code, note in self._notes.items():
            message = _MESSAGES[code].format(
                count=note.count,
                total=images if code in _OF_IMAGES else annotations,
                detail=", ".join(self._details.get(code, {})),
            )
            report.add(
                code,
                message,
                _ACTIONS.get(code, Action.KEPT),
                split=split,
                file_name=note.file_name,
                image_id=note.image_id,
                annotation_id=note.annotation_id,
            )
