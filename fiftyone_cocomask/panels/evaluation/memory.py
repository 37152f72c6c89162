"""What each open panel shows, as the server remembers it.

It is not in the panel's state: whatever writes that makes the App drop the filters of
its sidebar. A server that has forgotten reads it again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ..of_panels import OfPanels
from .next_steps import NextSteps
from .selection import Selected, Stage
from .shown import Work

# What is selected in the App's view, and the number of its other stages.
AppView = tuple[Selected | None, int]

# In seconds: the App sends several events for one change, some with the view before it.
_ONE_CHANGE = 2.0
# In seconds: what is lost longer ago, a person has changed.
_SOON_AFTER = 10.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A view that the App may lose.

    Attributes:
        stages: the view
        instead_of: what the App goes back to where it loses that
        since: since when it is wanted
        is_filtered: whether it is what the sidebar filters, for which the App has no
            stages yet
    """

    stages: list[Stage]
    instead_of: AppView
    since: float
    is_filtered: bool = False

    @property
    def is_recent(self) -> bool:
        """Whether the App may still lose it."""
        return time.monotonic() - self.since < _SOON_AFTER


@dataclass(frozen=True, slots=True)
class _Given:
    """The person's own stages in a view that the App was given, and shows later.

    Attributes:
        stages: the stages
        instead_of: the number of those before, which the App has until then, though its
            sidebar filters nothing any more
        since: since when
    """

    stages: list[Stage]
    instead_of: int
    since: float


