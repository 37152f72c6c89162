"""The section of the totals, and of what deserves a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ....fiftyone_types import SampleCollection
from ... import elements
from ...text import pixels, share
from ..shown import Click, Found, Part, Shown
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

_BUCKETS = ("small", "medium", "large")
# What of a summary leads to samples, and how one and several of it are called.
_FINDINGS = {
    "small": ("small object", "small objects"),
    "medium": ("medium object", "medium objects"),
    "large": ("large object", "large objects"),
    "empty_images": ("empty mask", "empty masks"),
    "hidden": ("hidden object", "hidden objects"),
    "empty": ("object of 0 px", "objects of 0 px"),
    "images_without_number": ("image not measured", "images not measured"),
}
# What else a card shows, where the summary has it.
_TOTALS: dict[str, tuple[Callable[[float | None], str], str]] = {
    "mean_coverage_over_images": (share, "coverage, mean of images"),
    "foreground_px": (pixels, "foreground px"),
    "coverage": (share, "coverage of all pixels"),
    "mean_area_px_over_images": (pixels, "mean px per image"),
    "mean_area_px_over_objects": (pixels, "mean px per object"),
    "mean_overlap_over_pixels": (share, "of foreground under 2+ objects"),
}
# Those that are mentioned only where there are some.
_MENTIONED = ("empty", "images_without_number")


@dataclass(frozen=True, slots=True)
class Card:
    """A number and what it counts.

    Attributes:
        name: the figure of the summary
        value: the number, None if there is none
        number: the number as text
        what: what it counts
        leads: whether there are samples that it leads to
        is_share: whether the number is a share, 0..1
    """

    name: str
    value: float | None
    number: str
    what: str
    leads: bool = False
    is_share: bool = False


class Cards(Section):
    """Cards of numbers, of which some lead to samples."""

    name = "cards"

    def read(self, shown: Shown) -> Found:
        """Returns the cards of each evaluation."""
        return [
            {
                "key": evaluation.key,
                "kind": evaluation.kind,
                "cards": [asdict(card) for card in _cards(evaluation, shown.samples)],
            }
            for evaluation in shown.evaluations
        ]

    def add(self, page: Page, found: Found) -> None:
        """Adds the cards; those of two evaluations of a kind together."""
        first, *others = found
        if others and others[0]["kind"] == first["kind"]:
            elements.heading(page.content, "cards", " / ".join(page.keys))
            compared = {card["name"]: Card(**card) for card in others[0]["cards"]}
            self._add(page, first, compared)
            return
        for group in found:
            if others:
                elements.heading(page.content, f"cards_{group['key']}", group["key"])
            self._add(page, group)

    def _add(
        self, page: Page, group: Found, compared: dict[str, Card] | None = None
    ) -> None:
        key = group["key"]
        grid = elements.cards(page.content, f"cards_of_{key}")
        for card in (Card(**found) for found in group["cards"]):
            number, what = card.number, card.what
            if compared is not None:
                other = compared.get(card.name)
                number += f" / {other.number if other else '–'}"
                difference = other and _difference(card, other)
                what += f"\n{difference}" if difference else ""
            if not card.leads:
                elements.card(grid, card.name, number, what)
                continue
            elements.card_button(
                grid,
                card.name,
                number,
                what,
                page.panel.click,
                self.params(key=key, card=card.name),
                is_selected=page.place_in(self) == [key, card.name],
            )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that a card counts."""
        key, name = click.params["key"], click.params["card"]
        view = _view(shown.evaluation(key), name, shown.measured)
        return Part(view, _FINDINGS[name][1], [key, name])


def images(found: Found) -> int:
    """Returns how many images there are in what the section has read."""
    return max(
        int(card["value"])
        for group in found
        for card in group["cards"]
        if card["name"] == "images"
    )


def _cards(evaluation: MaskEvaluation, samples: SampleCollection) -> list[Card]:
    summary = evaluation.summary(samples)
    found = [_counted("images", summary, ("image", "images"))]
    if "objects" in summary:
        found.append(_counted("objects", summary, ("object", "objects")))
    found += _totals(summary)
    for name, what in _FINDINGS.items():
        number = summary.get(name)
        if number or (number == 0 and name not in _MENTIONED):
            found.append(_counted(name, summary, what, leads=bool(number)))
    return found


def _view(
    evaluation: MaskEvaluation, name: str, samples: SampleCollection
) -> SampleCollection:
    """Returns the samples that a card leads to."""
    from fiftyone import ViewField as F

    if name == "empty_images":
        return samples.match({evaluation.value_path: 0})
    if name == "images_without_number":
        return samples.match({evaluation.value_path: None})
    area = F(f"{evaluation.key}_px")
    if name in _BUCKETS:
        condition = F(f"{evaluation.key}_bucket") == name
    elif name == "hidden":
        condition = (area > 0) & (F(f"{evaluation.key}_visible_px") == 0)
    else:
        condition = area == 0
    return samples.filter_labels(evaluation.label_field, condition)


def _totals(summary: dict[str, Any]) -> Iterator[Card]:
    """Yields the cards of the figures that an evaluation of this kind has."""
    all_px = summary["image_px"]
    known = {
        **summary,
        "coverage": summary["foreground_px"] / all_px if all_px else None,
    }
    for name, (text, what) in _TOTALS.items():
        if name in known:
            number = text(known[name])
            yield Card(name, known[name], number, what, is_share=text is share)


def _counted(
    name: str, summary: dict[str, Any], what: tuple[str, str], *, leads: bool = False
) -> Card:
    number = summary[name]
    return Card(name, number, f"{number:,}", what[number != 1], leads)


def _difference(before: Card, after: Card) -> str | None:
    """Returns how a number differs in the evaluation that it is compared with."""
    if before.value is None or after.value is None:
        return None
    difference = after.value - before.value
    if not difference:
        return "no difference"
    if before.is_share:
        return f"{100 * difference:+.2f} points"
    said = f"{difference:+,.0f}"
    return f"{said} ({difference / before.value:+.1%})" if before.value else said
