"""Whether a merge replaces nearly all labels, as another project's export would.

Projects that Roboflow's files name are told apart by their names. Others that annotate
the same images look like a later version; what tells is that nothing of the labels that
the last import wrote is left.
"""

from __future__ import annotations

from ...coco.issues import Action, IssueCode
from ...coco.records import ImageRecord
from ...coco.report import ExportReport
from ...words import count
from ..import_base.base import BaseAnnotation
from ..import_base.digests import label_digest
from .changing import MergedLabels

# Of fewer annotations it says nothing that all of them are others.
_MIN_ANNOTATIONS = 3
_NEARLY_ALL = 0.9


class ReplacedLabels:
    """Counts what becomes of the annotations that the last import wrote."""

    def __init__(self) -> None:
        self._images = 0
        self._before = 0
        self._gone = 0
        self._added = 0
        self._classes: set[bytes] = set()
        self._new_classes: set[bytes] = set()

    def add(
        self,
        record: ImageRecord,
        before: tuple[BaseAnnotation, ...],
        labels: MergedLabels,
    ) -> None:
        """Takes an image that was merged with a sample of the last import."""
        self._images += 1
        self._before += len(before)
        removed = sum(kept.is_removed for kept in labels.annotations)
        self._gone += labels.deleted + removed
        self._added += labels.added
        self._classes |= {annotation.label for annotation in before}
        self._new_classes |= _classes_of(record)

    def add_unchanged(self, record: ImageRecord) -> None:
        """Takes an image of which nothing has changed."""
        self._images += 1
        self._before += len(record.annotations)
        self._classes |= _classes_of(record)
        self._new_classes |= _classes_of(record)

    def report(self, report: ExportReport) -> int:
        """Reports it if nearly all annotations are others.

        Returns:
            how many the dataset had then, else 0
        """
        are_gone = self._added > 0 and self._gone >= _NEARLY_ALL * self._before
        are_classes = bool(self._new_classes) and not self._classes & self._new_classes
        if self._before < _MIN_ANNOTATIONS or not (are_gone or are_classes):
            return 0
        why = "the export has none of their classes"
        if are_gone:
            why = f"the export no longer has {self._gone:,} of them, and others instead"
        report.add(
            IssueCode.LABELS_REPLACED,
            f"{count(self._images, 'image')} of the export had "
            f"{count(self._before, 'annotation')} in the dataset, and {why}: it "
            "may be of another project. To keep the labels of both, import it into "
            "other fields",
            Action.KEPT,
        )
        return self._before


def _classes_of(record: ImageRecord) -> set[bytes]:
    names = {annotation.label for annotation in record.annotations}
    return {label_digest({"label": name}) for name in names}
