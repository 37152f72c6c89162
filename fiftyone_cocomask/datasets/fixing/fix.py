"""Repairs of what a search for mask issues has found, and their undoing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou

from ...arguments import checked
from ...errors import CocoMaskError
from ...fiftyone_types import SampleCollection
from ..database_errors import explain_database_errors
from ..documents import (
    Document,
    current_dataset,
    num_samples,
    read_documents,
    root_dataset,
    sample_ids,
    stream_documents,
)
from ..issues.following import mark_again
from ..issues.rules import IssueLimits, MaskIssue, search_of_tag
from ..issues.searches import issue_search_of, list_mask_issues
from ..journal import Journal
from ..known_classes import check_label_classes
from ..label_lists import LabelList, boxes_beside
from ..locks import ISSUES, one_at_a_time
from ..measuring.measure import drawing_options
from ..memory import frozen_heap
from ..outlines.rank import list_outline_rankings
from ..redoing import redo_samples
from ..targets import checked_samples
from .applying import DELETED, EDITED, undone
from .changes import Change, without_tags
from .others import OtherRepairs
from .planning import REPAIRABLE, FixPlan, SampleRepair
from .report import FixReport
from .splits import split_changes
from .stored import SAMPLES_AT_ONCE, StoredFixes, begin_changes, check_fixes, fix_keys
from .writing import SAMPLE_DELETED, carry_out, write_changes


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
def fix_mask_issues(
    samples: fo.Dataset | fo.DatasetView,
    issues: Sequence[str] | None = None,
    *,
    label_field: str = "segmentations",
    key: str = "mask_issues",
    fix_key: str = "mask_fixes",
    prefer_classes: Sequence[str] = (),
    outline_key: str | None = None,
    redo: bool = False,
    dry_run: bool = False,
    progress: Any = None,
) -> FixReport:
    """Repairs what :func:`find_mask_issues` found and what has one safe repair.

    - ``empty``, ``tiny``: the label is removed.
    - ``duplicate``, ``near_duplicate``: one of the two is kept, the one that lies
      better on its edge if the labels are ranked, else the first.
    - ``two_classes``: the same, where ``prefer_classes`` tells which to keep.
    - ``stray_part``: the part is removed, if at most 10% of the label's pixels go.
    - ``spike``, ``self_crossing``, ``outside``: the outline is repaired if that changes
      at most 1% of the label's pixels.
    - ``unfilled``: the ring is closed and filled.
    - ``rectangle``, ``box_only``: the label is tagged ``redraw``.
    - ``leak``: all copies of a picture go to the split that has most of them.

    The box of a repaired annotation follows its shape. Labels and images with the tag
    ``checked`` are left alone. With ``redo``, masks and figures of the changed samples
    alone are made again.

    The repairs are a run of the dataset under ``fix_key`` that names each label;
    :func:`undo_mask_fixes` undoes them. Repairs under a key that exists are added to
    it. A killed repair can be run again, or undone.

    Example::

        import fiftyone_cocomask as fcm

        fcm.find_mask_issues(dataset)
        print(fcm.fix_mask_issues(dataset, dry_run=True).summary())
        report = fcm.fix_mask_issues(dataset, ["duplicate", "spike"])
        fcm.undo_mask_fixes(dataset)

    Args:
        samples: the dataset or view whose samples are repaired
        issues: the issues to repair; all that have a repair by default
        label_field: the field that was searched
        key: the key of the search
        fix_key: the key of the repairs
        prefer_classes: of two labels in two classes the one whose class comes first
            here is kept; none is removed where neither class is named
        outline_key: the key of a ranking by :func:`rank_mask_outlines` that says which
            of two duplicates is better; by default the one that there is, if any
        redo: whether to draw masks, to measure figures and to search again, of the
            repaired samples alone
        dry_run: whether to say what would be done, and to write nothing
        progress: whether to render a progress bar (True/False), FiftyOne's default
            (None), or a function to call with the bar

    Returns:
        a :class:`FixReport`

    Raises:
        CocoMaskError: if an argument does not fit; nothing has been written then
    """
    samples = checked_samples(samples)
    dataset = root_dataset(samples)
    plan = _plan(
        dataset, issues, label_field, key, fix_key, prefer_classes, outline_key
    )
    if not dry_run:
        begin_changes(dataset, label_field)
    report = FixReport(fix_key, dry_run=dry_run)
    changes = []
    with fou.ProgressBar(total=num_samples(samples), progress=progress) as bar:
        for documents in _tagged_documents(samples, plan):
            for document in documents:
                changes += SampleRepair(plan, document, report).changes()
            bar.update(len(documents))
        if MaskIssue.LEAK in plan.issues:
            changes += split_changes(samples, plan, report)
        bar.update(max(num_samples(samples) - bar.iteration, 0))
    lists = {x.field: x for x in (plan.labels, plan.boxes) if x is not None}
    together = carry_out(dataset, changes, lists, report)
    if redo and together:
        # All of them: the call before may have been killed before it came to that.
        ids = {change.sample_id for change in together}
        report.redone = redo_samples(dataset, ids, label_field, progress=progress)
        mark_again(dataset, label_field, ids)
    return report


@explain_database_errors()
@checked
@one_at_a_time(ISSUES)
@frozen_heap()
def undo_mask_fixes(
    dataset: fo.Dataset | fo.DatasetView,
    fix_key: str = "mask_fixes",
    *,
    redo: bool = False,
    progress: Any = None,
) -> FixReport:
    """Undoes the repairs of :func:`fix_mask_issues`, label by label.

    What somebody has changed since stays as it is and is reported as skipped. The run
    is deleted, unless it has repairs that wait for those under another key, which
    changed the same labels later, to be undone first. A killed undo can be run again.

    Args:
        dataset: the dataset; of a view, its whole dataset
        fix_key: the key of the repairs
        redo: whether to draw masks and to measure figures again, of the samples that
            were repaired alone
        progress: whether to render progress bars of that (True/False), FiftyOne's
            default (None), or a function to call with each bar

    Returns:
        a :class:`FixReport` of what was undone

    Raises:
        CocoMaskError: if there are no repairs under this key, or the dataset does not
            have the field of the repaired labels any more; nothing has been written
            then
    """
    dataset = current_dataset(dataset)
    stored, journal = StoredFixes(dataset, fix_key), Journal(dataset)
    report = FixReport(fix_key, undone=True)
    if not stored.exist:
        if fix_key not in dataset.list_runs() and journal.entry("undo", fix_key):
            # Asked for once more, as after a kill.
            stored.delete()
            return report
        has = ", ".join(fix_keys(dataset)) or "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no repairs of mask issues '{fix_key}' (it "
            f"has {has})"
        )
    lists, label_field = stored.lists(), stored.label_field()
    made = stored.changes()
    _check_fields(dataset, fix_key, made, lists)
    begin_changes(dataset, label_field)
    is_cleared = _tags_of_cleared_searches(dataset)
    changes = [without_tags(change, is_cleared) for change in made]
    waiting = _undo(dataset, fix_key, changes, lists, report)
    changed = {change.sample_id for change in changes}
    if redo:
        report.redone = redo_samples(dataset, changed, label_field, progress=progress)
    mark_again(dataset, label_field, changed if redo else report.sample_ids)
    if waiting:
        stored.keep(waiting, lists)
        return report
    journal.begin("undo", fix_key, {"key": fix_key})
    stored.delete()
    journal.end("undo", fix_key, {"key": fix_key})
    return report


@explain_database_errors()
@checked
def list_mask_fixes(samples: fo.Dataset | fo.DatasetView) -> list[str]:
    """Returns the keys of a dataset's repairs of mask issues, sorted."""
    return fix_keys(root_dataset(samples))


