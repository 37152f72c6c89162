"""Saved views of what a comparison with an export found in a dataset."""

from __future__ import annotations

import fiftyone as fo

from ...coco.changes import Change
from ...coco.comparison import ExportComparison
from ..documents.runs import delete_saved_view
from ..locks import changing_outline

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
            view = view.select_labels(ids=labels, fields=label_field)
        number = len(found)
        with changing_outline(dataset):
            dataset.save_view(name, view, description=f"{number:,} {kind.value}")
        views[kind.value] = name
    return views
