"""What can be wrong with an export, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .issue_codes import IssueCode, Severity, Word

__all__ = ["Action", "Issue", "IssueCode", "Severity"]


class Action(Word):
    """What became of the annotation, image or entry that an issue is about."""

    KEPT = "kept"
    """It is in the dataset as it was found."""
    REPAIRED = "repaired"
    """It is in the dataset, put right as the message says."""
    BOX_ONLY = "box_only"
    """It is in the dataset as a box; its segmentation is missing or unusable."""
    DROPPED = "dropped"
    """It is not in the dataset."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong or worth knowing, where it is, and what was done.

    Attributes:
        code: what kind of issue it is
        severity: how much it matters
        split: the split it is in, None if it is about the whole export
        file_name: the image's file name as the JSON has it
        image_id: the image's id as the JSON has it
        annotation_id: the annotation's id as the JSON has it
        message: one sentence for a person
        action: what became of what the issue is about
    """

    code: IssueCode
    severity: Severity
    split: str | None
    file_name: str | None
    image_id: int | str | None
    annotation_id: int | str | None
    message: str
    action: Action

    def to_dict(self) -> dict[str, Any]:
        """Returns the issue as plain strings and numbers, without what is None."""
        values = {
            "code": self.code.value,
            "severity": self.severity.value,
            "action": self.action.value,
            "split": self.split,
            "file_name": self.file_name,
            "image_id": self.image_id,
            "annotation_id": self.annotation_id,
            "message": self.message,
        }
        return {name: value for name, value in values.items() if value is not None}
