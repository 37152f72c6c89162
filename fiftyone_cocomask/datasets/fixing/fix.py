"""Repairs of what a search for mask issues has found, and their undoing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import fiftyone as fo
import fiftyone.core.utils as fou
from bson import ObjectId

from ...arguments import checked
from ...errors import CocoMaskError
from ..documents import (
    Document,
    Update,
    explain_database_errors,
    read_documents,
    root_dataset,
    sample_ids,
    stream_documents,
    update_documents,
)
from ..issues.find import check_issue_search, issue_search_of
from ..issues.leaks import leaking_groups, read_picture
from ..issues.rules import IssueLimits, MaskIssue
from ..label_lists import LabelList
from ..measuring.measure import drawing_options
from ..run_keys import check_key
from ..targets import checked_samples
from .applying import applied, has_been_applied, undone
from .changes import Change, decode_changes, encode_changes
from .planning import REPAIRABLE, FixPlan, SampleRepair
from .report import FixReport

_METHOD = "cocomask/fixes"
_BATCH_SIZE = 100
_ATTEMPTS = 3
_MEANWHILE = "it was changed while the repair was made; run it again"


@explain_database_errors()
@checked
def fix_mask_issues(
    samples: fo.Dataset | fo.DatasetView,
    issues: Sequence[str] | None = None,
    *,
    label_field: str = "segmentations",
    key: str = "mask_issues",
    fix_key: str = "mask_fixes",
    prefer_classes: Sequence[str] = (),
    outline_key: str | None = None,
    dry_run: bool = False,
    progress: Any = None,
) -> FixReport:
    """Repairs what :func:`find_mask_issues` found and what has one safe repair.

    - ``empty``, ``tiny``: the label is removed.
    - ``duplicate``, ``near_duplicate``: one of the two is kept, the one that lies
      better on its edge if the labels are ranked, else the first.
    - ``two_classes``: the same, where ``prefer_classes`` tells which to keep.
    - ``stray_part``: the part is removed.
    - ``spike``, ``self_crossing``, ``outside``: the outline is repaired if that changes
      at most 1 % of the label's pixels.
    - ``unfilled``: the ring is closed and filled.
    - ``rectangle``, ``box_only``: the label is tagged ``redraw``.
    - ``leak``: all copies of a picture go to the split that has most of them.

    The box of a repaired annotation follows its shape. Labels with the tag ``checked``
    are left alone. Masks and evaluations are not computed again: ``compute_masks`` of
    ``dataset.select(report.sample_ids)`` draws the changed samples.

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
            of two duplicates is better
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
    report = FixReport(fix_key, dry_run=dry_run)
    changes = []
    with fou.ProgressBar(total=len(samples), progress=progress) as bar:
        for documents in _tagged_documents(samples, plan):
            for document in documents:
                changes += SampleRepair(plan, document, report).changes()
            bar.update(len(documents))
        if MaskIssue.LEAK in plan.issues:
            changes += _split_changes(samples, plan)
        bar.update(max(len(samples) - bar.iteration, 0))
    if dry_run:
        for change in changes:
            report.add(change)
        return report
    before = _stored_changes(dataset, fix_key)
    kept = [change for change in before if not _is_pending(dataset, change)]
    if changes or before:
        # Undone from the end, so labels come back to their places from the first on.
        new = sorted(changes, key=lambda change: change.index, reverse=True)
        _store(dataset, fix_key, plan, [*kept, *new])
    _apply(dataset, changes, plan, report)
    return report


