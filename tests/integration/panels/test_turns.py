"""Of a panel's events, the one that wants the latest thing is shown."""

from __future__ import annotations

from fiftyone_cocomask.panels.turns import Turn


def test_an_event_is_no_longer_the_last_once_another_has_come() -> None:
    first = Turn("events")
    assert first.is_last()
    second = Turn("events")
    assert not first.is_last()
    assert second.is_last()


def test_panels_do_not_disturb_each_other() -> None:
    one = Turn("one")
    Turn("other")
    assert one.is_last()


def test_events_that_want_the_same_are_both_shown() -> None:
    first, second = Turn("same", "view a"), Turn("same", "view a")
    assert first.is_last()
    assert second.is_last()


def test_an_event_that_goes_on_does_not_take_the_place_of_a_later_one() -> None:
    Turn("goes on", "view a")
    later = Turn("goes on", "view b")
    assert not Turn("goes on", "view a", goes_on=True).is_last()
    assert later.is_last()
    assert Turn("goes on", "view b", goes_on=True).is_last()


def test_an_event_of_a_panel_that_is_not_known_is_shown() -> None:
    assert Turn("of a server that was started anew", "a", goes_on=True).is_last()
