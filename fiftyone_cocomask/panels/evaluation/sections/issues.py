"""The section of the masks that look wrong."""

from __future__ import annotations

from ....words import count
from ... import elements
from ..shown import Click, Found, Part, Shown
from .section import Page, Section


class Issues(Section):
    """A card for each issue that a search has found."""

    name = "issues"

    def read(self, shown: Shown) -> Found:
        """Returns how often each search has found each issue."""
        from ....datasets.issues import list_mask_issues
        from ....datasets.issues.counts import issue_counts

        found = []
        for key in list_mask_issues(shown.grid):
            counts = issue_counts(shown.grid, key)
            issues = {issue.value: number for issue, number in counts.items()}
            found.append({"key": key, "counts": issues})
        return found

    def add(self, page: Page, found: Found) -> None:
        """Adds the cards, and a button to search."""
        for search in found:
            self._add(page, search["key"], search["counts"])
        if any(search["counts"] for search in found):
            return
        row = page.content.grid("find_issues", orientation="2d", gap=1)
        elements.button(
            row,
            "find",
            "Search again with other rules" if found else "Find mask issues",
            page.panel.open_form,
            {"operator": "find_mask_issues"},
            title="Tag masks that look wrong: tiny, hidden, cut off, out of line "
            "and more",
        )

    def _add(self, page: Page, key: str, counts: dict[str, int]) -> None:
        total = sum(counts.values())
        elements.heading(
            page.content, f"issues_{key}", f"{count(total, 'issue')} found by {key}"
        )
        if not counts:
            # Without cards, their grid would be a blank strip.
            return
        grid = elements.cards(page.content, f"issues_of_{key}")
        for issue, number in counts.items():
            elements.card_button(
                grid,
                issue,
                f"{number:,}",
                issue_name(issue),
                page.panel.click,
                self.params(key=key, issue=issue),
                is_selected=page.place_in(self) == [key, issue],
            )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples, or labels, that a search has marked."""
        import fiftyone as fo

        from ....datasets.issues import MaskIssue
        from ....datasets.issues.counts import issue_field, issue_view

        key, issue = click.params["key"], click.params["issue"]
        view = issue_view(shown.dataset, key, MaskIssue(issue))
        field = issue_field(shown.dataset, key, MaskIssue(issue))
        # A tiny object is seen only where the picture is of it.
        patches = [] if field is None else [fo.ToPatches(field)]
        return Part(view, f"issue {issue_name(issue)}", [key, issue], patches)


def issue_name(issue: str) -> str:
    """Returns the name of an issue for a person."""
    return issue.replace("_", " ")
