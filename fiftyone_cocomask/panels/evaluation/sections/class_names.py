"""The section of classes whose names, numbers or splits look like a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fiftyone import ViewField as F

from ....fiftyone_types import SampleCollection
from ....operators.forms import names
from ....operators.markdown import plain
from ....words import count
from ... import elements
from ...text import shortened, told_apart
from ..shown import Click, Found, Part, Shown
from .section import Page, Section

if TYPE_CHECKING:
    import pandas as pd

    from ....datasets.evaluations import MaskEvaluation

# More groups of nearly the same names are not listed.
_MAX_GROUPS = 6


class ClassNames(Section):
    """Nearly the same names, with an offer to merge them; singletons; missing ones."""

    name = "class_names"

    def read(self, shown: Shown) -> Found:
        """Returns what there is to say of the classes of the first evaluation."""
        from ....coco.class_findings import similar_names

        evaluation = shown.evaluations[0]
        objects = _objects(evaluation, shown.samples)
        similar = [
            sorted(group, key=lambda name: (-objects[name], name))
            for group in similar_names(sorted(objects))
        ]
        return {
            "label_field": evaluation.label_field,
            "objects": {name: objects[name] for group in similar for name in group},
            "similar": similar[:_MAX_GROUPS],
            "single": sorted(name for name, number in objects.items() if number == 1),
            "missing": _missing(evaluation, shown.samples) if objects else {},
        }

    def add(self, page: Page, found: Found) -> None:
        """Adds a line for each finding, if there are any."""
        if not any(found[kind] for kind in ("similar", "single", "missing")):
            return
        content = page.content
        elements.heading(content, "class_names", "Classes to look at")
        for index, group in enumerate(found["similar"]):
            first, *others = group
            said = ", ".join(f"{n} ({found['objects'][n]:,})" for n in group)
            content.md(f"Nearly the same: {plain(said)}", name=f"similar_{index}")
            row = content.grid(f"merge_{index}", orientation="2d", gap=1)
            answers = {"into": first, "classes": others}
            if found["label_field"] is not None:
                answers["label_field"] = found["label_field"]
            elements.button(
                row,
                "merge",
                f"Merge into {shortened(first)}",
                page.panel.open_form,
                {"operator": "merge_classes", "answers": answers},
            )
        if found["single"]:
            row = content.grid("single_classes", orientation="2d", gap=1)
            label = f"{count(len(found['single']), 'class')} of a single object"
            elements.button(
                row,
                "single",
                label,
                page.panel.click,
                self.params(kind="single"),
                title=names(found["single"]),
            )
        for split, missing in found["missing"].items():
            text = f"Not in split {split}: {names(missing)}"
            content.md(plain(text), name=f"missing_{split}")

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the images with the classes of a single object."""
        # Not as they are: MongoDB takes "$cat" for a field.
        labels = F("label").is_in([F.literal(name) for name in found["single"]])
        view = shown.measured.filter_labels(found["label_field"], labels)
        return Part(view, "classes of a single object", ["single"])


def _objects(evaluation: MaskEvaluation, samples: SampleCollection) -> dict[str, int]:
    """Returns how many objects each class has, nothing where they are not counted."""
    table = evaluation.per_class(samples)
    if "objects" not in table or evaluation.label_field is None:
        return {}
    rows = zip(table["class"], table["objects"], strict=True)
    return {str(name): int(number) for name, number in rows if number}


def _missing(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> dict[str, list[str]]:
    """Returns :func:`missing_in_splits`, with names that are shortened.

    No two of all classes look the same then.
    """
    table = evaluation.per_class(samples, by_split=True)
    names_ = sorted(set(table["class"].astype(str)))
    short = dict(zip(names_, told_apart(names_), strict=True))
    missing = missing_in_splits(table)
    return {split: [short[name] for name in lacks] for split, lacks in missing.items()}


def missing_in_splits(table: pd.DataFrame) -> dict[str, list[str]]:
    """Returns the classes that each split lacks, where there are several splits.

    Args:
        table: the figures of each class in each split
    """
    if table.empty:
        return {}
    table = table[table["objects" if "objects" in table else "visible_px"] > 0]
    everything = set(table["class"].astype(str))
    splits = {str(s): set(t["class"].astype(str)) for s, t in table.groupby("split")}
    if len(splits) < 2:
        return {}
    missing = {split: sorted(everything - own) for split, own in splits.items()}
    return {split: classes for split, classes in missing.items() if classes}
