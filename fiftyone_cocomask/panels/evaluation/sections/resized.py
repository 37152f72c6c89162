"""The section of objects that would be small in images of another size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ....errors import CocoMaskError
from ....operators.markdown import plain
from ....words import part_of
from ... import elements
from ...text import share
from ..shown import Click, Found, Part, Shown, Work
from . import place_chart
from .folded import FoldedSection
from .section import Page

if TYPE_CHECKING:
    from ....datasets.evaluations import AreaResults

_HOW = "resized"
_WORDS = {"letterbox": "letterboxed", "stretch": "stretched"}
_MAX_CLASSES = 80


class Resized(FoldedSection):
    """A table of classes and sizes of images, with the share of small objects."""

    name = "resized"
    title = "What if images were resized"
    doing = "Resizing objects"

    def is_for(self, shown: Shown) -> bool:
        """Whether there is an evaluation of the areas of objects."""
        return _evaluation(shown) is not None

    def work(self, shown: Shown) -> tuple[str, Callable[[], Work]] | None:
        """Returns the count of small objects, as long as it has not been made."""
        evaluation = _area(shown)
        begun = evaluation.resized_pass(shown.samples)
        if begun is None:
            return None
        return f"resized objects of {evaluation.key}", lambda: begun

    def read_opened(self, shown: Shown) -> Found:
        """Returns the share and number of small objects of each class and size."""
        evaluation = _area(shown)
        how, limit = shown.choices.option(_HOW, _choices()).split()
        table = evaluation.resized_objects(shown.samples)
        table = table[table["how"] == how]
        sizes = sorted(set(table["size"].tolist()))
        classes: dict[str, dict[str, list[int]]] = {}
        for row in table.to_dict("records"):
            of_class = classes.setdefault(row["class"], {"small": [], "objects": []})
            of_class["small"].append(row[f"below_{limit}_px"])
            of_class["objects"].append(row["objects"])
        names = sorted(classes, key=lambda name: -max(classes[name]["objects"]))
        names = names[:_MAX_CLASSES]
        return {
            "key": evaluation.key,
            "choice": f"{how} {limit}",
            "sizes": sizes,
            "names": names,
            "small": [classes[name]["small"] for name in names],
            "objects": [classes[name]["objects"] for name in names],
            "omitted": len(classes) - len(names),
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the choice of how, and the table."""
        if not found["names"]:
            page.content.md("No object here has an area.", name="resized_none")
            return
        row = page.content.grid("resized_choice", orientation="2d", gap=1)
        description = "How images are resized, and which objects count"
        self.option(page, row, _HOW, _choices(), found["choice"], description)
        page.content.md(plain(_text(found)), name="resized_text")
        shares = [
            [few / all_ if all_ else 0.0 for few, all_ in zip(*lines, strict=True)]
            for lines in zip(found["small"], found["objects"], strict=True)
        ]
        element = self.element("table", found["choice"])
        columns = [f"{size} px" for size in found["sizes"]]
        elements.chart(
            page.content,
            element,
            place_chart.matrix_traces(
                shares,
                [[share(each) if each else "" for each in line] for line in shares],
                [
                    [_says(found, a, b) for b in range(len(columns))]
                    for a in range(len(shares))
                ],
                (0, 1),
            ),
            place_chart.matrix_layout(
                found["names"],
                columns,
                ("Side of the square images", "Class"),
                page.place_in(self, element),
            ),
            place_chart.matrix_height(len(shares)),
            page.panel.click,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the small objects of a class."""
        a, b = place_chart.cell_of(click.params)
        name, size = found["names"][a], found["sizes"][b]
        how, limit = found["choice"].split()
        evaluation = shown.evaluation(found["key"])
        if TYPE_CHECKING:
            assert isinstance(evaluation, AreaResults)
        view = evaluation.resized_view(
            size, how, limit=int(limit), label=name, samples=shown.measured
        )
        text = f"{name} below {limit} px, in images {_WORDS[how]} to {size} px"
        return Part(view, text, [self.element("table", found["choice"]), a, b])


def _choices() -> dict[str, str]:
    from ....datasets.figures.resized import LIMITS

    return {
        f"{how} {limit}": f"{word}, below {limit} px"
        for how, word in _WORDS.items()
        for limit in LIMITS
    }


def _evaluation(shown: Shown) -> AreaResults | None:
    """Returns the first evaluation that knows the areas of objects."""
    from ....datasets.evaluations import AreaResults

    for evaluation in shown.evaluations:
        if isinstance(evaluation, AreaResults) and evaluation.label_field is not None:
            return evaluation
    return None


def _area(shown: Shown) -> AreaResults:
    evaluation = _evaluation(shown)
    if evaluation is None:
        raise CocoMaskError("Only an area evaluation with labels knows this")
    return evaluation


def _text(found: Found) -> str:
    how, limit = found["choice"].split()
    if not any(map(any, found["small"])):
        return f"No object would have fewer than {limit} pixels, in any of these sizes."
    fits = "keeping their shape" if how == "letterbox" else "whatever their shape"
    return (
        f"The share of each class's objects that would have fewer than {limit} pixels, "
        f"once images are resized to squares, {fits}. Click on a cell to see them."
    )


def _says(found: Found, row: int, column: int) -> str:
    few, objects = found["small"][row][column], found["objects"][row][column]
    size = found["sizes"][column]
    return f"{found['names'][row]} at {size} px\n{part_of(few, objects, 'object')}"