@dataclass(slots=True)
class Memory:
    """What a panel shows.

    Attributes:
        choices: what a person chose last, also where the App has lost it
        followed: the state of the samples whose edits boxes have followed
        are_patches: whether the grid shows patches of samples
        keys: the keys of the evaluations that there are to choose
        added: one that was made while the panel was open, shown until one is chosen
        eval_key: the key of the evaluation that is shown
        other_key: the key of the one that it is compared with
        found: what the sections have read
        problem: why nothing can be shown
        summing: the number of images being summed up, where that takes long
        next_steps: what to do where there is nothing to choose
        signature: what all of that depends on
        selected: what was clicked on
        opened: the label that was opened from a list, as the list has it
        openings: how often one was opened
        waits: whether the App is still to be told to edit it
        opened_sections: the names of the sections that are open
        works: what open sections have begun that takes long, by what it is for
        works_of: the signature that this goes by
        drawn: how often the panel has been drawn
        options: what the dropdowns of open sections show, by the names of those
    """

    choices: dict[str, Any] | None = None
    followed: str | None = None
    are_patches: bool = False
    keys: list[str] | None = None
    added: str | None = None
    eval_key: str | None = None
    other_key: str | None = None
    found: dict[str, Any] | None = None
    problem: str | None = None
    summing: int | None = None
    next_steps: NextSteps | None = None
    signature: str | None = None
    selected: Selected | None = None
    opened: dict[str, Any] | None = None
    openings: int = 0
    waits: bool = False
    opened_sections: set[str] = field(default_factory=set)
    works: dict[str, Work] = field(default_factory=dict)
    works_of: str | None = None
    drawn: int = 0
    options: dict[str, str] = field(default_factory=dict)
    _wanted: _Wanted | None = None
    _given: _Given | None = None
    _chosen_at: float = field(default=float("-inf"))
    _before: tuple[Any, ...] = ()
    _since: float = field(default=float("-inf"))
    _readers: set[object] = field(default_factory=set)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Notes that an event reads what is to be shown."""
        reader = object()
        self._readers.add(reader)
        try:
            yield
        finally:
            self._readers.discard(reader)

    @property
    def is_being_read(self) -> bool:
        """Whether an event is reading what is to be shown."""
        return bool(self._readers)

    def show(self, signature: str | None, selected: Selected | None) -> None:
        """Notes what is shown from now on."""
        if (signature, selected) == (self.signature, self.selected):
            return
        self._before = (self.signature, self.selected)
        self.signature, self.selected = signature, selected
        self._since = time.monotonic()

    def open(self, label: dict[str, Any]) -> None:
        """Notes that a label of a list is being opened."""
        self.opened = label
        self.openings += 1
        self.waits = True

    def want(self, stages: list[Stage], instead_of: AppView) -> None:
        """Notes a view that the App may lose again soon.

        It does where it does what a click wants after what clearing that wants, and
        where it forgets the filters of its sidebar, for which the view has stages.

        Args:
            stages: the view
            instead_of: what the App goes back to where it loses that
        """
        self._wanted = _Wanted(stages, instead_of, time.monotonic())

    def give(self, stages: list[Stage], instead_of: int) -> None:
        """Notes the person's own stages in a view that the App is given.

        Args:
            stages: the stages, also those that stand for the filters of the sidebar
            instead_of: the number of stages that the App has without these
        """
        self._given = _Given(stages, instead_of, time.monotonic())

    def given(self, shown: int) -> list[Stage] | None:
        """Returns the person's own stages, where the App does not have them yet.

        Args:
            shown: the number of stages that it has, and no filters
        """
        given = self._given
        if given is None or time.monotonic() - given.since > _SOON_AFTER:
            return None
        if shown != given.instead_of or shown == len(given.stages):
            # They are there, and may be cleared by the person; or others are.
            self._given = None
            return None
        return given.stages

    def choose(self) -> None:
        """Notes that the App has kept a choice with the panel's state."""
        self._chosen_at = time.monotonic()

    @property
    def has_just_chosen(self) -> bool:
        """Whether the App may still tell its server of a choice.

        It does, and then sets its view once more as the server has it, which has no
        filters.
        """
        return time.monotonic() - self._chosen_at < _SOON_AFTER

    def want_filtered(self, stages: list[Stage], instead_of: AppView) -> None:
        """Notes what the sidebar filters, which the App may forget soon.

        Args:
            stages: the view, with stages for the filters
            instead_of: what the App shows without them
        """
        wanted = self._wanted
        is_early = (
            wanted is not None
            and wanted.is_recent
            and not wanted.is_filtered
            and wanted.instead_of == instead_of
        )
        # An early event is of the time before the App was given a view.
        if not is_early:
            since = time.monotonic()
            self._wanted = _Wanted(stages, instead_of, since, is_filtered=True)

    def lost(self, shown: AppView, told: Any = None) -> list[Stage] | None:
        """Returns the view that the App has lost, if it has.

        Args:
            shown: what the App shows, which has no filters
            told: what the App tells that was set: a list for its view, an object for
                its filters, else None
        """
        wanted = self._wanted
        if wanted is None:
            return None
        if wanted.is_filtered and not isinstance(told, list):
            if told is not None:
                # Whoever takes a filter away sets no view, and the App, which sets it,
                # tells that at nearly the same time.
                soon = time.monotonic() - _SOON_AFTER + _ONE_CHANGE
                self._wanted = replace(wanted, since=min(wanted.since, soon))
            return None
        if shown == (None, len(wanted.stages)) and wanted.instead_of[0] is None:
            # It is there, and may be cleared by the person.
            self._wanted = None
            return None
        if not wanted.is_recent or shown != wanted.instead_of:
            return None
        self._wanted = replace(wanted, is_filtered=False)
        return wanted.stages

    def want_nothing(self) -> None:
        """Notes that the App may show what it is told to."""
        self._wanted = None

    def is_news(self, signature: str | None, selected: Selected | None) -> bool:
        """Whether an event tells of something that is not shown yet.

        The view before a change, soon after it, is not news: drawn, it could replace
        what the App shows by now. Nor is what is shown, unless it could not be read: by
        now it may be.
        """
        is_new = time.monotonic() - self._since < _ONE_CHANGE
        if (signature, selected) == self.shown:
            return self.problem is not None and not is_new
        return not (is_new and (signature, selected) == self._before)

    @property
    def shown(self) -> tuple[str | None, Selected | None]:
        """What the panel shows."""
        return self.signature, self.selected


_memories: OfPanels[Memory] = OfPanels()


def memory_of(panel_id: str) -> Memory:
    """Returns what is remembered of a panel."""
    memory = _memories.get(panel_id) or Memory()
    _memories[panel_id] = memory
    return memory


def forget(panel_id: str) -> Memory:
    """Returns a memory of nothing."""
    _memories.pop(panel_id, None)
    return memory_of(panel_id)
