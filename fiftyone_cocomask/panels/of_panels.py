"""What the server remembers of the panels that are open."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

_MAX_PANELS = 1000

Value = TypeVar("Value")


class OfPanels(OrderedDict[str, Value]):
    """Values by the ids of panels: of too many, those set longest ago are forgotten."""

    def __setitem__(self, panel_id: str, value: Value) -> None:
        super().__setitem__(panel_id, value)
        self.move_to_end(panel_id)
        while len(self) > _MAX_PANELS:
            self.popitem(last=False)
