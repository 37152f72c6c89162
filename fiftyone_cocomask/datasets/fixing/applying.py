"""Changes made in the document of a sample, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ..documents import Document
from ..label_lists import LabelList
from ..labels import label_documents
from .changes import (
    Change,
    apply_to_label,
    differs,
    former_place,
    tags_again,
    with_tags,
)
from .others import OtherRepairs

# What to set, the changes that are made, and those that are not, with the reason.
Outcome = tuple[Document, list[Change], list[tuple[Change, str]]]

EDITED = "it has been changed since"
DELETED = "it was deleted since"


class _SampleEdit:
    """The label lists, tags and split of a sample while they are changed."""

    def __init__(self, document: Document, lists: dict[str, LabelList]) -> None:
        self._document = document
        self._lists = lists
        self._labels = {
            field: list(labels.documents(document)) for field, labels in lists.items()
        }
        self._own: Document = {}

    def labels(self, change: Change) -> list[Document]:
        """Returns the labels of a change's field, to be changed in place."""
        assert change.label_field is not None
        return self._labels[change.label_field]

    def find(self, change: Change) -> int | None:
        """Returns the place of a change's label, or None if it is not there."""
        for place, label in enumerate(self.labels(change)):
            if str(label["_id"]) == change.label_id:
                return place
        return None

    def has_room(self, change: Change) -> bool:
        """Whether a change's label can be put back beside those that are there."""
        assert change.label_field is not None
        return self._lists[change.label_field].is_list or not self.labels(change)

    def get(self, name: str) -> Any:
        """Returns a value of the sample itself."""
        return self._own.get(name, self._document.get(name))

    def set(self, name: str, value: Any) -> None:
        """Sets a value of the sample itself."""
        self._own[name] = value

    def values(self) -> Document:
        """Returns what differs from the document, by path."""
        changed = {
            name: value
            for name, value in self._own.items()
            if value != self._document.get(name)
        }
        for field, labels in self._lists.items():
            if self._labels[field] != labels.documents(self._document):
                changed |= labels.values(self._document, self._labels[field])
        return changed


def applied(
    document: Document, changes: Iterable[Change], lists: dict[str, LabelList]
) -> Outcome:
    """Makes changes, each only where the label is as it was when it was planned."""
    # What follows a label comes behind it, and stays where that stays.
    ordered = sorted(changes, key=lambda change: change.follows is not None)
    return _outcome(document, ordered, lists, _make)


def undone(
    document: Document,
    changes: Iterable[Change],
    lists: dict[str, LabelList],
    others: OtherRepairs,
) -> Outcome:
    """Takes changes back, in the order given; what was changed since stays.

    Args:
        document: the sample
        changes: its changes, the last one first
        lists: where the labels are, by field
        others: what was repaired under other keys
    """
    # What was removed comes back in this order: its places follow from each other.
    ordered = sorted(
        changes, key=lambda c: c.follows is not None and c.after is not None
    )
    return _outcome(document, ordered, lists, partial(_take_back, others))


def _outcome(
    document: Document,
    changes: Iterable[Change],
    lists: dict[str, LabelList],
    act: Callable[[_SampleEdit, Change], str | None],
) -> Outcome:
    """Does to a sample what ``act`` does with each change, or says why it does not."""
    edit = _SampleEdit(document, lists)
    done: list[Change] = []
    left: list[tuple[Change, str]] = []
    reasons: dict[str | None, str] = {}
    for change in changes:
        reason = reasons.get(change.follows) if change.follows else None
        reason = reason or act(edit, change)
        if reason is None:
            done.append(change)
        else:
            left.append((change, reason))
            reasons[change.label_id] = reason
    return edit.values(), done, left


def has_been_applied(document: Document, change: Change) -> bool:
    """Whether a change was made, and not only planned."""
    if change.label_field is None:
        if change.after == change.before:
            return _has_its_tags(document, change)
        return not differs(document, change.after or {})
    labels = label_documents(document.get(change.label_field))
    own = [label for label in labels if str(label["_id"]) == change.label_id]
    if change.after is None or not own:
        return not own
    # What a person has changed afterwards was made all the same.
    if change.after and differs(own[0], change.before):
        return True
    return _has_its_tags(own[0], change)


def _has_its_tags(document: Document, change: Change) -> bool:
    """Whether a label, or sample, has the tags that a change gives it."""
    tags = set(document.get("tags") or ())
    return bool(change.tags_added or change.tags_removed) and (
        tags.issuperset(change.tags_added) and tags.isdisjoint(change.tags_removed)
    )


def _make(edit: _SampleEdit, change: Change) -> str | None:
    if change.label_field is None:
        if edit.get("split") != change.before["split"]:
            return EDITED
        edit.set("split", (change.after or {})["split"])
        tags = with_tags(edit.get("tags"), change.tags_added, change.tags_removed)
        edit.set("tags", tags)
        return None
    place, labels = edit.find(change), edit.labels(change)
    if place is None:
        return DELETED
    if differs(labels[place], change.before):
        return EDITED
    if change.after is None:
        del labels[place]
    else:
        labels[place] = apply_to_label(labels[place], change)
    return None


def _take_back(others: OtherRepairs, edit: _SampleEdit, change: Change) -> str | None:
    if change.label_field is None:
        now = {"split": edit.get("split")}
        if (key := others.first_to_undo(change, now)) is not None:
            return _waits_for(key)
        if differs(now, change.after or {}) and differs(now, change.before):
            return EDITED
        edit.set("split", change.before["split"])
        edit.set("tags", tags_again(edit.get("tags"), change))
        return None
    place, labels = edit.find(change), edit.labels(change)
    if change.after is None:
        # It is there again where an undo was killed.
        if place is not None:
            return None
        if not edit.has_room(change):
            return EDITED
        labels.insert(former_place(labels, change), change.before)
        return None
    label = None if place is None else labels[place]
    if (key := others.first_to_undo(change, label)) is not None:
        return _waits_for(key)
    if place is None or label is None:
        return DELETED
    if differs(label, change.after) and differs(label, change.before):
        return EDITED
    restored = {**label, **change.before}
    for name, value in change.before.items():
        if value is None:
            restored.pop(name)
    if change.tags_added or change.tags_removed:
        restored["tags"] = tags_again(label.get("tags"), change)
    labels[place] = restored
    return None


def _waits_for(key: str) -> str:
    return f"it was repaired under '{key}' too; undo that first"
