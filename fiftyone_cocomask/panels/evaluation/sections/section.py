"""What each section of the panel is: it reads, shows and answers its own clicks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone.operators.types as types

from ..shown import Click, Found, Part, Shown, outdated

if TYPE_CHECKING:
    from ..panel import MaskEvaluationPanel


@dataclass(frozen=True, slots=True)
class Page:
    """Where sections add what they show.

    Attributes:
        panel: the panel, whose methods are the handlers
        content: what elements are added to
        selected: the name of the section and the place that was clicked on, or empty
        keys: the keys of the evaluations that are shown
        opened: the id of the label or sample that was opened from a list, or None
        opening: the number of times that one was opened, where the App is still to be
            told to edit it; else 0
        drawn: how often the panel has been drawn
        options: what the dropdowns of sections that fold show, by their names
    """

    panel: MaskEvaluationPanel
    content: types.Object
    selected: list[Any]
    keys: list[str]
    opened: str | None = None
    opening: int = 0
    drawn: int = 0
    options: dict[str, str] = field(default_factory=dict)

    def place_in(self, section: Section, *start: Any) -> list[Any] | None:
        """Returns the place that was clicked on in a section, or a part of it.

        Args:
            section: the section
            start: what the place begins with; left out of what is returned
        """
        whole = [section.name, *start]
        if self.selected[: len(whole)] != whole:
            return None
        return self.selected[len(whole) :]


class Section(ABC):
    """A part of the panel."""

    # What the names of its charts and tables begin with.
    name: ClassVar[str]

    @abstractmethod
    def read(self, shown: Shown) -> Found:
        """Returns what it shows, as JSON holds it.

        It is counts, bins and texts: as small for 100,000 samples as for ten.
        """

    @abstractmethod
    def add(self, page: Page, found: Found) -> None:
        """Adds what :meth:`read` has found to the panel."""

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that a click leads to; None if it leads nowhere.

        Raises:
            CocoMaskError: if the panel has changed meanwhile
        """
        raise outdated()

    def element(self, *parts: str) -> str:
        """Returns the name of a chart or table, by which a click finds its section."""
        return "__".join([self.name, *parts])

    def params(self, **params: Any) -> dict[str, Any]:
        """Returns the parameters of a button that leads to samples."""
        return {"section": self.name, **params}
