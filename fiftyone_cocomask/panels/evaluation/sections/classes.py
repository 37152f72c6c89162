"""The section of the classes: how much each covers."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ....fiftyone_types import SampleCollection
from ....words import count
from ... import elements
from ...text import share
from ..shown import Click, Found, Part, Shown, chart_of
from . import class_chart
from .class_chart import ClassBars, ClassFigures
from .class_colors import class_colors
from .section import Page, Section
from .splits import split_view

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

MAX_CLASSES = 30
# More splits than these have no bar each.
_MAX_SPLITS = 5


class Classes(Section):
    """A chart for each kind of evaluation, with bars per class and split."""

    name = "classes"

    def read(self, shown: Shown) -> Found:
        """Returns the bars of each chart."""
        return [
            {
                "element": self.element(
                    group[0].kind, *(evaluation.key for evaluation in group)
                ),
                "keys": [evaluation.key for evaluation in group],
                "all": shown.choices.all_classes,
                "colors": class_colors(shown.dataset, group[0].label_field),
                "figures": asdict(_figures(group, shown)),
            }
            for group in shown.groups()
        ]

    def add(self, page: Page, found: Found) -> None:
        """Adds the charts."""
        for chart in found:
            self._add(page, chart)

    def _add(self, page: Page, chart: Found) -> None:
        figures = ClassFigures.from_dict(chart["figures"])
        if not figures.names:
            return
        element, content = chart["element"], page.content
        label = "Coverage by class" if figures.is_share else "Area by class"
        if len(chart["keys"]) == 1 and len(figures.bars) > 1:
            label += " and split"
        elements.heading(content, element, label)
        if figures.omitted or chart["all"]:
            _add_switch(page, chart, figures)
        place = page.place_in(self, element)
        elements.chart(
            content,
            element,
            class_chart.class_traces(
                figures, (place[0], place[1]) if place else None, chart["colors"]
            ),
            class_chart.class_layout(figures),
            class_chart.class_height(figures),
            page.panel.click,
        )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples of a class, or of a class in a split."""
        chart = chart_of(found, click.element)
        trace, index = click.params["trace_idx"], click.params["idx"]
        figures, keys = ClassFigures.from_dict(chart["figures"]), chart["keys"]
        several = len(keys) > 1
        name, label = figures.names[index], figures.bars[trace].label
        evaluation = shown.evaluation(keys[trace if several else 0])
        view = evaluation.class_view(name, shown.measured)
        text = f"images with {name}"
        if label and not several:
            view = split_view(view, label)
            text += f" in split {label}"
        return Part(view, text, [click.element, trace, index])


def _add_switch(page: Page, chart: Found, figures: ClassFigures) -> None:
    """Adds a button that shows the rare classes too, or hides them."""
    row = page.content.grid(f"{chart['element']}_all", orientation="2d", gap=1)
    number = count(len(figures.names) + figures.omitted, "class")
    if chart["all"]:
        label = f"Show the first {MAX_CLASSES} of {number}"
    else:
        label = f"Show all {number}"
    elements.button(row, "all_classes", label, page.panel.show_all_classes)


def _figures(group: list[MaskEvaluation], shown: Shown) -> ClassFigures:
    """Returns the coverage, or the visible area, of each class."""
    import pandas as pd

    is_share = group[0].is_share
    column = "coverage_over_pixels" if is_share else "visible_px"
    title = "Share of all pixels" if is_share else "Visible px"
    tables = _tables(group, shown.samples)
    rows = pd.concat(list(tables.values())) if tables else pd.DataFrame()
    if rows.empty:
        return ClassFigures([], [], title, is_share, 0)
    totals = rows.groupby("class")["visible_px"].sum().sort_values(ascending=False)
    names = [str(name) for name in totals.index]
    known = names if shown.choices.all_classes else names[:MAX_CLASSES]
    bars = [
        _bars(label, table, known, column, is_share=is_share)
        for label, table in tables.items()
    ]
    return ClassFigures(known, bars, title, is_share, len(names) - len(known))


def _tables(group: list[MaskEvaluation], samples: SampleCollection) -> dict[str, Any]:
    """Returns a table of classes for each split, or each of two evaluations."""
    if len(group) > 1:
        return {e.key: e.per_class(samples) for e in group}
    evaluation = group[0]
    table = evaluation.per_class(samples, by_split=True)
    splits = list(dict.fromkeys(table["split"])) if len(table) else []
    if not 1 < len(splits) <= _MAX_SPLITS:
        return {"": evaluation.per_class(samples)}
    return {str(split): table[table["split"] == split] for split in splits}


def _bars(
    label: str, table: Any, names: list[str], column: str, *, is_share: bool
) -> ClassBars:
    rows = {} if table.empty else {str(r["class"]): r for r in table.to_dict("records")}
    values, texts = [], []
    for name in names:
        row = rows.get(name)
        value = 0.0 if row is None else float(row[column] or 0)
        values.append(0.0 if math.isnan(value) else value)
        said = [name if not label else f"{name} · {label}"]
        said.append(share(value) if is_share else f"{value:,.0f} px")
        if row is not None:
            said.append(count(row["images"], "image"))
            if "objects" in row:
                said.append(count(row["objects"], "object"))
        texts.append("<br>".join(class_chart.escaped(line) for line in said))
    return ClassBars(label, values, texts)
