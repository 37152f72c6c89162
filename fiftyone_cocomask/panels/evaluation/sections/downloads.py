"""The section of tables that the browser downloads."""

from __future__ import annotations

from ... import elements
from ..shown import Found, Shown
from .section import Page, Section


class Downloads(Section):
    """A button for each table of each evaluation."""

    name = "downloads"

    def read(self, shown: Shown) -> Found:
        """Returns the tables of each evaluation."""
        return [
            {"key": evaluation.key, "tables": list(evaluation.tables())}
            for evaluation in shown.evaluations
        ]

    def add(self, page: Page, found: Found) -> None:
        """Adds the buttons."""
        elements.heading(
            page.content,
            "downloads",
            "Download as CSV",
            "Of the samples that the grid shows",
        )
        for group in found:
            key = group["key"]
            row = page.content.grid(f"downloads_of_{key}", orientation="2d", gap=1)
            for table in group["tables"]:
                of_key = f" of {key}" if len(found) > 1 else ""
                elements.button(
                    row,
                    table,
                    f"{table.capitalize()}{of_key}",
                    page.panel.download,
                    {"key": key, "table": table},
                )