def _check_fields(
    dataset: fo.Dataset,
    fix_key: str,
    changes: list[Change],
    lists: dict[str, LabelList],
) -> None:
    """Checks that labels can go back to the fields that they are from."""
    for field in {change.label_field for change in changes if change.label_field}:
        path = lists[field].path
        if not dataset.has_field(path):
            raise CocoMaskError(
                f"Dataset '{dataset.name}' has no field '{path}' any more, whose "
                f"labels '{fix_key}' has repaired; rename '{field}' back, or add it "
                "again, and undo the repairs then"
            )


def _tags_of_cleared_searches(dataset: fo.Dataset) -> Callable[[str], bool]:
    """Returns what tells the tags of searches that were cleared, and are no more."""
    journal, known = Journal(dataset), set(list_mask_issues(dataset))

    @cache
    def is_cleared(tag: str) -> bool:
        key = search_of_tag(tag)
        is_gone = key is not None and key not in known
        return is_gone and journal.entry("clear", str(key)) is not None

    return is_cleared


def _undo(
    dataset: fo.Dataset,
    fix_key: str,
    changes: list[Change],
    lists: dict[str, LabelList],
    report: FixReport,
) -> list[Change]:
    """Takes changes back, and returns those that can only be taken back later."""
    keys = [key for key in fix_keys(dataset) if key != fix_key]
    stored = ((key, StoredFixes(dataset, key).changes()) for key in keys)
    others = OtherRepairs(changes, stored)
    last_first = changes[::-1]
    make = partial(undone, others=others)
    left = write_changes(dataset, last_first, lists, make, report)
    final = (EDITED, DELETED, SAMPLE_DELETED)
    waiting = {id(change) for change, reason in left if reason not in final}
    return [change for change in changes if id(change) in waiting]


