"""What the server remembers of a panel: what is news, and what the App has lost."""

from __future__ import annotations

import time

import pytest

from fiftyone_cocomask.panels.evaluation.memory import Memory, forget, memory_of
from fiftyone_cocomask.panels.evaluation.selection import Selected

BAR = Selected(["histograms", 1], "a bar")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_late_events_of_a_change_are_not_news(clock: list[float]) -> None:
    memory = Memory()
    memory.show("all", None)
    clock[0] += 60
    memory.show("filtered", None)
    assert not memory.is_news("all", None)
    assert not memory.is_news("filtered", None)
    assert memory.is_news("other", None)
    clock[0] += 60
    assert memory.is_news("all", None)
    assert not memory.is_news("filtered", None)


def test_what_could_not_be_read_is_news_again_after_a_while(
    clock: list[float],
) -> None:
    memory = Memory()
    memory.show("all", None)
    memory.problem = "The database is away"
    assert not memory.is_news("all", None)
    clock[0] += 60
    assert memory.is_news("all", None)


def test_a_view_that_comes_back_after_it_was_cleared_is_lost(
    clock: list[float],
) -> None:
    memory = Memory()
    memory.want([{"stage": 1}], instead_of=(BAR, 0))
    assert memory.lost((None, 0)) is None
    assert memory.lost((BAR, 0)) == [{"stage": 1}]
    clock[0] += 60
    # A person has got back to it since.
    assert memory.lost((BAR, 0)) is None


def test_a_click_after_clearing_is_wanted(clock: list[float]) -> None:
    memory = Memory()
    memory.want([], instead_of=(BAR, 0))
    memory.want_nothing()
    assert memory.lost((BAR, 0)) is None


def test_a_view_that_was_there_may_be_cleared_at_once(clock: list[float]) -> None:
    memory = Memory()
    memory.want([{"stage": 1}], instead_of=(None, 0))
    # The App has set its view anew, and is given the wanted one.
    assert memory.lost((None, 0), []) == [{"stage": 1}]
    assert memory.lost((None, 0), {}) == [{"stage": 1}]
    assert memory.lost((None, 1), [{}]) is None
    # A person clears the view bar.
    assert memory.lost((None, 0), []) is None


def test_filters_that_go_with_a_view_soon_after_a_choice_are_lost(
    clock: list[float],
) -> None:
    memory = Memory()
    assert not memory.has_just_chosen
    memory.choose()
    clock[0] += 3
    assert memory.has_just_chosen
    memory.want_filtered([{"stage": 1}], instead_of=(None, 0))
    assert memory.lost((None, 0)) is None
    # The events of one change come in any order.
    assert memory.lost((None, 0), {}) is None
    clock[0] += 1
    assert memory.lost((None, 0), []) == [{"stage": 1}]
    # Until the App shows it.
    assert memory.lost((None, 0), {}) == [{"stage": 1}]
    assert memory.lost((None, 1), [{}]) is None
    assert memory.lost((None, 0), []) is None


def test_filters_that_a_person_takes_away_are_not_lost(clock: list[float]) -> None:
    memory = Memory()
    memory.choose()
    memory.want_filtered([{"stage": 1}], instead_of=(None, 0))
    assert memory.lost((None, 0), {}) is None
    clock[0] += 3
    assert memory.lost((None, 0), []) is None
    # Long after a choice, the App keeps its filters.
    clock[0] += 60
    assert not memory.has_just_chosen


def test_an_early_event_with_filters_changes_nothing_of_what_is_wanted(
    clock: list[float],
) -> None:
    memory = Memory()
    memory.want([{"stage": 2}], instead_of=(None, 0))
    memory.want_filtered([{"stage": 1}], instead_of=(None, 0))
    assert memory.lost((None, 0), {}) == [{"stage": 2}]
    # Unlike one about another view.
    memory.want([{"stage": 2}], instead_of=(BAR, 1))
    memory.want_filtered([{"stage": 1}], instead_of=(None, 0))
    assert memory.lost((None, 0), []) == [{"stage": 1}]


def test_each_panel_has_a_memory_of_its_own() -> None:
    memory_of("one").eval_key = "area"
    assert memory_of("one").eval_key == "area"
    assert memory_of("two").eval_key is None
    assert forget("one").eval_key is None
