"""The section of what usually follows: forms, filled in."""

from __future__ import annotations

from typing import Any

from ... import elements
from ..shown import Found, Shown
from .section import Page, Section


class NextSteps(Section):
    """Buttons that open the forms of what usually follows."""

    name = "next_steps"

    def read(self, shown: Shown) -> Found:
        """Returns the forms, with their answers."""
        evaluation = shown.evaluations[0]
        steps: list[tuple[str, str, dict[str, Any]]] = []
        if evaluation.label_field is not None:
            answers = {"label_field": evaluation.label_field}
            steps += [
                ("fix_mask_issues", "Fix mask issues", answers),
                ("rank_mask_outlines", "Rank outlines", answers),
                ("export_roboflow_coco", "Export to COCO", answers),
            ]
        steps.append(("write_report", "Write a report", {}))
        return steps

    def add(self, page: Page, found: Found) -> None:
        """Adds the buttons."""
        row = page.content.grid("usual_steps", orientation="2d", gap=1)
        for operator, label, answers in found:
            params = {"operator": operator, "answers": answers}
            elements.button(row, operator, label, page.panel.open_form, params)