def _plan(
    dataset: fo.Dataset,
    issues: Sequence[str] | None,
    label_field: str,
    key: str,
    fix_key: str,
    prefer_classes: Sequence[str],
    outline_key: str | None,
) -> FixPlan:
    check_fixes(dataset, key, label_field, fix_key)
    if isinstance(prefer_classes, str) or not all(
        isinstance(name, str) for name in prefer_classes
    ):
        raise CocoMaskError(
            f"prefer_classes must be a list of classes, not {prefer_classes!r}"
        )
    marks, labels, boxes, config = issue_search_of(dataset, key)
    # They may have been imported since the search.
    boxes = boxes or boxes_beside(dataset, labels)
    check_label_classes(dataset, labels, "prefer_classes", prefer_classes)
    outline_key = outline_key or _usual_ranking(dataset, labels)
    score = None
    if outline_key is not None:
        score = _score(outline_key)
        if not dataset.has_field(f"{labels.path}.{score}"):
            raise CocoMaskError(
                f"Field '{label_field}' has no ranking of outlines '{outline_key}'"
            )
    return FixPlan(
        marks=marks,
        labels=labels,
        boxes=boxes,
        issues=_checked_issues(issues),
        limits=IssueLimits.of_dict(config.limits),
        options=drawing_options(
            dataset, getattr(config, "mask_field", None) or "", labels.field
        ),
        prefer_classes=tuple(prefer_classes),
        score=score,
    )


def _score(outline_key: str) -> str:
    """Returns the attribute of a ranking that says how well an outline lies."""
    return f"{outline_key}_score"


def _usual_ranking(dataset: fo.Dataset, labels: LabelList) -> str | None:
    """Returns the key of a ranking of a field's outlines, if there is one."""
    keys = [
        key
        for key in list_outline_rankings(dataset)
        if dataset.get_run_info(key).config.label_field == labels.field
        and dataset.has_field(f"{labels.path}.{_score(key)}")
    ]
    return "outline" if "outline" in keys else next(iter(keys), None)


def _checked_issues(issues: Sequence[str] | None) -> tuple[MaskIssue, ...]:
    if issues is None:
        return REPAIRABLE
    names = [issues] if isinstance(issues, str) else list(issues)
    known = {issue.value: issue for issue in REPAIRABLE}
    wrong = [name for name in names if name not in known]
    if wrong:
        raise CocoMaskError(
            f"Issue {wrong[0]!r} has no safe repair; those that have one are "
            f"{', '.join(known)}"
        )
    return tuple(known[name] for name in names)


def _tagged_documents(
    samples: SampleCollection, plan: FixPlan
) -> Iterator[list[Document]]:
    """Yields the samples with labels that are to be repaired, whole."""
    dataset = root_dataset(samples)
    tags = [plan.marks.tag(issue) for issue in plan.issues]
    lists = [labels for labels in (plan.labels, plan.boxes) if labels is not None]
    condition = {"$or": [{f"{labels.path}.tags": {"$in": tags}} for labels in lists]}
    within = None
    if samples is not dataset:
        within = {
            document["_id"]
            for batch in stream_documents(samples, ["_id"])
            for document in batch
        }
    paths = ["filepath", "metadata", *(labels.field for labels in lists)]
    for ids in sample_ids(dataset, condition, SAMPLES_AT_ONCE):
        wanted = [i for i in ids if within is None or i in within]
        documents = read_documents(dataset, wanted, paths)
        yield sorted(documents, key=lambda document: document["_id"])
