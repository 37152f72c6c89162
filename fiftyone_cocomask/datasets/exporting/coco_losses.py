"""What the import of an export could not keep, and so cannot be written back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..documents import Document
from ..import_base.base import BASE_FIELD
from .coco_report import CocoExportReport


class ImportLosses:
    """What an import has dropped, of all or of the images that are written.

    Args:
        info: what the import kept of its export; empty if there was none
        is_view: whether a view is written: it lacks what its images lack
    """

    def __init__(self, info: Mapping[str, Any], *, is_view: bool) -> None:
        report = info.get("report") or {}
        self._lost = [i for i in report.get("issues") or [] if _is_loss(i)]
        self._is_view = is_view
        self._images = {(i.get("split"), i.get("file_name")) for i in self._lost}
        self._written: set[tuple[Any, Any]] = set()

    def note(self, document: Document) -> None:
        """Notes that an image is written.

        Args:
            document: the document of its sample
        """
        split = (document.get(BASE_FIELD) or {}).get("split") or document.get("split")
        image = split, document.get("file_name")
        if image in self._images:
            self._written.add(image)

    def tell(self, report: CocoExportReport, splits: Collection[str]) -> None:
        """Adds what is lost to a report: an annotation once, with the first reason.

        Args:
            report: the report of what was written
            splits: the splits that were written
        """
        told: set[tuple[Any, ...]] = set()
        for issue in self._lost:
            split, file_name = issue.get("split"), issue.get("file_name")
            annotation_id = issue.get("annotation_id")
            if file_name is None or not self._is_view:
                is_here = split in (None, *splits)
            else:
                is_here = (split, file_name) in self._written
            key = split, file_name, annotation_id
            if not is_here or (annotation_id is not None and key in told):
                continue
            told.add(key)
            how = "left it out" if issue["action"] == "dropped" else "kept its box"
            report.lose(
                f"the import {how}: {issue.get('message')}",
                file_name=file_name,
                annotation_id=annotation_id,
                split=split,
            )


def _is_loss(issue: Mapping[str, Any]) -> bool:
    # A box that never had a shape is written as what it was.
    is_box = issue.get("code") == "segmentation_missing"
    return issue.get("action") in ("dropped", "box_only") and not is_box
