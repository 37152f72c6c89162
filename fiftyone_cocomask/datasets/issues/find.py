"""Masks that look wrong, marked so that a person can work through them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import current_dataset, ids_of, num_samples, root_dataset
from ..documents.runs import delete_run, replace_results, run_results
from ..journal import Journal
from ..known_classes import check_label_classes
from ..label_fields import check_has_masks, is_mask_field
from ..label_lists import LabelList, boxes_beside
from ..locks import ISSUES, one_at_a_time
from ..memory import frozen_heap
from ..targets import Samples, checked_samples
from .following import follow_marked
from .marks import IssueMarks
from .paired_boxes import Marked, marked_polygons
from .report import MaskIssueReport
from .rules import IssueLimits, MaskIssue
from .search import IssueSearch
from .searches import (
    check_search,
    issue_search_of,
    list_mask_issues,
    register_search,
    search_config,
    search_marks,
)


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
        follow_marked(dataset, key)
    register_search(samples, key, labels, boxes, mask_field, limits)
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
    if search_config(dataset, key) is None:
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
    follow_marked(dataset, key)
    marks = search_marks(dataset, key)
    marks.remove_tags(progress)
    marks.delete_views()
    journal.begin("clear", key, {"key": key})
    delete_run(dataset, "runs", key)
    journal.end("clear", key, {"key": key})


@explain_database_errors()
@checked
def load_mask_issues(samples: Samples, key: str = "mask_issues") -> MaskIssueReport:
    """Returns the report of a search for mask issues.

    Raises:
        CocoMaskError: if there is no such search, or it was stopped before its end
    """
    dataset = root_dataset(samples)
    stored = run_results(dataset, key) if search_config(dataset, key) else None
    if stored is None:
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no finished search for mask issues '{key}'"
        )
    return MaskIssueReport(**stored.report)


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
