"""The panel `mask_inspector` in the modal of a sample, as a person uses it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from .app_page import do_until, wait_for_next_frame

PICTURES = ("Image", "Mask", "Overlay", "Cut-out")


class InspectorPage:
    """The panel beside a sample."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.modal = page.locator("[data-cy=modal]")
        self.content = self.modal.locator("[data-cy=panel-content-mask_inspector]")

    def open_first_sample(self) -> None:
        """Opens the grid's first sample, which need not be the first of the page."""
        looks = self.page.locator("[data-cy=spotlight-section-forward] canvas")
        looks.first.wait_for()

        def click() -> None:
            boxes = [look.bounding_box() for look in looks.all()]
            box = min((b for b in boxes if b), key=lambda b: (round(b["y"]), b["x"]))
            # Below the check mark that selects it.
            x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.9
            self.page.mouse.click(x, y)

        # Samples move about until all of the grid is there.
        do_until(self.modal, click)
        self._go_to_first_sample()

    def _go_to_first_sample(self) -> None:
        """Goes back where another sample has moved below the mouse meanwhile."""
        wait_for_next_frame(self.page)
        back = self.page.locator("[data-cy=nav-left-button]")
        while back.is_visible():
            self.go("ArrowLeft")
            wait_for_next_frame(self.page)

    def open(self) -> None:
        """Shows the panel; the modal has it as a tab from the start."""
        self.modal.locator("[data-cy=panel-tab-mask_inspector]").click()
        self.content.wait_for()

    def go(self, key: str) -> None:
        """Goes to another sample: ``"ArrowRight"`` or ``"ArrowLeft"``."""
        self.modal.press(key)

    def choose_mask(self, field: str) -> None:
        """Shows the mask of another field."""
        self.content.get_by_role("combobox").click()
        self.page.get_by_role("option", name=field, exact=True).click()

    def expect_text(self, text: str) -> None:
        self.content.get_by_text(text, exact=True).first.wait_for()

    def expect_card(self, number: str, what: str) -> None:
        """Waits until a card shows a number of something."""
        what_it_is = self.content.get_by_text(what, exact=True)
        card = what_it_is.locator(f"xpath=ancestor::*[contains(., '{number}')][1]")
        expect(card).to_have_text(f"{number}{what}")

    def picture(self, name: str) -> Locator:
        return self.content.get_by_role("img", name=name, exact=True)

    def expect_pictures(self, *names: str) -> None:
        """Waits until just these pictures are shown, with their pixels."""
        for name in PICTURES:
            if name in names:
                self.picture(name).wait_for()
                expect(self.picture(name)).to_have_js_property("complete", True)
                expect(self.picture(name)).not_to_have_js_property("naturalWidth", 0)
            else:
                expect(self.picture(name)).to_have_count(0)

    def row(self, *cells: str) -> Locator:
        """Returns the rows of the tables that have just these cells."""
        rows = self.content.get_by_role("row")
        return rows.filter(has_text="".join(cells))
