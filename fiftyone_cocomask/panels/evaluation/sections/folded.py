"""Sections that fold, and read nothing until they are opened."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

import fiftyone.operators.types as types

from ....errors import CocoMaskError
from ....operators.markdown import plain
from ....words import part_of
from ... import charts, elements
from ..shown import Click, Found, Part, Shown, Work, outdated
from .class_colors import class_color
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

# The name of the option that chooses a class, and what it is where all classes count.
CLASS = "class"
_ALL = "*"
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
    # Whether it is of labels alone, which not every evaluation has.
    is_of_labels: ClassVar[bool] = False
    # Whether it shows figures of pixels, which a pass over the labels makes.
    is_of_pixels: ClassVar[bool] = False
    # What it does while it works.
    doing: ClassVar[str] = "Drawing the labels"

    @abstractmethod
    def read_opened(self, shown: Shown) -> Found:
        """Returns what it shows, as JSON holds it."""

    @abstractmethod
    def add_opened(self, page: Page, found: Found) -> None:
        """Adds what :meth:`read_opened` has found."""

    @abstractmethod
    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that a click leads to; None if it leads nowhere."""

    def is_for(self, shown: Shown) -> bool:
        """Whether it has anything to say of what is shown."""
        return not self.is_of_labels or shown.evaluations[0].label_field is not None

    def work(self, shown: Shown) -> tuple[str, Callable[[], Work]] | None:
        """Returns a name of what has to be done before it can be read, and how.

        Returns:
            the name, and what begins the work; None if there is nothing to do
        """
        evaluation = shown.evaluations[0]
        if not self.is_of_pixels or evaluation.are_figures_kept(shown.samples):
            return None
        name = f"figures of {evaluation.key}"
        return name, lambda: evaluation.figure_pass(shown.samples)

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
        # The App keeps an element's choice, also if it is no longer offered.
        known = blake2b("\n".join(choices).encode(), digest_size=4).hexdigest()
        element = f"option__{name}__{self.name}_{known}"
        page.options[element] = chosen
        elements.dropdown(
            row,
            element,
            choices,
            chosen,
            page.panel.choose_option,
            description,
        )

    def _waits(self, shown: Shown) -> list[int] | None:
        needed = self.work(shown)
        if needed is None:
            return None
        name, begin = needed
        work = shown.works.get(name) or shown.works.setdefault(name, begin())
        if work.run(_WORKS_FOR) is not None:
            shown.works.pop(name, None)
            return None
        return [work.done, work.total]

    def _add_waiting(self, page: Page, done: int, total: int) -> None:
        text = f"{self.doing}: {part_of(done, total, 'image')}"
        page.content.view(f"{self.name}_waits", types.LoadingView(text=text))
        # A timer that is there already does not begin anew, so each has its own name.
        timer = types.TimerView(timeout=_SOON, on_timeout=page.panel.go_on)
        page.content.view(f"{self.name}_waits_{done}_{page.drawn}", timer)


def chosen_class(shown: Shown) -> Found:
    """Returns which class of the first evaluation is chosen, and what there is.

    Returns:
        ``key`` of the evaluation, ``choices`` (all classes, and each, the largest
        first), the ``choice``, its class as ``label`` (None for all) and ``color``
    """
    evaluation = shown.evaluations[0]
    choices = _class_choices(evaluation, shown)
    choice = shown.choices.option(CLASS, choices)
    label = None if choice == _ALL else choice[1:]
    color = class_color(shown.dataset, evaluation.label_field, label)
    return {
        "key": evaluation.key,
        "choices": choices,
        "choice": choice,
        "label": label,
        "color": color or charts.COLORS[0],
    }


def _class_choices(evaluation: MaskEvaluation, shown: Shown) -> dict[str, str]:
    table = evaluation.per_class(shown.samples)
    if table.empty:
        return {_ALL: "all classes"}
    names = table.sort_values("visible_px", ascending=False)["class"].astype(str)
    return {_ALL: "all classes"} | {f"={name}": name for name in names}
