"""Repairs of the same labels under other keys, which may have to be undone first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..documents import Document
from .changes import Change, differs

# The field of a label and its id; of a sample None, and its own id.
_Place = tuple[str | None, str]


class OtherRepairs:
    """What was repaired under other keys than the one that is undone.

    Args:
        undone: the changes that are undone
        others: those under each other key
    """

    def __init__(
        self, undone: Sequence[Change], others: Iterable[tuple[str, Iterable[Change]]]
    ) -> None:
        places = set(map(_place, undone))
        self._by_place: dict[_Place, list[tuple[str, Change]]] = defaultdict(list)
        for key, changes in others:
            for change in changes:
                if _place(change) in places:
                    self._by_place[_place(change)].append((key, change))

    def first_to_undo(self, change: Change, now: Document | None) -> str | None:
        """Returns the key to undo before a change can be, None if there is none.

        Args:
            change: what is to be undone
            now: the label, or sample, as it is; None if it is not there
        """
        others = self._by_place.get(_place(change), [])
        if now is None:
            # Undone, a deletion gives the label back, whoever changed it before.
            return next((k for k, o in others if o.after is None), None)
        names = set(change.before)
        # Of two that an earlier version has made, the label tells which came later.
        may_be_earlier = differs(now, change.after or {})
        later = [
            (other.number, key, other.after)
            for key, other in others
            if other.after
            and names & other.after.keys()
            and (other.number, may_be_earlier) > (change.number, False)
        ]
        last = max((number for number, _, _ in later), default=0)
        # Else somebody else has changed it since, and none of them can be undone.
        return next(
            (k for n, k, after in later if n == last and not differs(now, after)), None
        )


def _place(change: Change) -> _Place:
    return change.label_field, change.label_id or change.sample_id
