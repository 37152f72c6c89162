"""The panel answers what changes what it shows, and nothing else.

Each answer makes the App draw the whole panel anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import fiftyone as fo
import pytest

import fiftyone_cocomask as fcm
from tests.plugin import link_plugin

from .events import Tab, plugin_module, views_after

PANEL = "mask_evaluation"
OF_THE_VIEW = ("on_change_view", "on_change_group_slice")


@pytest.fixture(scope="module")
def dataset(demo_export: Path) -> Iterator[fo.Dataset]:
    link_plugin(fo.config.plugins_dir)
    dataset, _ = fcm.import_roboflow_coco(demo_export, "answers")
    fcm.compute_masks(dataset)
    for eval_key in ("first", "second"):
        fcm.evaluate_mask_area(dataset, label_field="segmentations", eval_key=eval_key)
    yield dataset
    dataset.delete()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes each event come long after the one before it."""
    memory = plugin_module("panels.evaluation.memory")
    monkeypatch.setattr(memory, "_ONE_CHANGE", 0.0)


@pytest.fixture
def tab(dataset: fo.Dataset, request: pytest.FixtureRequest) -> Tab:
    return Tab(PANEL, dataset, request.node.name)


def is_drawn(told: list[dict[str, Any]]) -> bool:
    return any(each["operator_uri"].endswith("show_panel_output") for each in told)


def dropdowns(layout: Any) -> Iterator[dict[str, str]]:
    """Yields what the App sends when it shows the dropdowns of a layout."""
    if isinstance(layout, list):
        for part in layout:
            yield from dropdowns(part)
    if not isinstance(layout, dict):
        return
    for name, part in layout.items():
        event = part.get("on_change") if isinstance(part, dict) else None
        view = part.get("view") if isinstance(part, dict) else None
        event = event or (view or {}).get("on_change")
        if event:
            method = str(event).rpartition("#")[2]
            yield {"method": method, "path": f"row.{name}", "value": part["default"]}
        else:
            yield from dropdowns(part)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("method", OF_THE_VIEW)
def test_events_of_a_view_that_is_shown_draw_nothing(
    tab: Tab, dataset: fo.Dataset, method: str
) -> None:
    assert is_drawn(tab.tell("on_load"))
    some = dataset.limit(5)
    told = [tab.tell(method), tab.tell(method), tab.tell(method, some)]
    told += [tab.tell(method, some), tab.tell(method)]
    assert [is_drawn(each) for each in told] == [False, False, True, False, True]


def test_an_evaluation_that_gets_its_results_is_shown_by_the_timer(
    tab: Tab, dataset: fo.Dataset
) -> None:
    told = [tab.tell("on_load")]

    def look_in(bar: Any) -> None:
        told.append(tab.tell("reload"))

    fcm.evaluate_mask_coverage(dataset, eval_key="looked_at", progress=look_in)
    try:
        assert "has no results yet" in str(told[-1])
        # The event that the App sends at the end comes too soon after the last one.
        drawn = tab.tell("settle", **settled(told[-1]))
        assert is_drawn(drawn)
        assert "has no results yet" not in str(drawn)
        assert tab.tell("settle", **settled(drawn)) == []
    finally:
        fcm.delete_mask_evaluation(dataset, "looked_at")


@pytest.mark.usefixtures("later")
def test_a_click_on_what_is_shown_is_answered(tab: Tab) -> None:
    tab.tell("on_load")
    assert is_drawn(tab.tell("reload"))
    assert is_drawn(tab.tell("reload"))


def test_a_click_on_an_evaluation_that_is_gone_shows_what_to_do(
    new_dataset: Any, request: pytest.FixtureRequest
) -> None:
    dataset = new_dataset()
    dataset.add_sample(fo.Sample("a.png"))
    tab = Tab(PANEL, dataset, request.node.name)
    card = {"section": "cards", "key": "first", "card": "small"}
    told = tab.tell("click", path="panel.cards_of_first.small", **card)
    assert is_drawn(told)
    assert "Nothing to draw masks from" in str(told)


OF_TEST = {"split": {"values": ["test"], "exclude": False, "isMatching": True}}
CLICK: dict[str, Any] = {"path": "panel.ranking__rows", "row": 0}


def shown_in(dataset: fo.Dataset, stages: list[dict[str, Any]]) -> list[str]:
    """Returns the splits of what a view shows."""
    return fo.DatasetView._build(dataset, stages).distinct("split")


@pytest.mark.parametrize("between", [{"filters": OF_TEST}, {}])
def test_what_the_sidebar_filters_stays_before_the_app_shows_a_click(
    tab: Tab, dataset: fo.Dataset, between: dict[str, Any]
) -> None:
    """The App lets its filters go when it is given a view, and shows that later."""
    tab.tell("on_load")
    tab.tell("on_change_view", filters=OF_TEST, value=OF_TEST)
    (clicked,) = views_after(tab.tell("click", filters=OF_TEST, **CLICK))
    assert shown_in(dataset, clicked) == ["test"]
    (cleared,) = views_after(tab.tell("show_all", **between))
    test = dataset.match({"split": "test"})
    shown = fo.DatasetView._build(dataset, cleared)
    assert shown.values("id") == test.values("id")
    # Once it was there, a person may clear all.
    tab.tell("on_change_view", shown, value=cleared)
    assert views_after(tab.tell("show_all")) == [[]]


