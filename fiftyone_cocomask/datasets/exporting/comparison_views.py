"""Saved views of what a comparison with an export found in a dataset."""

from __future__ import annotations

import fiftyone as fo

from ...coco.changes import Change
from ...coco.comparison import ExportComparison
from ..documents import has_samples
from ..documents.runs import delete_saved_view
from ..locks import changing_outline
from .coco_fields import own_box_field

# What the names of the views begin with.
VIEW_PREFIX = "compare_exports"
_KINDS = (Change.EDITED, Change.RELABELLED, Change.ADDED, Change.REMOVED)


def save_comparison_views(
    dataset: fo.Dataset, comparison: ExportComparison, label_field: str
) -> dict[str, str]:
    """Saves a view for each kind of change, in place of those of the last comparison.

    Labels that the dataset has are selected; of annotations that it lacks, their
    samples.

    Args:
        dataset: the dataset that was compared, as the new or the old export
        comparison: what was found
        label_field: the objects that were compared

    Returns:
        the name of the view of each kind of change that there is
    """
    changes = comparison.changes()
    views = {}
    for kind in _KINDS:
        name = f"{VIEW_PREFIX}: {kind.value}"
        with changing_outline(dataset):
            if dataset.has_saved_view(name):
                delete_saved_view(dataset, name)
        found = changes[changes["change"] == kind.value]
        samples = list(dict.fromkeys(found["sample_id"].dropna()))
        if not samples:
            continue
        view = dataset.select(samples)
        labels = list(found["label_id"].dropna())
        if labels:
            fields = _fields_of(view, labels, label_field)
            view = view.select_labels(ids=labels, fields=fields)
        number = len(found)
        with changing_outline(dataset):
            dataset.save_view(name, view, description=f"{number:,} {kind.value}")
        views[kind.value] = name
    return views


def _fields_of(view: fo.DatasetView, ids: list[str], label_field: str) -> list[str]:
    """Returns the fields of labels: also that of boxes, for annotations of a box alone.

    Args:
        view: the samples
        ids: the ids of the labels
        label_field: the objects that were compared
    """
    boxes = own_box_field(view, label_field)
    if boxes == label_field or not view.has_field(f"{boxes}.detections"):
        return [label_field]
    has_boxes = has_samples(view.match_labels(ids=ids, fields=boxes))
    return [label_field, boxes] if has_boxes else [label_field]
