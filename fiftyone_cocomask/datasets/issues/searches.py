"""Searches for mask issues as runs of the dataset: which there are, and what of."""

from __future__ import annotations

from typing import Any

import fiftyone as fo

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import root_dataset
from ..documents.runs import begin_run
from ..label_lists import LabelList, boxes_beside
from ..run_keys import check_key
from ..targets import Samples
from .marks import IssueMarks
from .rules import IssueLimits

_METHOD = "cocomask/issues"


@explain_database_errors()
@checked
def list_mask_issues(samples: Samples) -> list[str]:
    """Returns the keys of a dataset's searches for mask issues, sorted."""
    dataset = root_dataset(samples)
    return [key for key in dataset.list_runs() if search_config(dataset, key)]


def check_search(dataset: fo.Dataset, key: str, label_field: str) -> None:
    """Checks that mask issues of a label field may be searched for under a key.

    Raises:
        CocoMaskError: if they may not
    """
    labels = LabelList.of_field(dataset, label_field)
    check_key(dataset, key, "key")
    if key not in dataset.list_runs():
        IssueMarks(dataset, key, labels).check_views_free()
        return
    config = search_config(dataset, key)
    if config is None:
        raise CocoMaskError(
            f"'{key}' is the key of another run of dataset '{dataset.name}'; give "
            "another key"
        )
    if config.label_path != labels.path:
        raise CocoMaskError(
            f"'{key}' has marked the labels of '{config.label_field}'; give another "
            "key, or clear those issues first"
        )


def search_marks(dataset: fo.Dataset, key: str) -> IssueMarks:
    """Returns the tags and views of a search that there is."""
    return issue_search_of(dataset, key)[0]


def issue_search_of(
    dataset: fo.Dataset, key: str
) -> tuple[IssueMarks, LabelList, LabelList | None, Any]:
    """Returns the marks, labels, boxes and config of a search that there is."""
    config = dataset.get_run_info(key).config
    # Searches of earlier versions know of no boxes.
    box_path = getattr(config, "box_path", None)
    boxes = LabelList(config.box_field, box_path) if box_path else None
    labels = LabelList(config.label_field, config.label_path)
    if boxes is not None and not dataset.has_field(boxes.field):
        # It may have another name by now.
        boxes = boxes_beside(dataset, labels)
    return IssueMarks(dataset, key, labels, boxes), labels, boxes, config


def check_issue_search(dataset: fo.Dataset, key: str, label_field: str) -> None:
    """Checks that there is a search of a label field for mask issues.

    Raises:
        CocoMaskError: if there is none
    """
    labels = LabelList.of_field(dataset, label_field)
    config = search_config(dataset, key)
    if config is None:
        known = list_mask_issues(dataset)
        has = ", ".join(known) if known else "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no search for mask issues '{key}' (it has "
            f"{has}); find mask issues first"
        )
    if config.label_path != labels.path:
        raise CocoMaskError(
            f"The search '{key}' is of the labels of '{config.label_field}', not of "
            f"'{label_field}'"
        )


def register_search(
    samples: SampleCollection,
    key: str,
    labels: LabelList,
    boxes: LabelList | None,
    mask_field: str | None,
    limits: IssueLimits,
) -> None:
    """Registers a search, or says of an earlier one what it looks for now.

    An earlier run is not replaced: a search that is killed leaves its key to its tags
    and views, so that it can be run again.
    """
    config = samples.init_run(
        method=_METHOD,
        label_field=labels.field,
        label_path=labels.path,
        box_field=boxes.field if boxes is not None else None,
        box_path=boxes.path if boxes is not None else None,
        mask_field=mask_field,
        limits=limits.to_dict(),
    )
    begin_run(samples, key, config)


def search_config(dataset: fo.Dataset, key: str) -> Any:
    """Returns the config of a search for issues, None if the key is of another run."""
    if key not in dataset.list_runs():
        return None
    config = dataset.get_run_info(key).config
    return config if config.method == _METHOD else None