def test_a_click_after_a_choice_keeps_what_the_sidebar_filters(
    tab: Tab, dataset: fo.Dataset
) -> None:
    tab.tell("on_load")
    choice = {"path": "panel.eval_key", "value": "second"}
    (kept,) = views_after(tab.tell("choose_evaluation", filters=OF_TEST, **choice))
    assert shown_in(dataset, kept) == ["test"]
    # Without its filters, and without the view as yet.
    (clicked,) = views_after(tab.tell("click", **CLICK))
    assert shown_in(dataset, clicked) == ["test"]
    (cleared,) = views_after(tab.tell("show_all"))
    assert cleared == kept


@pytest.mark.usefixtures("later")
def test_a_second_tab_is_drawn_whatever_the_first_one_shows(
    dataset: fo.Dataset, request: pytest.FixtureRequest
) -> None:
    first, second = (Tab(PANEL, dataset, request.node.name) for _ in range(2))
    some = dataset.limit(5)
    first.tell("on_load")
    shown = dict(settled(second.tell("on_load")))
    assert is_drawn(first.tell("on_change_view", some))
    # The second tab gets there by the timer of what it has drawn.
    second.tell("on_change_view", some)
    assert is_drawn(second.tell("settle", some, **shown))


def settled(told: Any) -> dict[str, str]:
    """Returns the parameters of the timer that looks whether the App has settled."""
    if isinstance(told, list):
        found = [settled(part) for part in told]
        return next((each for each in found if each), {})
    if not isinstance(told, dict):
        return {}
    if set(told.get("params") or {}) == {"shown"}:
        return told["params"]
    return settled(list(told.values()))


@dataclass
class SlowRead:
    """The panel's reading, the first of which waits."""

    read: Any
    reads: int = 0
    begun: Event = field(default_factory=Event)
    may_end: Event = field(default_factory=Event)

    def __call__(self, shown: Any) -> Any:
        self.reads += 1
        if self.reads == 1:
            self.begun.set()
            assert self.may_end.wait(60)
        return self.read(shown)


@pytest.fixture
def slow_read(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> SlowRead:
    tab.tell("on_load")
    sections = plugin_module("panels.evaluation.sections")
    slow = SlowRead(sections.read)
    monkeypatch.setattr(sections, "read", slow)
    return slow


def edit(dataset: fo.Dataset, tag: str) -> None:
    dataset.limit(1).tag_samples(tag)


@pytest.mark.usefixtures("later")
def test_the_timer_waits_for_an_event_that_reads_and_shows_the_last_state(
    tab: Tab, dataset: fo.Dataset, slow_read: SlowRead
) -> None:
    edit(dataset, "first")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tab.tell, "settle", shown="what was there before")
        assert slow_read.begun.wait(60)
        again = [tab.tell("settle", shown="what was there before")]
        edit(dataset, "second")
        again.append(tab.tell("settle", shown="what was there before"))
        assert (again, slow_read.reads) == ([[], []], 1)
        slow_read.may_end.set()
        drawn = first.result()
    assert is_drawn(drawn)
    last = tab.tell("settle", **settled(drawn))
    assert is_drawn(last)
    fresh = Tab(PANEL, dataset, "fresh").tell("on_load")
    assert settled(last) == settled(fresh)
    assert tab.tell("settle", **settled(last)) == []


@pytest.mark.usefixtures("later")
def test_the_timer_is_answered_once_an_outdated_event_has_read(
    tab: Tab, dataset: fo.Dataset, slow_read: SlowRead
) -> None:
    edit(dataset, "third")
    some = dataset.limit(5)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tab.tell, "settle", shown="what was there before")
        assert slow_read.begun.wait(60)
        drawn = tab.tell("on_change_view", some)
        assert is_drawn(drawn)
        slow_read.may_end.set()
        assert not is_drawn(first.result())
    assert is_drawn(tab.tell("settle", **settled(drawn)))


@pytest.mark.parametrize("section", ["", "how_many", "where", "together", "resized"])
def test_dropdowns_that_the_app_shows_for_the_first_time_choose_nothing(
    tab: Tab, section: str
) -> None:
    told = tab.tell("on_load")
    sent = {"choose_evaluation", "choose_other", "choose_counted", "choose_worst"}
    if section:
        told = tab.tell("fold", section=section)
        sent.add("choose_option")
    shown = list(dropdowns(told))
    assert {each["method"] for each in shown} >= sent
    for each in shown:
        assert tab.tell(**each) == [], each
