"""Counts what a process writes to MongoDB, and disturbs it before one of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

KILLED = 9
WRITES = {
    "insert",
    "update",
    "delete",
    "findAndModify",
    "create",
    "createIndexes",
    "dropIndexes",
    "drop",
    "renameCollection",
}


class WriteCounter(monitoring.CommandListener):
    """Counts the writes of a process, and disturbs it before one of them."""

    def __init__(self) -> None:
        self.number = 0
        self._at = 0
        self._disturb: Callable[[], None] | None = None
        self._is_paused = False

    def arm(self, at: int, disturb: Callable[[], None]) -> None:
        self.number, self._at, self._disturb = 0, at, disturb

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves alone what is written meanwhile."""
        self._is_paused = True
        yield
        self._is_paused = False

    def started(self, event: Any) -> None:
        if event.command_name == "aggregate":
            stages = event.command["pipeline"]
            is_write = bool(stages) and not {"$merge", "$out"}.isdisjoint(stages[-1])
        else:
            is_write = event.command_name in WRITES
        if is_write and self._disturb is not None and not self._is_paused:
            self.number += 1
            if self.number == self._at:
                self._disturb()

    def succeeded(self, event: Any) -> None:
        """Is of no interest."""

    def failed(self, event: Any) -> None:
        """Is of no interest."""


COUNTER = WriteCounter()