@explain_database_errors()
@checked
def undo_mask_fixes(
    dataset: fo.Dataset | fo.DatasetView, fix_key: str = "mask_fixes"
) -> FixReport:
    """Undoes the repairs of :func:`fix_mask_issues`, label by label.

    What somebody has changed since stays as it is and is reported as skipped. The run
    is deleted; a killed undo can be run again.

    Args:
        dataset: the dataset, or a view into it
        fix_key: the key of the repairs

    Returns:
        a :class:`FixReport` of what was undone

    Raises:
        CocoMaskError: if there are no repairs under this key
    """
    dataset = root_dataset(dataset)
    config = _fix_config(dataset, fix_key)
    if config is None:
        keys = list_mask_fixes(dataset)
        has = ", ".join(keys) if keys else "none"
        raise CocoMaskError(
            f"Dataset '{dataset.name}' has no repairs of mask issues '{fix_key}' (it "
            f"has {has})"
        )
    report = FixReport(fix_key, undone=True)
    lists = _lists(config.label_paths)
    by_sample: dict[str, list[Change]] = {}
    for change in reversed(_stored_changes(dataset, fix_key)):
        by_sample.setdefault(change.sample_id, []).append(change)
    for sample_id, changes in by_sample.items():
        _write(dataset, sample_id, changes, lists, undone, report)
    dataset.delete_run(fix_key)
    return report


@explain_database_errors()
@checked
def list_mask_fixes(samples: fo.Dataset | fo.DatasetView) -> list[str]:
    """Returns the keys of a dataset's repairs of mask issues, sorted."""
    dataset = root_dataset(samples)
    return [key for key in dataset.list_runs() if _fix_config(dataset, key)]


def check_fixes(dataset: fo.Dataset, key: str, label_field: str, fix_key: str) -> None:
    """Checks that issues of a search may be repaired under a key.

    Raises:
        CocoMaskError: if they may not
    """
    check_issue_search(dataset, key, label_field)
    check_key(dataset, fix_key)
    if fix_key in dataset.list_runs() and _fix_config(dataset, fix_key) is None:
        raise CocoMaskError(
            f"'{fix_key}' is the key of another run of dataset '{dataset.name}'; give "
            "another fix_key"
        )


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
    score = None
    if outline_key is not None:
        score = f"{outline_key}_score"
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


def _tagged_documents(samples: Any, plan: FixPlan) -> Iterator[list[Document]]:
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
    for ids in sample_ids(dataset, condition, _BATCH_SIZE):
        wanted = [i for i in ids if within is None or i in within]
        documents = read_documents(dataset, wanted, paths)
        yield sorted(documents, key=lambda document: document["_id"])


def _split_changes(samples: Any, plan: FixPlan) -> list[Change]:
    """Returns the changes that put all copies of a picture into one split."""
    names = [
        name
        for name in ("source_name", "split")
        if isinstance(root_dataset(samples).get_field(name), fo.StringField)
    ]
    if "split" not in names or MaskIssue.LEAK not in plan.issues:
        return []
    documents = {}
    pictures = []
    tag = plan.marks.tag(MaskIssue.LEAK)
    for batch in stream_documents(samples, ["filepath", "metadata", "tags", *names]):
        for document in batch:
            if tag not in (document.get("tags") or ()) or not document.get("split"):
                continue
            metadata = document.get("metadata") or {}
            size = (metadata.get("width") or 0, metadata.get("height") or 0)
            documents[document["_id"]] = document
            pictures.append(
                read_picture(
                    document["_id"],
                    document["split"],
                    document.get("source_name"),
                    document["filepath"],
                    size if all(size) else None,
                )
            )
    changes = []
    for group in leaking_groups(pictures, plan.limits.leak_distance):
        target = _most_common([picture.split for picture in group])
        for picture in group:
            document = documents[picture.sample_id]
            changes.append(_moved(document, picture.split, target, tag))
    return changes


def _most_common(splits: list[str]) -> str:
    """Returns the split that comes most often, `train` before others."""
    order = sorted(set(splits), key=lambda name: (name != "train", name))
    return max(order, key=splits.count)


