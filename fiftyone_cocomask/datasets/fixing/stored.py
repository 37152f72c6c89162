"""Repairs as runs of the dataset, which say what is changed before it is."""

from __future__ import annotations

import time
from typing import Any, Final

import fiftyone as fo
from bson import ObjectId

from ...errors import CocoMaskError
from ..documents import Document, read_documents
from ..documents.runs import (
    begin_run,
    delete_run,
    describe_run,
    replace_results,
    run_results,
)
from ..issues.following import follow_all_edits, mark_again
from ..issues.searches import check_issue_search
from ..journal import Journal
from ..label_lists import LabelList
from ..run_keys import check_key
from .applying import has_been_applied
from .changes import Change, decode_changes, encode_changes

_METHOD = "cocomask/fixes"
# What the journal calls them.
_FIX: Final = "fix"
# Labels are read whole, and those of an image may take tens of megabytes.
SAMPLES_AT_ONCE = 10


class StoredFixes:
    """The repairs of a dataset under one key.

    Args:
        dataset: the dataset
        fix_key: the key
    """

    def __init__(self, dataset: fo.Dataset, fix_key: str) -> None:
        self._dataset = dataset
        self._key = fix_key
        self._config = _fix_config(dataset, fix_key)
        self._journal = Journal(dataset)
        # What the journal has of the call that :meth:`add` began.
        self._note: Document = {}

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return self._config is not None

    def lists(self) -> dict[str, LabelList]:
        """Returns where the repaired labels and boxes are, by field."""
        paths = self._config.label_paths
        return {field: LabelList(field, path) for field, path in paths.items()}

    def label_field(self) -> str:
        """Returns the field of the labels that were searched."""
        return next(iter(self._config.label_paths))

    def changes(self) -> list[Change]:
        """Returns what was changed; it is undone from the last one on."""
        if not self.exist:
            return []
        # Not what this process remembers: others may have added to it.
        stored = run_results(self._dataset, self._key, cache=False)
        changes = decode_changes(stored.changes) if stored is not None else []
        note = self._note_of_killed()
        if note is None:
            return changes
        # It has changed no sample beyond the one that it has noted.
        before, last = changes[: note["before"]], changes[note["before"] :]
        begun = [change for change in last if change.sample_id <= note["reached"]]
        unmade = _unmade(self._dataset, begun)
        return [*before, *(change for change in begun if id(change) not in unmade)]

    def add(self, changes: list[Change], lists: dict[str, LabelList]) -> list[Change]:
        """Stores what is about to be changed, and returns all that is stored."""
        before = self.changes()
        # What is done later has the greater number, also where the clock goes back.
        numbers = [note["number"] for note in self._journal.entries(_FIX)]
        number = max([time.time_ns() // 10**6, *(n + 1 for n in numbers)])
        for change in changes:
            change.number = number
        self._note = {"key": self._key, "number": number, "before": len(before)}
        self.reach("")
        # Undone from the end, so labels come back to their places from the first on.
        new = sorted(changes, key=lambda change: change.index, reverse=True)
        self.keep([*before, *new], lists)
        return [*before, *new]

    def complete(self) -> None:
        """Forgets what a call that was killed has stored and not changed."""
        note = self._note_of_killed()
        if self.exist and note is not None:
            made = self.changes()
            self.keep(made, self.lists())
            ids = {change.sample_id for change in made}
            mark_again(self._dataset, self.label_field(), ids)
            self._journal.end(_FIX, self._key, note)

    def _note_of_killed(self) -> Document | None:
        """Returns how far the last call has come, None if it has come to its end."""
        note = self._journal.entry(_FIX, self._key)
        return None if note is None or note["done"] else note

    def reach(self, sample_id: str) -> None:
        """Notes that samples are changed next, up to one, in the order of their ids."""
        self._note["reached"] = sample_id
        self._journal.begin(_FIX, self._key, self._note)

    def end(self) -> None:
        """Notes that all that :meth:`add` has stored is changed."""
        self._journal.end(_FIX, self._key, self._note)

    def keep(self, changes: list[Change], lists: dict[str, LabelList]) -> None:
        """Stores changes in place of those that are stored."""
        before = self._config.label_paths if self.exist else {}
        paths = {**before, **{x.field: x.path for x in lists.values()}}
        config = self._dataset.init_run(method=_METHOD, label_paths=paths)
        if not self.exist:
            begin_run(self._dataset, self._key, config)
        elif paths != before:
            describe_run(self._dataset, self._key, config)
        results = self._dataset.init_run_results(
            self._key, changes=encode_changes(changes)
        )
        replace_results(self._dataset, self._key, results)
        self._config = _fix_config(self._dataset, self._key)

    def delete(self) -> None:
        """Forgets them."""
        delete_run(self._dataset, "runs", self._key)


def fix_keys(dataset: fo.Dataset) -> list[str]:
    """Returns the keys of a dataset's repairs, sorted."""
    return sorted(key for key in dataset.list_runs() if _fix_config(dataset, key))


def begin_changes(dataset: fo.Dataset, label_field: str) -> None:
    """Prepares for changes, before the labels are read that are to be changed.

    Calls that were killed are completed first, so that what they have changed is not
    taken for a person's edits, which boxes follow then.

    Args:
        dataset: the dataset
        label_field: the field of the labels
    """
    for key in fix_keys(dataset):
        StoredFixes(dataset, key).complete()
    follow_all_edits(dataset, label_field)


def check_fixes(dataset: fo.Dataset, key: str, label_field: str, fix_key: str) -> None:
    """Checks that issues of a search may be repaired under a key.

    Raises:
        CocoMaskError: if they may not
    """
    check_issue_search(dataset, key, label_field)
    check_fix_key(dataset, fix_key, label_field)


def check_fix_key(dataset: fo.Dataset, fix_key: str, label_field: str) -> None:
    """Checks that labels of a field may be changed under a key.

    Raises:
        CocoMaskError: if they may not
    """
    check_key(dataset, fix_key, "fix_key")
    if fix_key not in dataset.list_runs():
        return
    config = _fix_config(dataset, fix_key)
    if config is None:
        raise CocoMaskError(
            f"'{fix_key}' is the key of another run of dataset '{dataset.name}'; give "
            "another fix_key"
        )
    repaired = next(iter(config.label_paths))
    if repaired != label_field:
        raise CocoMaskError(
            f"'{fix_key}' has repaired the labels of '{repaired}'; give another fix_key"
        )
    gone = [name for name in config.label_paths if not dataset.has_field(name)]
    if gone:
        # Undone, labels go back to where they were: the fields have to be there then.
        raise CocoMaskError(
            f"'{fix_key}' has repaired labels of '{gone[0]}', a field that dataset "
            f"'{dataset.name}' does not have any more; give another fix_key"
        )


def _fix_config(dataset: fo.Dataset, fix_key: str) -> Any:
    """Returns the config of repairs, None if the key is of another run."""
    if fix_key not in dataset.list_runs():
        return None
    config = dataset.get_run_info(fix_key).config
    return config if config.method == _METHOD else None


def _unmade(dataset: fo.Dataset, changes: list[Change]) -> set[int]:
    """Returns which changes were not made, by ``id``, as the labels say."""
    by_sample: dict[ObjectId, list[Change]] = {}
    for change in changes:
        by_sample.setdefault(ObjectId(change.sample_id), []).append(change)
    fields = {change.label_field for change in changes if change.label_field}
    sample_ids = list(by_sample)
    unmade = set()
    for start in range(0, len(sample_ids), SAMPLES_AT_ONCE):
        some = sample_ids[start : start + SAMPLES_AT_ONCE]
        for document in read_documents(dataset, some, ["tags", "split", *fields]):
            own = by_sample[document["_id"]]
            unmade |= {id(c) for c in own if not has_been_applied(document, c)}
    return unmade
