"""What a person has done to marked polygons, found out and done to their boxes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import fiftyone as fo

from ..documents.runs import replace_results, run_results
from ..label_lists import LabelList
from ..locks import ISSUES, AtWorkError, locked
from .paired_boxes import BoxChanges, Marked, follow_polygons, polygons_to_follow
from .searches import issue_search_of, list_mask_issues


def follow_edits(
    dataset: fo.Dataset, key: str, changed: Collection[str] | None = None
) -> BoxChanges:
    """Does to boxes what was done to the polygons that a search has marked.

    The box of a polygon that was deleted, relabelled or tagged since, as a person does
    in the patches of an issue, is deleted, relabelled or tagged as well.

    Args:
        dataset: the dataset
        key: the key of the search
        changed: the samples to look at, where polygons may be marked only now; by
            default all that the search has marked

    Returns:
        what was done; nothing while others search or repair, who do it themselves
    """
    try:
        with locked(dataset, ISSUES, waits_s=0):
            return follow_marked(dataset, key, changed)
    except AtWorkError:
        return BoxChanges()


def follow_all_edits(dataset: fo.Dataset, label_field: str) -> None:
    """Does :func:`follow_edits` for all searches of a field, before it is changed.

    Whoever calls this keeps others from the same work.

    Args:
        dataset: the dataset
        label_field: the field
    """
    for key in _searches_of(dataset, label_field):
        follow_marked(dataset, key)


def mark_again(
    dataset: fo.Dataset, label_field: str, sample_ids: Collection[str]
) -> None:
    """Tells the searches of a field what its labels are like, after they were changed.

    Else that would be taken for an edit of a person, which boxes follow: who changes
    labels changes their boxes too, or leaves them. Whoever calls this keeps others from
    the same work.

    Args:
        dataset: the dataset
        label_field: the field
        sample_ids: the samples of the labels, which may be marked only now
    """
    for key in _searches_of(dataset, label_field):
        follow_marked(dataset, key, sample_ids, boxes_stay=True)


def _searches_of(dataset: fo.Dataset, label_field: str) -> list[str]:
    keys = list_mask_issues(dataset)
    return [k for k in keys if issue_search_of(dataset, k)[1].field == label_field]


def follow_marked(
    dataset: fo.Dataset,
    key: str,
    changed: Collection[str] | None = None,
    *,
    boxes_stay: bool = False,
) -> BoxChanges:
    """Follows the edits of marked polygons.

    Args:
        dataset: the dataset
        key: the key of the search
        changed: the samples to look at; polygons of theirs that are marked only now are
            followed from here on, too. By default, all polygons that are known
        boxes_stay: whether to note what the polygons are like, and to do nothing
    """
    _, labels, boxes, _ = issue_search_of(dataset, key)
    stored = run_results(dataset, key, cache=False)
    marked = getattr(stored, "marked", None)
    if marked is None or boxes is None or not _are_there(dataset, labels, boxes):
        return BoxChanges()
    some = None if changed is None else set(changed)
    own = [polygon for polygon in marked if some is None or polygon[1] in some]
    changes, now = BoxChanges(), own
    if not boxes_stay:
        changes, now = follow_polygons(dataset, labels, boxes, own)
    if some is not None:
        known = {polygon[0] for polygon in now}
        now = list(polygons_to_follow(dataset, labels, some, key, known))
        now += [polygon for polygon in marked if polygon[1] not in some]
    if _by_id(now) != _by_id(marked):
        results = dataset.init_run_results(key, report=stored.report, marked=now)
        replace_results(dataset, key, results)
    return changes


def _by_id(polygons: Iterable[Marked]) -> dict[str, Marked]:
    """Returns polygons to be compared in any order, also those without a class."""
    return {polygon[0]: polygon for polygon in polygons}


def _are_there(dataset: fo.Dataset, *lists: LabelList) -> bool:
    """Whether the fields of labels are there, under these names."""
    return all(dataset.has_field(labels.field) for labels in lists)
