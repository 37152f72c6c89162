"""What was begun on a dataset: written first, so that a kill leaves it known.

An entry stays once it is done: whoever asks for the same again, since the first call
was killed right after its last write, is told nothing but that it is done.
"""

from __future__ import annotations

from typing import Any, Literal

import fiftyone as fo

from .documents import Document
from .stores import Store

Action = Literal["rename", "delete", "clear", "undo", "replace", "import", "fix"]

_STORE = "cocomask_journal"


class Journal:
    """What was begun and done on the runs of a dataset.

    Args:
        dataset: the dataset
    """

    def __init__(self, dataset: fo.Dataset) -> None:
        self._store = Store(_STORE, dataset)

    def begin(self, action: Action, key: str, facts: Document) -> None:
        """Notes what is about to be done to a run, with what it takes to do it."""
        self._store.set(_name(action, key), {**facts, "done": False})

    def end(self, action: Action, key: str, facts: Document) -> None:
        """Notes that it is done."""
        self._store.set(_name(action, key), {**facts, "done": True})

    def entry(self, action: Action, key: str) -> Document | None:
        """Returns the facts of what was done last to a run, with ``done``, or None."""
        entry: Any = self._store.get(_name(action, key))
        return entry

    def pending(self, *actions: Action) -> list[tuple[Action, Document]]:
        """Returns what was begun and not done, with its facts, action by action."""
        entries = [(a, entry) for a in actions for entry in self.entries(a)]
        return [(a, entry) for a, entry in entries if not entry["done"]]

    def entries(self, action: Action) -> list[Document]:
        """Returns the facts of what was begun and done last to each run."""
        names = self._store.list_keys()
        found = [self._store.get(n) for n in names if n.startswith(_name(action, ""))]
        return [entry for entry in found if entry]


def _name(action: Action, key: str) -> str:
    return f"{action}/{key}"
