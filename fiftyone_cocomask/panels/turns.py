"""Which of a panel's events, handled side by side, is the one to be shown."""

from __future__ import annotations

from typing import ClassVar

from .of_panels import OfPanels


class Turn:
    """What an event of a panel wants to show, until a later one wants something else.

    Args:
        panel_id: the panel
        wanted: what is to be shown; by default something that no other event wants
        goes_on: whether the event only goes on with what one before it wanted
    """

    _latest: ClassVar[OfPanels[object]] = OfPanels()

    def __init__(
        self, panel_id: str, wanted: object = None, *, goes_on: bool = False
    ) -> None:
        self._panel_id = panel_id
        self._wanted = object() if wanted is None else wanted
        if not goes_on:
            self._latest[panel_id] = self._wanted

    def is_last(self) -> bool:
        """Whether no later event of the panel wants anything else."""
        return self._latest.get(self._panel_id, self._wanted) == self._wanted
