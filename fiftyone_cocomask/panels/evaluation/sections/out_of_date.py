"""The section that says what is out of date, and brings it up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.operators.types as types

from ....operators.markdown import plain
from ....words import count
from ... import elements
from ..shown import Found, Shown
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation


class OutOfDateSamples(Section):
    """A warning, and a button that redraws the masks and evaluates again."""

    name = "out_of_date"

    def read(self, shown: Shown) -> Found:
        """Returns how many samples are left out, and why; None if there are none."""
        if shown.outdated == []:
            return None
        number = None if shown.outdated is None else len(shown.outdated)
        reasons = {e.key: _reasons(e, shown) for e in shown.evaluations}
        return {"number": number, "reasons": {k: r for k, r in reasons.items() if r}}

    def add(self, page: Page, found: Found) -> None:
        """Adds the warning and the button, if anything is out of date."""
        if found is None:
            return
        number = found["number"]
        is_one = number == 1
        text = "Too many images are out of date to show the others"
        if number is not None:
            text = f"{count(number, 'image')} {'is' if is_one else 'are'} out of date"
            text += f", and {'is' if is_one else 'are'} left out of the numbers"
        reasons = [f"{key}: {said}" for key, said in found["reasons"].items()]
        page.content.view(
            "out_of_date",
            types.Warning(label=text, description=plain("; ".join(reasons))),
        )
        row = page.content.grid("refresh", orientation="2d", gap=1)
        elements.button(
            row,
            "refresh_evaluations",
            "Redraw masks and evaluate again",
            page.panel.refresh_evaluations,
            variant="contained",
        )


def _reasons(evaluation: MaskEvaluation, shown: Shown) -> str:
    """Returns what has changed since an evaluation, and what was old already."""
    said = []
    changed = evaluation.out_of_date(shown.grid)
    if changed is not None:
        for number, what in ((changed.masks, "masks"), (changed.labels, "labels")):
            if number:
                said.append(
                    f"the {what} of {count(number, 'image')} have changed since"
                )
    older = evaluation.older_masks(shown.grid)
    if older:
        said.append(f"the masks of {count(older, 'image')} are older than the labels")
    return " and ".join(said)
