"""The section of the samples at one end of a ranking."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ....words import count
from ... import elements
from ...text import pixels, share
from ..shown import Click, Found, Part, Shown
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation
    from ....datasets.evaluations.rankings import RankedSample, Ranking


class RankingOfSamples(Section):
    """A table of the samples that come first by a number of theirs."""

    name = "ranking"

    def read(self, shown: Shown) -> Found:
        """Returns the rankings that there are, and the samples of one."""
        from ....datasets.evaluations.rankings import first_ranking, ranked_samples

        evaluation = shown.evaluations[0]
        known = {ranking.name: ranking for ranking in _rankings(shown)}
        ranking = known.get(shown.choices.ranking or "") or first_ranking(
            evaluation, list(known.values()), shown.samples
        )
        ranked = ranked_samples(evaluation, ranking, shown.samples)
        text = share if ranking.is_share else pixels
        return {
            "by": ranking.name,
            "choices": {ranking.name: ranking.label for ranking in known.values()},
            "ids": [[sample.sample_id, *sample.copies] for sample in ranked],
            "rows": [
                {
                    "Image": short_name(sample.filepath) + _and_copies(sample),
                    "Split": sample.split,
                    ranking.column: text(sample.number),
                }
                for sample in ranked
            ],
        }

    def add(self, page: Page, found: Found) -> None:
        """Adds the choice of a ranking, and its table."""
        elements.heading(page.content, "ranking", "Samples to look at")
        row = page.content.grid(
            "ranking_choice", orientation="2d", gap=1, align_y="center"
        )
        elements.dropdown(
            row,
            # The App keeps an element's choice, also if it is no longer offered.
            "_".join(["worst_by", *found["choices"]]),
            found["choices"],
            found["by"],
            page.panel.choose_worst,
            "What the samples are sorted by",
        )
        if not found["rows"]:
            page.content.md("There are none.", name="no_ranked")
            return
        elements.button(
            row,
            "ranked",
            "Show all in this order",
            page.panel.click,
            self.params(),
        )
        place = page.place_in(self)
        elements.table(
            page.content,
            self.element("rows"),
            found["rows"],
            page.panel.click,
            text_columns=2,
            selected=place[0] if place else None,
        )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns a sample of the table, or all of them in its order."""
        row, ids = click.params.get("row"), found["ids"]
        if row is None:
            flat = [sample_id for of_source in ids for sample_id in of_source]
            text = (
                f"{count(len(flat), 'sample')}: {found['choices'][found['by']].lower()}"
            )
            return Part(shown.dataset.select(flat, ordered=True), text, [])
        if row < 0:
            return None
        view = shown.dataset.select(ids[row], ordered=True)
        return Part(view, found["rows"][row]["Image"], [row])


def _and_copies(sample: RankedSample) -> str:
    number = len(sample.copies)
    return f" and {count(number, 'copy')}" if number else ""


def short_name(filepath: str) -> str:
    """Returns the name of a file, without most of the hash that Roboflow adds."""
    return re.sub(r"(\.rf\.\w{6})\w{12,}", r"\1…", Path(filepath).name)


def _rankings(shown: Shown) -> list[Ranking]:
    from ....datasets.evaluations.rankings import rankings

    first: MaskEvaluation = shown.evaluations[0]
    return rankings(*shown.evaluations, has_stated=_has_stated(first, shown))


def _has_stated(evaluation: MaskEvaluation, shown: Shown) -> bool:
    from ....datasets.evaluations.stated_area_bins import annotated_bins

    return bool(annotated_bins(evaluation, shown.samples).counts)
