"""What a repair changes, so that it can be shown, stored and undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import bson
from bson import json_util

from ..documents import Document


@dataclass(slots=True)
class Change:
    """One label, or one sample, before and after its repair.

    Attributes:
        sample_id: the sample's id
        filepath: its image
        issues: the issues that are repaired by it
        action: what is done: ``"removed"``, ``"reshaped"``, ``"filled"``,
            ``"box moved"``, ``"tagged"``, ``"moved to <split>"`` or ``"kept"``
        label_field: the label's field; None for a change of the sample itself
        label_id: the label's id, or None
        label: the label's class, or None
        index: the label's place in its list
        between: of a removed label, the ids of the one before it, and of the first
            behind it that stays, None where there is none; empty if that is not known
        before: the attributes that change; of a removed label, all of its document
        after: the same attributes afterwards; None for a removed label
        tags_added: the tags that it gets
        tags_removed: the tags that it loses
        tags_before: the tags that it has before, in their order
        px_before: the pixels that the label covers before; None where that is not known
        px_after: and afterwards
        follows: the id of the label that this one is the box of, and changes with
        number: tells what was changed later, also under another key; 0 of changes that
            an earlier version has made
        outline: what says where the label is, or a copy of the sample's image, to
            show it; it is not stored
    """

    sample_id: str
    filepath: str
    issues: list[str]
    action: str
    label_field: str | None = None
    label_id: str | None = None
    label: str | None = None
    index: int = 0
    between: list[str | None] = field(default_factory=list)
    before: Document = field(default_factory=dict)
    after: Document | None = field(default_factory=dict)
    tags_added: list[str] = field(default_factory=list)
    tags_removed: list[str] = field(default_factory=list)
    tags_before: list[str] = field(default_factory=list)
    px_before: int | None = None
    px_after: int | None = None
    follows: str | None = None
    number: int = 0
    outline: Document = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Returns what a table shows of it."""
        return {
            "sample_id": self.sample_id,
            "filepath": self.filepath,
            "label_field": self.label_field,
            "label_id": self.label_id,
            "label": self.label,
            "issues": ", ".join(self.issues),
            "action": self.action,
            "px_before": self.px_before,
            "px_after": self.px_after,
        }


def encode_changes(changes: Iterable[Change]) -> list[str]:
    """Returns changes as text that keeps the types of MongoDB's values."""
    return [json_util.dumps(asdict(replace(c, outline={}))) for c in changes]


def decode_changes(texts: Iterable[str]) -> list[Change]:
    """Returns the changes that :func:`encode_changes` was given."""
    return [Change(**json_util.loads(text, json_options=_OPTIONS)) for text in texts]


# Dates without a time zone, as pymongo reads them from the samples.
_OPTIONS = json_util.JSONOptions(tz_aware=False)


def without_tags(change: Change, is_gone: Callable[[str], bool]) -> Change:
    """Returns a change that, undone, does not bring some tags back."""
    tags = [*change.tags_before, *(change.before.get("tags") or ())]
    if not any(map(is_gone, tags)):
        return change
    before = change.before
    if before.get("tags"):
        before = {**before, "tags": [x for x in before["tags"] if not is_gone(x)]}
    return replace(
        change,
        before=before,
        tags_removed=[tag for tag in change.tags_removed if not is_gone(tag)],
        tags_before=[tag for tag in change.tags_before if not is_gone(tag)],
    )


def neighbours(labels: Sequence[Document], index: int) -> list[str | None]:
    """Returns the ids of a label's neighbours in a list, None where there is none."""
    places = (index - 1, index + 1)
    return [str(labels[p]["_id"]) if 0 <= p < len(labels) else None for p in places]


def stay_between(changes: Iterable[Change]) -> None:
    """Notes of each label that is removed the first label behind it that stays."""
    removed = {
        (c.sample_id, c.label_field, c.label_id): c for c in changes if c.between
    }
    # Backwards: what stays behind a removed neighbour stays behind this one, too.
    for change in sorted(removed.values(), key=lambda c: c.index, reverse=True):
        place = change.sample_id, change.label_field, change.between[1]
        behind = removed.get(place)
        if behind is not None:
            change.between = [change.between[0], behind.between[1]]


def former_place(labels: Sequence[Document], change: Change) -> int:
    """Returns where in a list a label is put that was removed from it.

    That is between those that it was between, also where others were removed, or came
    back, since.
    """
    ids = [str(label["_id"]) for label in labels]
    before, behind = change.between or ("", "")
    start = 0 if before is None else _place_in(ids, before, 1)
    end = len(ids) if behind is None else _place_in(ids, behind)
    if start is None and end is None:
        return min(change.index, len(ids))
    place = end if start is None else start
    assert place is not None
    # Among labels that are between them now, ids decide: they grow with each label.
    while end is not None and place < end and ids[place] < str(change.label_id):
        place += 1
    return place


def _place_in(ids: Sequence[str], label_id: str, more: int = 0) -> int | None:
    return ids.index(label_id) + more if label_id in ids else None


def differs(document: Document, values: Document) -> bool:
    """Whether a document has other values than some."""
    return not all(_is_same(document.get(n), value) for n, value in values.items())


def _is_same(one: Any, other: Any) -> bool:
    # NaN does not equal itself, but is the same in a document that is read again.
    return bool(one == other) or bson.encode({"": one}) == bson.encode({"": other})


def apply_to_label(document: Document, change: Change) -> Document:
    """Returns a label as it is after a change that does not remove it."""
    changed = {**document, **(change.after or {})}
    if change.tags_added or change.tags_removed:
        changed["tags"] = with_tags(
            document.get("tags"), change.tags_added, change.tags_removed
        )
    return changed


def tags_again(tags: list[str] | None, change: Change) -> list[str]:
    """Returns tags as they are once a change is undone.

    They are in their former order, unless somebody has set or removed one since.
    """
    found = with_tags(tags, change.tags_removed, change.tags_added)
    is_former = sorted(found) == sorted(change.tags_before)
    return list(change.tags_before) if is_former else found


def with_tags(
    tags: list[str] | None, added: Iterable[str], removed: Iterable[str]
) -> list[str]:
    """Returns tags without some and with others behind them."""
    gone = set(removed)
    kept = [tag for tag in tags or [] if tag not in gone]
    return [*kept, *(tag for tag in added if tag not in kept)]
