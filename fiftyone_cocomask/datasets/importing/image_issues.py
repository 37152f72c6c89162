"""What an import tells of images that the dataset has, or had, already."""

from __future__ import annotations

from ...choices import ConflictRule
from ...coco.issues import Action, IssueCode
from ...coco.records import CocoId, ImageRecord
from ...coco.report import ExportReport
from .conflicts import Conflict
from .identity import KnownSample


class ImageIssues:
    """Tells of images, one sentence each.

    Args:
        report: the report of the import
        conflicts: whose version stays in conflicts
    """

    def __init__(self, report: ExportReport, conflicts: ConflictRule) -> None:
        self._report = report
        self._winner = "dataset" if conflicts == "keep" else "export"

    def is_deleted(self, record: ImageRecord) -> None:
        """Tells of an image that a person has deleted, and that stays out."""
        self._add(
            IssueCode.IMAGE_DELETED,
            "it was deleted from the dataset after an earlier import, and stays out; "
            'conflicts="export" brings it back',
            record,
            Action.DROPPED,
        )

    def has_namesake(self, record: ImageRecord, namesake: KnownSample) -> None:
        """Tells of a new image whose split and name another picture has."""
        record.issues.append(IssueCode.OTHER_IMAGE_OF_NAME)
        self._add(
            IssueCode.OTHER_IMAGE_OF_NAME,
            f"the dataset has another picture of this name, {namesake.path}; this one "
            "is a sample of its own",
            record,
        )

    def has_no_room(self, record: ImageRecord) -> None:
        """Tells of annotations for which their image's sample has no room."""
        self._report.drop_imported(entry.label for entry in record.annotations)
        for entry in record.annotations:
            self._add(
                IssueCode.IMAGE_FULL,
                "with what the dataset has of this image already, its annotations are "
                "more than the database can hold of one sample: its sample stays as it "
                "is; import them into another dataset",
                record,
                Action.DROPPED,
                entry.coco_id,
            )

    def is_moved(self, record: ImageRecord, split: str) -> None:
        """Tells of an image that was in another split."""
        self._add(IssueCode.IMAGE_MOVED, f"the dataset had it in '{split}'", record)

    def is_of_other_project(self, record: ImageRecord) -> None:
        """Tells of an image that the dataset has from another project."""
        self._add(
            IssueCode.IMAGE_OF_OTHER_PROJECT,
            "the dataset has it from another project, whose labels, split and tags "
            "stay; this export's labels are beside them",
            record,
        )

    def is_in_conflict(self, record: ImageRecord, conflict: Conflict) -> None:
        """Tells of what a person and the export have changed in different ways."""
        self._add(
            IssueCode.MERGE_CONFLICT,
            f"the dataset {conflict.dataset}, the export {conflict.export}; the "
            f"{self._winner}'s version stays",
            record,
            annotation_id=conflict.coco_id,
        )

    def _add(
        self,
        code: IssueCode,
        message: str,
        record: ImageRecord,
        action: Action = Action.KEPT,
        annotation_id: CocoId | None = None,
    ) -> None:
        self._report.add(
            code,
            message,
            action,
            split=record.split,
            file_name=record.file_name,
            image_id=record.coco_id,
            annotation_id=annotation_id,
        )