def _moved(document: Document, split: str, target: str, tag: str) -> Change:
    tags = document.get("tags") or []
    moves = split != target
    return Change(
        sample_id=str(document["_id"]),
        filepath=document["filepath"],
        issues=[MaskIssue.LEAK.value],
        action=f"moved to {target}" if moves else "kept",
        before={"split": split},
        after={"split": target},
        tags_added=[target] if moves and target not in tags else [],
        tags_removed=[t for t in (tag, *([split] if moves else [])) if t in tags],
    )


def _apply(
    dataset: fo.Dataset, changes: list[Change], plan: FixPlan, report: FixReport
) -> None:
    lists = {x.field: x for x in (plan.labels, plan.boxes) if x is not None}
    by_sample: dict[str, list[Change]] = {}
    for change in changes:
        by_sample.setdefault(change.sample_id, []).append(change)
    for sample_id, own in by_sample.items():
        _write(dataset, sample_id, own, lists, applied, report)


def _write(
    dataset: fo.Dataset,
    sample_id: str,
    changes: list[Change],
    lists: dict[str, LabelList],
    make: Any,
    report: FixReport,
) -> None:
    """Makes, or undoes, the changes of one sample in one write.

    The write rests on what was read: where somebody has changed the sample meanwhile,
    it is read and made again.
    """
    for _ in range(_ATTEMPTS):
        fields = ["tags", "split", *lists]
        found = read_documents(dataset, [ObjectId(sample_id)], fields)
        if not found:
            for change in changes:
                for issue in change.issues or ["box"]:
                    report.skip(sample_id, change.label_id, issue, "it was deleted")
            return
        document = found[0]
        values, done, left = make(document, changes, lists)
        update: Update = (
            document["_id"],
            values,
            {path: _value_at(document, path) for path in values},
        )
        if not values or update_documents(dataset, [update]):
            for change in done:
                report.add(change)
            for change, reason in left:
                for issue in change.issues or ["box"]:
                    report.skip(sample_id, change.label_id, issue, reason)
            return
    for change in changes:
        for issue in change.issues or ["box"]:
            report.skip(sample_id, change.label_id, issue, _MEANWHILE)


def _value_at(document: Document, path: str) -> Any:
    """Returns the value at a path of embedded documents, None if there is none."""
    value: Any = document
    for name in path.split("."):
        value = (value or {}).get(name)
    return value


def _is_pending(dataset: fo.Dataset, change: Change) -> bool:
    """Whether a stored change was not made: its repair was killed before."""
    fields = ["tags", "split", *([change.label_field] if change.label_field else [])]
    found = read_documents(dataset, [ObjectId(change.sample_id)], fields)
    return bool(found) and not has_been_applied(found[0], change)


def _store(
    dataset: fo.Dataset, fix_key: str, plan: FixPlan, changes: list[Change]
) -> None:
    """Says in a run what is about to be changed, before it is."""
    config = dataset.init_run(
        method=_METHOD,
        label_paths={
            labels.field: labels.path
            for labels in (plan.labels, plan.boxes)
            if labels is not None
        },
    )
    if fix_key in dataset.list_runs():
        dataset.update_run_config(fix_key, config)
    else:
        dataset.register_run(fix_key, config)
    results = dataset.init_run_results(fix_key, changes=encode_changes(changes))
    dataset.save_run_results(fix_key, results, overwrite=True)


def _stored_changes(dataset: fo.Dataset, fix_key: str) -> list[Change]:
    if _fix_config(dataset, fix_key) is None:
        return []
    stored = dataset.load_run_results(fix_key)
    return decode_changes(stored.changes) if stored is not None else []


def _fix_config(dataset: fo.Dataset, fix_key: str) -> Any:
    """Returns the config of repairs, None if the key is of another run."""
    if fix_key not in dataset.list_runs():
        return None
    config = dataset.get_run_info(fix_key).config
    return config if config.method == _METHOD else None


def _lists(paths: dict[str, str]) -> dict[str, LabelList]:
    return {field: LabelList(field, path) for field, path in paths.items()}
