"""Sections that fold, and read nothing until they are opened."""

from __future__ import annotations

from abc import abstractmethod
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

import fiftyone.operators.types as types

from ....errors import CocoMaskError
from ....fiftyone_types import SampleCollection
from ....operators.markdown import plain
from ... import elements
from ..shown import Click, Found, Part, Shown, Work, outdated
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

# What is chosen where all classes count; no class begins so.
ALL = "*"
# In seconds: for how long a section works before it says how far it is.
_WORKS_FOR = 1.5
# In milliseconds: the panel is drawn once before it goes on.
_SOON = 1


class FoldedSection(Section):
    """A section with a line that opens it.

    What it has read is None where it has nothing to say of an evaluation; else a dict:
    ``opened``, and once that is so either what it shows as ``found``, or how far it is
    as ``waits`` (images done, and all), or why it has nothing to show as ``problem``.
    """

    title: ClassVar[str]
    # What it does while it works.
    doing: ClassVar[str] = "Drawing the labels"

    @abstractmethod
    def is_for(self, shown: Shown) -> bool:
        """Whether it has anything to say of what is shown."""

    @abstractmethod
    def read_opened(self, shown: Shown) -> Found:
        """Returns what it shows, as JSON holds it."""

    @abstractmethod
    def add_opened(self, page: Page, found: Found) -> None:
        """Adds what :meth:`read_opened` has found."""

    @abstractmethod
    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that a click leads to; None if it leads nowhere."""

    def work(self, shown: Shown) -> tuple[str, Work] | None:
        """Returns what has to be done before it can be read, and a name of it."""
        return None

    def read(self, shown: Shown) -> Found:
        """Returns what it shows if it is open; goes on with what that takes."""
        if not self.is_for(shown):
            return None
        if self.name not in shown.choices.opened:
            return {"opened": False}
        try:
            waits = self._waits(shown)
            if waits is not None:
                return {"opened": True, "waits": waits}
            return {"opened": True, "found": self.read_opened(shown)}
        except CocoMaskError as error:
            return {"opened": True, "problem": str(error)}

    def add(self, page: Page, found: Found) -> None:
        """Adds the line that opens it, and below that what it shows."""
        if found is None:
            return
        elements.fold(
            page.content,
            f"{self.name}_fold",
            self.title,
            page.panel.fold,
            {"section": self.name},
            is_open=found["opened"],
        )
        if "problem" in found:
            page.content.md(plain(found["problem"]), name=f"{self.name}_problem")
        elif "waits" in found:
            self._add_waiting(page, *found["waits"])
        elif "found" in found:
            self.add_opened(page, found["found"])

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that a click leads to."""
        if not found or "found" not in found:
            raise outdated()
        return self.part_opened(shown, found["found"], click)

    def option(
        self,
        page: Page,
        row: types.Object,
        name: str,
        choices: dict[str, str],
        chosen: str,
        description: str,
    ) -> None:
        """Adds a dropdown whose choice is kept under a name."""
        # The App keeps the choice of an element, also where that is none any more.
        known = blake2b("\n".join(choices).encode(), digest_size=4).hexdigest()
        elements.dropdown(
            row,
            f"option__{name}__{self.name}_{known}",
            choices,
            chosen,
            page.panel.choose_option,
            description,
        )

    def _waits(self, shown: Shown) -> list[int] | None:
        begun = self.work(shown)
        if begun is None:
            return None
        name, new = begun
        work = shown.works.setdefault(name, new)
        if work.run(_WORKS_FOR) is not None:
            shown.works.pop(name, None)
            return None
        return [work.done, work.total]

    def _add_waiting(self, page: Page, done: int, total: int) -> None:
        text = f"{self.doing}: {done:,} of {total:,} images"
        page.content.view(f"{self.name}_waits", types.LoadingView(text=text))
        # A timer that is there already does not begin anew, so each has its own name.
        timer = types.TimerView(timeout=_SOON, on_timeout=page.panel.go_on)
        page.content.view(f"{self.name}_waits_{done}_{page.drawn}", timer)


def figure_work(evaluation: MaskEvaluation, shown: Shown) -> tuple[str, Work] | None:
    """Returns the pass that makes an evaluation's figures, None where they are kept."""
    if evaluation.are_figures_kept(shown.samples):
        return None
    return f"figures of {evaluation.key}", evaluation.figure_pass(shown.samples)


def class_choices(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> dict[str, str]:
    """Returns the classes to choose from: all, and each, the largest first."""
    table = evaluation.per_class(samples)
    if table.empty:
        return {ALL: "all classes"}
    names = table.sort_values("visible_px", ascending=False)["class"].astype(str)
    return {ALL: "all classes"} | {f"={name}": name for name in names}


def chosen_class(choice: str) -> str | None:
    """Returns the class of a choice, None for all."""
    return None if choice == ALL else choice[1:]
