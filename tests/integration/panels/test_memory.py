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


def test_each_panel_has_a_memory_of_its_own() -> None:
    memory_of("one").eval_key = "area"
    assert memory_of("one").eval_key == "area"
    assert memory_of("two").eval_key is None
    assert forget("one").eval_key is None
