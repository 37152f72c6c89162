"""Masks that look wrong, marked so that a person can work through them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import current_dataset, ids_of, num_samples, root_dataset
from ..documents.runs import begin_run, delete_run, replace_results, run_results
from ..journal import Journal
from ..known_classes import check_label_classes
from ..label_fields import check_has_masks, is_mask_field
from ..label_lists import LabelList, boxes_beside
from ..locks import ISSUES, AtWorkError, locked, one_at_a_time
from ..memory import frozen_heap
from ..run_keys import check_key
from ..targets import Samples, checked_samples
from .marks import IssueMarks
from .paired_boxes import (
    BoxChanges,
    Marked,
    follow_polygons,
    marked_polygons,
    polygons_to_follow,
)
from .report import MaskIssueReport
from .rules import IssueLimits, MaskIssue
from .search import IssueSearch

_METHOD = "cocomask/issues"


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
def find_mask_issues(
    samples: Samples,
    label_field: str = "segmentations",
    mask_field: str | None = "mask",
    *,
    key: str = "mask_issues",
    limits: IssueLimits | Mapping[str, Any] | None = None,
    progress: Any = None,
) -> MaskIssueReport:
    """Marks labels and samples whose masks look wrong, and saves a view of each issue.

    Looks at each label alone (empty, tiny, huge, rectangle, self-crossing, spike, stray
    part, unfilled, box only), beside the others of its image (hidden, duplicate, near
    duplicate, contained, in two classes) and of its class (outlier, coarse); and at
    samples whose mask is empty though they have labels, whose covered area differs from
    that of other augmented copies of the same source (by the field ``source_name``), or
    whose picture is in another split too. The exact rules are in the report's
    ``definitions``.

    Labels that a person has tagged ``checked`` are left out.

    Each gets the tag ``<key>:<issue>``, and each issue the saved view ``<key>:
    <issue>``, where labels are patches. Whoever deletes, relabels or tags a marked
    polygon means the object: its box follows when the panel, a repair or another search
    sees it, see :func:`follow_edits`. Searching again under the same key brings both up
    to date; :func:`clear_mask_issues` removes them.

    Example::

        import fiftyone_cocomask as fcm

        report = fcm.find_mask_issues(dataset, "segmentations", "mask")
        print(report.summary())
        view = dataset.load_saved_view(report.views["hidden"])

    Args:
        samples: the dataset or view to search; of a grouped one, its active slice
        label_field: a field of Polylines, or of Detections with masks
        mask_field: the field of their masks, which says how they were drawn; None
            leaves out empty masks
        key: what the tags and views begin with
        limits: the numbers in the rules, also as a dict of those that differ
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`MaskIssueReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    limits = IssueLimits.of_numbers(limits)
    labels = LabelList.of_field(dataset, label_field)
    if mask_field is not None:
        check_has_masks(dataset, mask_field)
    check_search(dataset, key, label_field)
    check_exempt_pairs(dataset, label_field, limits)
    boxes = boxes_beside(dataset, labels)
    marks = IssueMarks(dataset, key, labels, boxes)
    if key in dataset.list_runs():
        _follow_edits(dataset, key)
    _register(samples, key, labels, boxes, mask_field, limits)
    samples.compute_metadata(progress=False)
    search = IssueSearch(samples, labels, boxes, mask_field, limits)
    bar = fou.ProgressBar(total=num_samples(samples), progress=progress)
    with bar, frozen_heap():
        for number in search.run():
            bar.update(number)
    marks.leave_out_checked(search.found)
    report = search.report(key)
    marks.set_tags(search.found)
    base = dataset if dataset.media_type != "group" else samples
    counts = {MaskIssue(name): count for name, count in report.counts.items()}
    views = marks.save_views(base, counts, limits)
    marks.delete_views(keep=set(views.values()))
    report.views = {issue.value: name for issue, name in views.items()}
    marked: Iterable[Marked] = ()
    if boxes is not None:
        ours = [issue for issue in MaskIssue if marks.list_of(issue) == labels]
        found = search.found.labels_of(ours)
        marked = marked_polygons(dataset, labels, found)
    results = samples.init_run_results(key, report=report.to_dict())
    replace_results(dataset, key, results, marked=marked)
    return report


def search_again(samples: SampleCollection, key: str, progress: Any) -> int:
    """Brings the tags of some samples and their labels up to date.

    Issues that take all samples to tell stay as the last search has found them, and
    samples that it was not of stay without tags.

    Args:
        samples: a view of the dataset
        key: the key of a search
        progress: as for :func:`find_mask_issues`

    Returns:
        the number of the samples
    """
    dataset = root_dataset(samples)
    marks, labels, boxes, config = issue_search_of(dataset, key)
    covered = ids_of(dataset.load_run_view(key).select(samples.values("id")))
    # A view may not match those any more whose labels have changed.
    covered |= marks.tagged_samples(samples)
    if not covered:
        return 0
    samples = samples.select([str(sample_id) for sample_id in sorted(covered)])
    mask_field = config.mask_field
    if mask_field is not None and not is_mask_field(dataset, mask_field):
        mask_field = None
    limits = IssueLimits.of_dict(config.limits)
    search = IssueSearch(samples, labels, boxes, mask_field, limits)
    with fou.ProgressBar(total=num_samples(samples), progress=progress) as bar:
        for number in search.run():
            bar.update(number)
    issues = [issue for issue in MaskIssue if issue.of_image]
    ids = samples.values("id")
    marks.update_tags(search.found, issues, ids)
    return len(ids)


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
def clear_mask_issues(
    samples: Samples, key: str = "mask_issues", *, progress: Any = None
) -> None:
    """Removes the tags and saved views of :func:`find_mask_issues`.

    Args:
        samples: the dataset, or a view into it
        key: the key of the search
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Raises:
        CocoMaskError: if there is no such search
    """
    dataset = current_dataset(samples)
    journal = Journal(dataset)
    if _search_config(dataset, key) is None:
        if key not in dataset.list_runs() and journal.entry("clear", key):
            # Asked for once more, as after a kill.
            delete_run(dataset, "runs", key)
            return
        known = list_mask_issues(dataset)
        has = ", ".join(known) if known else "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no search for mask issues '{key}' (it has "
            f"{has})"
        )
    _follow_edits(dataset, key)
    marks = search_marks(dataset, key)
    marks.remove_tags(progress)
    marks.delete_views()
    journal.begin("clear", key, {"key": key})
    delete_run(dataset, "runs", key)
    journal.end("clear", key, {"key": key})


@explain_database_errors()
@checked
def list_mask_issues(samples: Samples) -> list[str]:
    """Returns the keys of a dataset's searches for mask issues, sorted."""
    dataset = root_dataset(samples)
    return [key for key in dataset.list_runs() if _search_config(dataset, key)]


@explain_database_errors()
@checked
def load_mask_issues(samples: Samples, key: str = "mask_issues") -> MaskIssueReport:
    """Returns the report of a search for mask issues.

    Raises:
        CocoMaskError: if there is no such search, or it was stopped before its end
    """
    dataset = root_dataset(samples)
    stored = run_results(dataset, key) if _search_config(dataset, key) else None
    if stored is None:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no finished search for mask issues '{key}'"
        )
    return MaskIssueReport(**stored.report)


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
            return _follow_edits(dataset, key, changed)
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
        _follow_edits(dataset, key)


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
        _follow_edits(dataset, key, sample_ids, boxes_stay=True)


def _searches_of(dataset: fo.Dataset, label_field: str) -> list[str]:
    keys = list_mask_issues(dataset)
    return [k for k in keys if issue_search_of(dataset, k)[1].field == label_field]


def _follow_edits(
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
        changed: the samples to look at, of which those polygons are followed from here
            on, too, that are marked by now; by default all that are known
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
    if sorted(now) != sorted(marked):
        results = dataset.init_run_results(key, report=stored.report, marked=now)
        replace_results(dataset, key, results)
    return changes


def _are_there(dataset: fo.Dataset, *lists: LabelList) -> bool:
    """Whether the fields of labels are there, under these names."""
    return all(dataset.has_field(labels.field) for labels in lists)


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
    config = _search_config(dataset, key)
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


def check_exempt_pairs(
    dataset: fo.Dataset, label_field: str, limits: IssueLimits
) -> None:
    """Checks that the classes that may overlap are there.

    Raises:
        CocoMaskError: if there is no such class
    """
    classes = [name for pair in limits.exempt_pairs for name in pair]
    labels = LabelList.of_field(dataset, label_field)
    check_label_classes(dataset, labels, "exempt_pairs", classes)


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
    config = _search_config(dataset, key)
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


def _register(
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


def _search_config(dataset: fo.Dataset, key: str) -> Any:
    """Returns the config of a search for issues, None if the key is of another run."""
    if key not in dataset.list_runs():
        return None
    config = dataset.get_run_info(key).config
    return config if config.method == _METHOD else None
