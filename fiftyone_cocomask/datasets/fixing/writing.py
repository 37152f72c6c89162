"""Changes of labels written, each sample in one write, and kept to be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import fiftyone as fo
from bson import ObjectId

from ..documents import (
    MODIFIED,
    Update,
    read_documents,
    settle,
    update_documents,
)
from ..issues.following import mark_again
from ..label_lists import LabelList
from ..memory import frozen_heap
from .applying import Outcome, applied
from .changes import Change, stay_between
from .report import FixReport
from .stored import StoredFixes

_ATTEMPTS = 3
# Before each so many samples, it is noted how far a run has come.
_NOTED_AT_ONCE = 10
SAMPLE_DELETED = "its sample was deleted"
_MEANWHILE = "it was changed while the repair was made; run it again"


@frozen_heap()
def carry_out(
    dataset: fo.Dataset,
    changes: list[Change],
    lists: dict[str, LabelList],
    report: FixReport,
) -> list[Change]:
    """Makes changes that can be undone, or in a dry run only counts them.

    Args:
        dataset: the dataset
        changes: the changes, those of a sample in their order
        lists: where the labels are, by field
        report: says whether it is a dry run, and counts what is done and what is not

    Returns:
        all changes of the report's key, also of a call that was killed; none in a dry
        run
    """
    # In the order of ids: if this is killed, the id noted last tells how far it came.
    changes = sorted(changes, key=lambda change: change.sample_id)
    if report.dry_run:
        for change in changes:
            report.add(change)
        return []
    stored = StoredFixes(dataset, report.fix_key)
    if not changes and not stored.exist:
        return []
    stay_between(changes)
    together = stored.add(changes, lists)
    all_left = write_changes(dataset, changes, lists, applied, report, stored.reach)
    if left := {id(change) for change, _ in all_left}:
        # Undone, they would take back what somebody else has done since.
        together = [change for change in together if id(change) not in left]
        stored.keep(together, lists)
    mark_again(dataset, stored.label_field(), report.sample_ids)
    stored.end()
    return together


def write_changes(
    dataset: fo.Dataset,
    changes: Iterable[Change],
    lists: dict[str, LabelList],
    make: Callable[..., Outcome],
    report: FixReport,
    reach: Callable[[str], None] | None = None,
) -> list[tuple[Change, str]]:
    """Makes, or undoes, changes sample by sample.

    Args:
        dataset: the dataset
        changes: the changes, those of a sample in their order
        lists: where the labels are, by field
        make: :func:`applied` or :func:`undone`
        report: counts what is done and what is not
        reach: told of the last of some samples before they are changed

    Returns:
        the changes that are left, and why
    """
    by_sample: dict[str, list[Change]] = {}
    for change in changes:
        by_sample.setdefault(change.sample_id, []).append(change)
    all_left = []
    sample_ids = list(by_sample)
    for place, (sample_id, own) in enumerate(by_sample.items()):
        if reach is not None and place % _NOTED_AT_ONCE == 0:
            reach(sample_ids[place : place + _NOTED_AT_ONCE][-1])
        done, left = _write(dataset, sample_id, own, lists, make)
        for change in done:
            report.add(change)
        for change, reason in left:
            for issue in change.issues or ["box"]:
                report.skip(sample_id, change.label_id, issue, reason)
            all_left.append((change, reason))
    settle(dataset)
    return all_left


def _write(
    dataset: fo.Dataset,
    sample_id: str,
    changes: list[Change],
    lists: dict[str, LabelList],
    make: Callable[..., Outcome],
) -> tuple[list[Change], list[tuple[Change, str]]]:
    """Makes, or undoes, the changes of one sample in one write.

    The write rests on what was read: where somebody has changed the sample meanwhile,
    it is read and made again.

    Returns:
        the changes that were made, and those that were not, with the reason
    """
    for _ in range(_ATTEMPTS):
        fields = ["tags", "split", *lists, MODIFIED]
        found = read_documents(dataset, [ObjectId(sample_id)], fields)
        if not found:
            return [], [(change, SAMPLE_DELETED) for change in changes]
        document = found[0]
        values, done, left = make(document, changes, lists)
        # Not the old labels: 8 MB of them and of the new ones are too much at once.
        guard = {MODIFIED: document.get(MODIFIED)}
        update: Update = document["_id"], values, guard
        if not values or update_documents(dataset, [update]):
            return done, left
    return [], [(change, _MEANWHILE) for change in changes]
