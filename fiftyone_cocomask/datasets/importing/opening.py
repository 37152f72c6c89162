"""Exports, opened to be imported into a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import fiftyone as fo

from ...coco.check import ExportReader
from ..import_base.base import Fields
from .earlier_classes import labels_before, splits_before


def open_export(
    path: str | Path,
    dataset: fo.Dataset | None,
    fields: Fields,
    *,
    image_dir: str | Path | None,
    splits: Sequence[str] | None,
) -> ExportReader:
    """Opens an export, with the names that a dataset has of its classes and splits.

    Args:
        path: the export
        dataset: the dataset to merge it into; None if there is none, or if it takes the
            place of all that is there
        fields: the fields of polylines and detections
        image_dir: where the images are, if not in the export
        splits: the splits to read; all by default

    Raises:
        ExportError: if it cannot be read
    """
    labels = labels_before(dataset, fields) if dataset is not None else {}
    known = splits_before(dataset, fields) if dataset is not None else set[str]()
    if splits is not None and known.isdisjoint(splits):
        # They are given by the names that a check of the export shows.
        known = set()
    return ExportReader(
        path,
        image_dir=image_dir,
        splits=splits,
        wants_fingerprints=True,
        known_labels=labels,
        known_splits=known,
    )
