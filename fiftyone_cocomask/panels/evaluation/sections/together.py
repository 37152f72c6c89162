"""The section of the classes that occur together."""

from __future__ import annotations

from ....operators.markdown import plain
from ....words import agree, count
from ... import elements
from ...text import pixels
from ..shown import Click, Found, Part, Shown
from . import place_chart
from .folded import FoldedSection
from .section import Page

_BY = "together"
_CHOICES = {"images": "by images that hold both", "overlap_px": "by pixels of overlap"}
_MAX_CLASSES = 80
_FEW_CLASSES = 4


class Together(FoldedSection):
    """A matrix of classes, by images that hold both or by pixels that both cover."""

    name = "together"
    title = "Which classes occur together"
    is_of_labels = True
    is_of_pixels = True

    def read_opened(self, shown: Shown) -> Found:
        """Returns the classes of most images, and the numbers of their pairs."""
        evaluation = shown.evaluations[0]
        table = evaluation.co_occurrence(shown.samples)
        alone = table[table["class"] == table["other"]]
        by_images = alone.sort_values("images", ascending=False, kind="stable")
        names = by_images["class"].tolist()[:_MAX_CLASSES]
        place = {name: index for index, name in enumerate(names)}
        found = {"images": _zeros(len(names)), "overlap_px": _zeros(len(names))}
        for row in table.to_dict("records"):
            a, b = place.get(row["class"]), place.get(row["other"])
            if a is not None and b is not None:
                for kind, numbers in found.items():
                    numbers[a][b] = numbers[b][a] = int(row[kind])
        return {
            "key": evaluation.key,
            "by": shown.choices.option(_BY, _CHOICES),
            "names": names,
            "omitted": len(alone) - len(names),
            **found,
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the choice of what is counted, and the matrix."""
        names, by = found["names"], found["by"]
        if not names:
            page.content.md("No image has an object.", name="together_none")
            return
        row = page.content.grid("together_choice", orientation="2d", gap=1)
        self.option(page, row, _BY, _CHOICES, by, "What a cell counts")
        page.content.md(plain(_text(found)), name="together_text")
        element = self.element("matrix", by)
        # Of many classes, what each has alone would outshine all pairs.
        pairs = [n for a, line in enumerate(found[by]) for n in line[:a]]
        greatest = max(map(max, found[by])) or 1
        if len(names) > _FEW_CLASSES:
            greatest = max(pairs, default=0) or greatest
        elements.chart(
            page.content,
            element,
            place_chart.matrix_traces(
                found[by],
                [[pixels(n) if n else "" for n in line] for line in found[by]],
                [
                    [_says(found, a, b) for b in range(len(names))]
                    for a in range(len(names))
                ],
                (0, greatest),
            ),
            place_chart.matrix_layout(
                names, names, ("Class", "Class"), page.place_in(self, element)
            ),
            place_chart.matrix_height(len(names)),
            page.panel.click,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the images that hold both classes."""
        evaluation = shown.evaluation(found["key"])
        a, b = place_chart.cell_of(click.params)
        first, second = found["names"][a], found["names"][b]
        view = evaluation.class_view(first, shown.measured)
        text = f"images with {first}"
        if a != b:
            view = evaluation.class_view(second, view)
            text += f" and {second}"
        return Part(view, text, [self.element("matrix", found["by"]), a, b])


def _zeros(length: int) -> list[list[int]]:
    return [[0] * length for _ in range(length)]


def _text(found: Found) -> str:
    text = "Each cell is of two classes, those on the diagonal of one. "
    if found["by"] == "overlap_px":
        text += "It counts the pixels that objects of both cover. "
    if found["omitted"]:
        omitted = found["omitted"]
        text += f"{count(omitted, 'class')} of fewer images "
        text += f"{agree(omitted, 'is', 'are')} left out. "
    return text + "Click on a cell to see its images."


def _says(found: Found, a: int, b: int) -> str:
    images, overlap = found["images"][a][b], found["overlap_px"][a][b]
    names = found["names"]
    both = names[a] if a == b else f"{names[a]} and {names[b]}"
    shared = "two or more of its objects" if a == b else "both"
    return f"{both}\n{count(images, 'image')}\n{overlap:,} px under {shared}"
