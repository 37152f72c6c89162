"""The section of how balanced the classes are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from ....operators.forms import names
from ....operators.markdown import plain
from ....words import count
from ... import elements
from ...text import share
from ..shown import Click, Found, Part, Shown
from . import class_chart
from .class_chart import ClassBars, ClassFigures
from .class_names import missing_in_splits
from .classes import MAX_CLASSES
from .folded import FoldedSection
from .section import Page

# So many classes are named as the rarest.
_RAREST = 5


class Balance(FoldedSection):
    """Bars of the classes' shares of images, objects and pixels, the rarest first."""

    name = "balance"
    title = "Are the classes balanced"

    def read_opened(self, shown: Shown) -> Found:
        """Returns the shares of the rarest classes, and what splits lack."""
        evaluation = shown.evaluations[0]
        table = evaluation.per_class(shown.samples)
        images = evaluation.summary(shown.samples)["images"]
        missing: dict[str, list[str]] = {}
        if table.empty:
            return {"key": evaluation.key, "figures": None, "missing": missing}
        kinds = {"images": images}
        by = ["visible_px"]
        if "objects" in table:
            kinds["objects"] = int(table["objects"].sum())
            by = ["objects", "visible_px"]
        kinds["visible_px"] = int(table["visible_px"].sum())
        table = table.sort_values([*by, "class"]).reset_index(drop=True)
        everything = [str(name) for name in table["class"]]
        known = table if shown.choices.all_classes else table[:MAX_CLASSES]
        figures = ClassFigures(
            [str(name) for name in known["class"]],
            [_bars(known, kind, total) for kind, total in kinds.items()],
            "Share of all images, objects and foreground pixels",
            is_share=True,
            omitted=len(table) - len(known),
        )
        return {
            "key": evaluation.key,
            "figures": asdict(figures),
            "all": shown.choices.all_classes,
            "rarest": [
                [name, _numbers(row)]
                for name, row in zip(
                    everything, table.to_dict("records")[:_RAREST], strict=False
                )
            ],
            "missing": missing_in_splits(
                evaluation.per_class(shown.samples, by_split=True)
            ),
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the rarest classes, those that splits lack, and the bars."""
        content = page.content
        if found["figures"] is None:
            content.md("No class has a pixel.", name="balance_none")
            return
        if len(found["rarest"]) > 1:
            said = "; ".join(f"{name}: {numbers}" for name, numbers in found["rarest"])
            content.md(plain(f"The rarest: {said}"), name="balance_rarest")
        for index, (split, lacks) in enumerate(found["missing"].items()):
            text = f"Not in split {split}: {names(lacks)}"
            content.md(plain(text), name=f"balance_lacks_{index}")
            row = content.grid(f"balance_missing_{index}", orientation="2d", gap=1)
            elements.button(
                row,
                "missing",
                f"Images with {'it' if len(lacks) == 1 else 'them'}",
                page.panel.click,
                self.params(split=split),
            )
        if found["figures"]["omitted"] or found["all"]:
            row = content.grid("balance_all", orientation="2d", gap=1)
            number = len(found["figures"]["names"]) + found["figures"]["omitted"]
            label = f"Show all {count(number, 'class')}"
            if found["all"]:
                label = f"Show the {MAX_CLASSES} rarest"
            elements.button(row, "classes", label, page.panel.show_all_classes)
        figures = ClassFigures.from_dict(found["figures"])
        element = self.element("bars")
        place = page.place_in(self, element)
        elements.chart(
            content,
            element,
            class_chart.class_traces(figures, (place[0], place[1]) if place else None),
            class_chart.class_layout(figures),
            class_chart.class_height(figures),
            page.panel.click,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the images of a class, or of the classes that a split lacks."""
        evaluation = shown.evaluation(found["key"])
        if "split" in click.params:
            split = click.params["split"]
            lacks = found["missing"][split]
            view = evaluation.classes_view(lacks, shown.measured)
            return Part(
                view, f"images with classes that {split} lacks", ["split", split]
            )
        trace, index = click.params["trace_idx"], click.params["idx"]
        name = found["figures"]["names"][index]
        view = evaluation.class_view(name, shown.measured)
        return Part(view, f"images with {name}", [self.element("bars"), trace, index])


def _bars(table: pd.DataFrame, kind: str, total: int) -> ClassBars:
    label = {"visible_px": "pixels"}.get(kind, kind)
    values, texts = [], []
    for row in table.to_dict("records"):
        part = row[kind] / total if total else 0.0
        values.append(float(part))
        name = class_chart.escaped(str(row["class"]))
        texts.append(f"{name}<br>{share(part)} of all {label}<br>{row[kind]:,} {label}")
    return ClassBars(label, values, texts)


def _numbers(row: dict[Any, Any]) -> str:
    said = [count(int(row["images"]), "image")]
    if "objects" in row:
        said.insert(0, count(int(row["objects"]), "object"))
    return " in ".join(said)
