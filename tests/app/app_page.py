"""What a person does in the App, as methods; each waits for what it leads to."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import cv2
import numpy as np
from playwright.sync_api import Locator, Page, TimeoutError, expect

# What is to become visible is waited for with ``wait_for``: ``expect`` describes the
# whole page, for its message, each time that it looks and does not find it.

# The App, MongoDB and Chromium share two cores, perhaps with much else.
_TIMEOUT = 120_000
expect.set_options(timeout=_TIMEOUT)


def wait_for_next_frame(page: Page) -> None:
    """Waits until the App has drawn once more and has nothing to do, or 2 seconds."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame("
        "() => requestIdleCallback(done, {timeout: 2000})))"
    )


def wait_for_frame(page: Page) -> None:
    """Waits until the App has drawn once more; its editor always has more to draw."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(done))")


def do_until(
    result: Locator,
    action: Callable[[], object],
    *,
    visible: bool = True,
    seconds: float = 3,
) -> None:
    """Does something again until it leads to what it should.

    The App loses a click on what it draws anew at that moment, and so would a person's.

    Args:
        result: what the action shows, or hides
        action: what to do; it must do no harm to do it twice
        visible: whether the result is to be visible, or to be hidden
        seconds: how long to wait for it each time
    """
    for _ in range(10):
        with suppress(TimeoutError):
            action()
        with suppress(TimeoutError):
            state: Literal["visible", "hidden"] = "visible" if visible else "hidden"
            result.wait_for(state=state, timeout=1000 * seconds)
            return
    expect(result).to_be_visible(visible=visible)


class AppPage:
    """A page of the App.

    Args:
        page: the browser's page
        address: where the App is
    """

    def __init__(self, page: Page, address: str) -> None:
        page.set_default_timeout(_TIMEOUT)
        self.page = page
        self.panel = Panel(page)
        self._address = address
        self._datasets = page.locator("[data-cy=selector-dataset]")

    def load(self) -> None:
        """Loads the App, with no dataset open."""
        self.page.goto(self._address)
        self._dismiss_advert()

    def open(self, dataset: str) -> None:
        """Chooses a dataset in the App."""
        found = self.page.locator(f"[data-cy='selector-result-{dataset}']")

        def search() -> None:
            self._datasets.click(timeout=3000)
            self._datasets.fill(dataset)

        # The list closes where the App draws its header anew.
        do_until(found, search)
        found.click()
        expect(self.page).to_have_url(f"{self._address}/datasets/{dataset}")
        # The page that lists datasets is there until this one's is loaded, and takes
        # with it what was typed into a form.
        self.page.locator("[data-cy=dataset-page]").wait_for()

    def open_address(self, path: str) -> None:
        """Opens a dataset by an address, which may say how it is shown."""
        self.page.goto(f"{self._address}/datasets/{path}")

    def is_left(self, *, seconds: float) -> bool:
        """Waits until no dataset is open any more, nor a form that covers the list.

        Args:
            seconds: how long to wait

        Returns:
            Whether that is so now.
        """
        nothing = self.page.get_by_text("No dataset selected")
        with suppress(TimeoutError):
            nothing.wait_for(timeout=1000 * seconds)
        return nothing.is_visible() and self.page.get_by_role("dialog").count() == 0

    def wait_for_samples(self, number: int) -> None:
        """Waits until the grid shows so many samples."""
        self._wait_for_entries(number, "sample" if number == 1 else "samples")

    def wait_for_patches(self, number: int) -> None:
        """Waits until the grid shows so many objects."""
        self._wait_for_entries(number, "patch" if number == 1 else "patches")

    def wait_for_stage(self, name: str) -> None:
        """Waits until the view bar has a stage."""
        stages = self.page.locator("[data-cy=view-stage-container]")
        stages.filter(has_text=name).first.wait_for()

    def _wait_for_entries(self, number: int, noun: str) -> None:
        counts = self.page.locator("[data-cy=entry-counts]")
        expect(counts).to_have_text(re.compile(rf"^{number:,}\s*{noun}"))

    def run(self, label: str) -> None:
        """Picks an operator in the operator menu."""
        search = self.page.locator("[data-cy=operators-browser-search]")
        body = self.page.locator("body")
        do_until(search, lambda: body.press("Backquote"))
        # Not typed: where the menu opened late, the key's second press is in its text.
        search.fill(label)
        browser = self.page.locator("[data-cy=operators-browser]")
        browser.get_by_text(label, exact=True).first.click()

    def open_form(self, label: str) -> Form:
        """Opens an operator's form through the operator menu."""
        self.run(label)
        return self.form()

    def form_done(self, text: str) -> None:
        """Waits for the summary of what a button has run, and closes it."""
        finish_form(self.page, text)

    def form(self) -> Form:
        """Returns the form that something else has opened."""
        return Form(self.page)

    def read(self, text: str) -> None:
        """Waits for a cell of the table that an operator shows and closes it."""
        dialog = self.page.locator(".MuiDialog-root")
        dialog.get_by_role("cell", name=text, exact=True).wait_for()
        do_until(dialog, lambda: self.page.keyboard.press("Escape"), visible=False)

    def choose_saved_view(self, name: str) -> None:
        """Shows a saved view in the grid."""
        self.page.locator("[data-cy=saved-views-selection]").first.click()
        self.page.get_by_text(name, exact=True).first.click()

    def open_in_model_evaluation(self, eval_key: str) -> Locator:
        """Opens an evaluation that FiftyOne's own panel lists; returns the panel."""
        name = "[data-cy=panel-content-model_evaluation_panel_builtin]"
        panel = self.page.locator(name)
        listed = panel.get_by_text(eval_key, exact=True).first
        # The list is there before the panel has loaded, which then shows it again.
        do_until(panel.locator("tr").first, lambda: listed.click(timeout=3000))
        return panel

    def note_whether_shown(self, text: str) -> None:
        """Watches the page for a text that may go again before one could look."""
        self.page.evaluate(
            """text => {
                window.shownTexts = new Set();
                const note = () => {
                    if (document.body.innerText.includes(text)) {
                        window.shownTexts.add(text);
                    }
                };
                const changes = {childList: true, subtree: true, characterData: true};
                new MutationObserver(note).observe(document.body, changes);
                note();
            }""",
            text,
        )

    def was_shown(self, text: str) -> bool:
        """Whether a text was shown since :meth:`note_whether_shown`."""
        return self.page.evaluate("text => window.shownTexts.has(text)", text)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds that the page does not show."""
        ends = time.monotonic() + _TIMEOUT / 1000
        while not condition():
            assert time.monotonic() < ends, "it did not happen"
            wait_for_frame(self.page)

    def select_samples(self, number: int) -> None:
        """Selects so many samples of the grid."""
        looks = self.page.locator("[data-cy=spotlight-section-forward] canvas")
        selected = self.page.locator("[data-cy=action-manage-selected]")
        self.settled_picture()
        for index in range(number):
            box = looks.nth(index).bounding_box()
            assert box is not None
            # The check mark is there while the mouse is.
            self.page.mouse.move(box["x"] + 12, box["y"] + 12)
            wait_for_next_frame(self.page)
            self.page.mouse.click(box["x"] + 12, box["y"] + 12)
            expect(selected).to_contain_text(str(index + 1))

    def filter_by(self, field: str, value: str) -> None:
        """Filters by a value of a field in the sidebar."""
        search = self.page.locator(f"[data-cy=selector-sidebar-search-{field}]")
        arrow = self.page.locator(f"[data-cy=sidebar-field-arrow-enabled-{field}]")
        # A second click would close what the first one has opened.
        if not search.is_visible():
            do_until(search, lambda: arrow.click(timeout=3000), seconds=30)
        search.click()
        search.fill(value)
        found = f"[data-cy=selector-results-container-sidebar-search-{field}]"
        self.page.locator(found).get_by_text(value, exact=True).click()

    def toggle_field(self, field: str) -> None:
        """Shows or hides a field of the sidebar."""
        self.page.locator(f"[data-cy=checkbox-{field}]").click()

    def expect_field_shown(self, field: str, *, shown: bool) -> None:
        """Waits until the sidebar says whether a field is shown."""
        box = self.page.locator(f"[data-cy=checkbox-{field}]")
        box = box.locator("xpath=descendant-or-self::input")
        expect(box).to_be_checked(checked=shown)

    def picture_of_first_sample(self) -> np.ndarray:
        """Returns the pixels of the grid's first sample, labels and all."""
        self.page.mouse.move(0, 0)
        looker = self.page.locator("[data-cy=spotlight-section-forward] canvas").first
        data = np.frombuffer(looker.screenshot(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert image is not None
        return image

    def settled_picture(self, other_than: np.ndarray | None = None) -> np.ndarray:
        """Returns the first sample's pixels once they no longer change.

        Args:
            other_than: a picture that it must differ from first
        """
        before = other_than
        for _ in range(60):
            picture = self.picture_of_first_sample()
            is_new = other_than is None or not np.array_equal(picture, other_than)
            if is_new and before is not None and np.array_equal(picture, before):
                return picture
            before = picture
            wait_for_next_frame(self.page)
        raise AssertionError("The first sample's picture does not settle")

    def _dismiss_advert(self) -> None:
        """Closes what the App shows to who comes for the first time."""
        self.page.get_by_role("button", name="Dismiss").click()


class Form:
    """The form of an operator."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialog = page.locator("[data-cy=operators-prompt-modal]")
        self.dialog.wait_for()

    def field(self, label: str) -> Locator:
        """Returns the text field under a label."""
        heading = self.dialog.get_by_text(label, exact=True).first
        return heading.locator("xpath=following::input[1]")

    def type_path(self, path: str, label: str | None = None) -> None:
        """Types a path into the field of the file explorer: the first, or a label's."""
        if label is None:
            self.dialog.locator("input[type=text]").first.fill(path)
        else:
            self.field(label).fill(path)

    def browse_to(self, folder: str) -> None:
        """Chooses a folder beside the one that is typed, with the file explorer."""
        self.dialog.locator("button:has([data-testid=FolderIcon])").first.click()
        explorer = self.page.locator(".MuiDialog-root, .MuiModal-root").last
        explorer.get_by_text(folder, exact=True).click()
        explorer.get_by_role("button", name="Choose", exact=True).click()

    def choose(self, label: str, value: str) -> None:
        """Chooses a value of the list under a label."""
        heading = self.dialog.get_by_text(label, exact=True).first
        heading.locator("xpath=following::*[@role='combobox'][1]").click()
        self.page.get_by_role("option", name=re.compile(f"^{value}")).first.click()

    def expect_text(self, text: str) -> None:
        self.dialog.get_by_text(text).first.wait_for()

    def press_tab(self, label: str) -> None:
        """Shows another kind of field."""
        self.dialog.get_by_role("tab", name=label).click()

    def expect_not_executable(self) -> None:
        """Waits until the form says that it cannot be executed."""
        expect(self.execute_button()).to_be_disabled()

    def execute(self) -> None:
        """Executes and waits for the summary."""
        button = self.execute_button()
        expect(button).to_be_enabled()
        # The App enables it a moment before a click on it does something.
        wait_for_next_frame(self.page)
        button.click()

    def close(self) -> None:
        close = self.dialog.get_by_role("button", name=re.compile("Cancel|Close"))
        do_until(self.dialog, lambda: close.click(timeout=3000), visible=False)

    def finish(self, text: str) -> None:
        """Waits for a text in the summary and closes it."""
        finish_form(self.page, text)

    def execute_button(self) -> Locator:
        """Returns the button that executes."""
        actions = self.page.locator(".MuiDialogActions-root")
        return actions.get_by_role("button", name="Execute", exact=True)


def finish_form(page: Page, text: str) -> None:
    """Waits for a text in the summary of an operator and closes it."""
    done = page.get_by_role("button", name="Done")
    dialog = page.locator(".MuiDialog-root").filter(has=done)
    dialog.get_by_text(text).first.wait_for()
    do_until(dialog, lambda: done.click(timeout=3000), visible=False)


class Panel:
    """The panel `mask_evaluation`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.content = page.locator("[data-cy=panel-content-mask_evaluation]")

    def open(self) -> None:
        """Opens it beside the grid."""
        self.page.locator("[data-cy=new-panel-btn]").first.click()
        self.page.locator("[data-cy=new-panel-option-mask_evaluation]").click()
        self.content.wait_for()

    def expect_text(self, text: str) -> None:
        self.content.get_by_text(text).first.wait_for()

    def expect_no_text(self, text: str) -> None:
        expect(self.content.get_by_text(text)).to_have_count(0)

    def press(self, label: str) -> None:
        """Presses a button, or a card that leads to samples."""
        self.content.get_by_role("button", name=label).click()

    def clear(self) -> None:
        """Shows in the grid again what it showed before a click here."""
        self.content.get_by_role("button", name="Clear", exact=True).click()
        self.content.get_by_text("click to see samples").wait_for()

    def choose(self, choice: str, dropdown: int = 0) -> None:
        """Chooses in a dropdown; a panel that draws itself anew closes the list."""
        chosen = self.content.get_by_role("combobox").nth(dropdown)
        if choice in chosen.inner_text():
            return
        option = self.page.get_by_role("option", name=choice, exact=True)
        for _ in range(20):
            wait_for_next_frame(self.page)
            chosen.click()
            try:
                option.click(timeout=3000)
                break
            except TimeoutError:
                self.page.keyboard.press("Escape")
        expect(chosen).to_have_text(re.compile(re.escape(choice)))

    def table_rows(self, heading: str) -> Locator:
        """Returns the rows of the table that has a column of this name."""
        column = self.page.get_by_role("columnheader", name=heading, exact=True)
        return self.content.locator("table").filter(has=column).locator("tbody tr")

    def card(self, what: str) -> int:
        """Returns the number of a card that leads to samples."""
        text = self.content.get_by_role("button", name=what).inner_text()
        return int(text.split()[0].replace(",", ""))

    def download(self, label: str) -> str:
        """Presses a button and returns the text of the file that the browser gets."""
        with self.page.expect_download() as download:
            self.content.get_by_role("button", name=label, exact=True).click()
        return download.value.path().read_text(encoding="utf-8")

    def bars(self, chart: str) -> Locator:
        """Returns the bars of the chart below a heading."""
        return self.chart(chart).locator(".bars .point path")

    def chart(self, heading: str) -> Locator:
        """Returns the chart below a heading."""
        plot = "following::*[contains(@class, 'js-plotly-plot')][1]"
        return self.content.get_by_text(heading).first.locator(f"xpath={plot}")

    def click_cell(self, chart: str, across: float, up: float) -> str:
        """Clicks into a heat map and returns what it says of the cell.

        Args:
            chart: the heading above it
            across: the place, as a share of the axis to the right
            up: the place, as a share of the axis upwards
        """
        axes = self.chart(chart).locator(".nsewdrag")
        return self._click_on_chart(axes, across, lambda height: (1 - up) * height)

    def highest_bar(self, chart: str) -> Locator:
        """Returns the bar of most pixels."""
        bars = self.bars(chart)
        expect(bars.first).to_be_attached()
        sizes = [bar.bounding_box() for bar in bars.all()]
        areas = [size["height"] * size["width"] if size else 0 for size in sizes]
        return bars.nth(int(np.argmax(areas)))

    def click_bar(self, bar: Locator) -> str:
        """Clicks on a bar and returns what the chart says of it."""
        return self._click_on_chart(bar, 0.5, lambda height: height - 2)

    def _click_on_chart(
        self, part: Locator, across: float, down: Callable[[float], float]
    ) -> str:
        """Clicks on a part of a chart and returns what the chart says there."""
        says = self.page.locator(".hoverlayer .hovertext").first
        # A chart that is drawn anew forgets the mouse until that moves again.
        for _ in range(10):
            part.evaluate("element => element.scrollIntoView({block: 'center'})")
            box = part.bounding_box()
            assert box is not None
            x = box["x"] + across * box["width"]
            y = box["y"] + down(box["height"])
            self.page.mouse.move(x - 1, y)
            self.page.mouse.move(x, y)
            try:
                says.wait_for(timeout=3000)
            except TimeoutError:
                continue
            lines = says.locator("tspan.line").all_text_contents()
            self.page.mouse.click(x, y)
            return "\n".join(lines)
        raise AssertionError("The chart says nothing of the place below the mouse")
