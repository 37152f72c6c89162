"""What a person does in the App's Annotate tab, as methods."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from .app_page import do_until, wait_for_frame


class EditorPage:
    """The Annotate tab of the sample that is open.

    Args:
        page: the browser's page
        size: the width and height of the sample's image, in pixels
    """

    def __init__(self, page: Page, size: tuple[int, int]) -> None:
        self.page = page
        self._size = size
        self._tools = page.locator("[data-cy=polyline-mode]")
        self._canvas = page.locator("[data-cy=lighter-sample-renderer-canvas]")
        # The mouse's shape over what can be dragged.
        self._hand = page.locator("canvas[style*='cursor: grab']")
        self._classes = page.locator("[data-cy=root_label_container]")

    def open(self) -> None:
        """Opens the tab."""
        annotate = self.page.locator("[data-cy=modal] [data-cy=annotate]")
        do_until(self._tools, lambda: annotate.click(timeout=3000))
        self.page.locator("[data-cy=lighter-sample-renderer]").wait_for()

    def delete(self, label_id: str) -> None:
        """Deletes a label."""
        self._select(label_id)
        delete = self.page.locator("[data-cy=label-menu-delete]")
        menu = self.page.locator("[data-cy=label-menu-trigger]")
        do_until(delete, lambda: menu.click(timeout=3000))
        delete.click()
        expect(self.page.locator(f"[data-cy=annotate-label-{label_id}]")).to_have_count(
            0
        )

    def relabel(self, label_id: str, label: str) -> None:
        """Gives a label another class of the schema."""
        self._select(label_id)
        self._classes.get_by_text(label, exact=True).click()
        self._leave()

    def drag(self, label_id: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Selects a label and drags one of its vertices."""
        self._select(label_id)
        self.drag_vertex(start, end)
        self._leave()

    def drag_vertex(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drags a vertex of the selected label from one place of the image to another.

        Where the App has not found the vertex below the mouse yet, it would draw.
        """
        mouse = self.page.mouse
        x, y = self._place(start)

        def hover() -> None:
            mouse.move(x - 1, y)
            mouse.move(x, y)

        do_until(self._hand, hover)
        mouse.down()
        mouse.move(*self._place(end), steps=8)
        wait_for_frame(self.page)
        mouse.up()

    def draw(self, *points: tuple[int, int]) -> None:
        """Draws a polygon."""
        self._turn_on_polylines()
        for point in points:
            self.page.mouse.move(*self._place(point), steps=3)
            wait_for_frame(self.page)
            self.page.mouse.click(*self._place(point))
            wait_for_frame(self.page)
        # A right click ends it, where it hits no vertex.
        x, y = points[0]
        self.page.mouse.click(*self._place((x - 20, y - 20)), button="right")

    def _turn_on_polylines(self) -> None:
        """Makes sure that a click into the image begins a polygon."""
        # FiftyOne 1.21 keeps the tool of the label that was selected last, 1.22 does
        # not; a click on a tool that is on turns it off.
        if self._tools.get_attribute("data-cy-active") == "false":
            self._tools.click()
        expect(self._tools).to_have_attribute("data-cy-active", "true")

    def _select(self, label_id: str) -> None:
        entry = self.page.locator(f"[data-cy=annotate-label-{label_id}]")
        do_until(self._classes, lambda: entry.click(timeout=3000))

    def _leave(self) -> None:
        back = self.page.locator("[data-cy=annotate-edit-back]")
        do_until(self._tools, lambda: back.click(timeout=3000))

    def _place(self, point: tuple[int, int]) -> tuple[float, float]:
        """Returns where a place of the image is on the page."""
        box = self._canvas.bounding_box()
        assert box is not None
        width, height = self._size
        scale = min(box["width"] / width, box["height"] / height)
        left = box["x"] + (box["width"] - width * scale) / 2
        top = box["y"] + (box["height"] - height * scale) / 2
        return left + point[0] * scale, top + point[1] * scale
