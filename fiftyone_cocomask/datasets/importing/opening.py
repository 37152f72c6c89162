"""Exports, opened to be imported into a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import fiftyone as fo

from ...coco.categories import KnownLabels, known_labels
from ...coco.check import ExportReader
from ..import_base.base import Fields
from ..import_base.info import known_info


def open_export(
    path: str | Path,
    dataset: fo.Dataset | None,
    fields: Fields,
    *,
    image_dir: str | Path | None,
    splits: Sequence[str] | None,
) -> ExportReader:
    """Opens an export, whose classes are called as a version before it has called them.

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
    known = _known_labels(dataset, fields) if dataset is not None else {}
    return ExportReader(
        path,
        image_dir=image_dir,
        splits=splits,
        wants_fingerprints=True,
        known_labels=known,
    )


def _known_labels(dataset: fo.Dataset, fields: Fields) -> KnownLabels:
    """Returns the labels that the last import into two fields gave to categories."""
    known: dict[tuple[int | str | None, str], str | None] = {}
    for facts in (known_info(dataset, fields).get("splits") or {}).values():
        if facts.get("labels") is None:
            continue
        labels = dict(facts["labels"])
        of_split = known_labels(facts.get("categories") or [], labels)
        known |= {
            key: label
            for key, label in of_split.items()
            if label is not None or key not in known
        }
    return known
