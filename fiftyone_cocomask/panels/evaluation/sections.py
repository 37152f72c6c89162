"""The sections of the panel: cards, charts, tables, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators.types as types

from .. import elements
from . import area_map, charts, figures, parts

if TYPE_CHECKING:
    from .panel import MaskEvaluationPanel

Found = dict[str, Any]
_HISTOGRAM_HEIGHT = 250
_TITLES = {
    "area": ("Mask area", "Mask area (px)"),
    "coverage": ("Coverage", "Share of the image that the mask covers"),
    "overlap": ("Overlap", "Share of the foreground under two or more objects"),
}


def add_all(
    panel: MaskEvaluationPanel, found: Found, selected: Found, content: types.Object
) -> None:
    """Adds everything that was found.

    Args:
        panel: the panel, whose methods are the handlers
        found: what was read of the evaluations
        selected: what a person clicked on, empty if nothing
        content: where it is added
    """
    _add_cards(panel, found, selected, content)
    _add_issues(panel, found, selected, content)
    for chart in found["histograms"]:
        _add_histogram(panel, chart, selected, content)
    for chart in found["classes"]:
        _add_classes(panel, chart, selected, content)
    for chart in found["annotated"]:
        _add_area_map(panel, found, chart, selected, content)
    _add_worst(panel, found, selected, content)
    _add_splits(panel, found, selected, content)
    _add_downloads(panel, found, content)


def histogram_name(chart: Found) -> str:
    """Returns the name of a histogram: each has axes of its own."""
    return f"{chart['name']}_{'_and_'.join(chart['keys'])}"


def class_name(chart: Found) -> str:
    """Returns the name of a chart of classes."""
    return f"classes_by_{chart['kind']}_{'_and_'.join(chart['keys'])}"


def area_map_name(chart: Found) -> str:
    """Returns the name of a map of areas."""
    return f"areas_{chart['key']}"


def _add_cards(
    panel: MaskEvaluationPanel, found: Found, selected: Found, content: types.Object
) -> None:
    keys, groups = found["keys"], found["cards"]
    if len(groups) == 1:
        _add_card_group(panel, keys[0], groups[0], selected, content)
    elif found["kinds"][0] == found["kinds"][1]:
        others = {card["name"]: card["number"] for card in groups[1]}
        elements.heading(content, "cards", " / ".join(keys))
        _add_card_group(panel, keys[0], groups[0], selected, content, others)
    else:
        for key, group in zip(keys, groups, strict=True):
            elements.heading(content, f"cards_{key}", key)
            _add_card_group(panel, key, group, selected, content)


def _add_card_group(
    panel: MaskEvaluationPanel,
    key: str,
    group: list[Found],
    selected: Found,
    content: types.Object,
    others: dict[str, str] | None = None,
) -> None:
    grid = elements.cards(content, f"cards_of_{key}")
    for card in group:
        name, number, what = card["name"], card["number"], card["what"]
        if others is not None:
            number += f" / {others.get(name, '–')}"
        if not card["leads"]:
            elements.card(grid, name, number, what)
            continue
        mark = {"chart": "cards", "index": [key, name]}
        elements.card_button(
            grid,
            name,
            number,
            what,
            panel.click_card,
            {"key": key, "card": name},
            is_selected=_is_selected(selected, mark),
        )


def _add_issues(
    panel: MaskEvaluationPanel, found: Found, selected: Found, content: types.Object
) -> None:
    if not found["issues"]:
        row = content.grid("find_issues", orientation="2d", gap=1)
        title = "Tag masks that look wrong: tiny, hidden, cut off, out of line and more"
        elements.button(
            row,
            "find",
            "Find mask issues",
            panel.open_form,
            {"operator": "find_mask_issues"},
            title=title,
        )
    for search in found["issues"]:
        key, counts = search["key"], search["counts"]
        if not counts:
            continue
        total = sum(counts.values())
        elements.heading(content, f"issues_{key}", f"{total:,} issues found by {key}")
        grid = elements.cards(content, f"issues_of_{key}")
        for issue, count in counts.items():
            mark = {"chart": "issues", "index": [key, issue]}
            elements.card_button(
                grid,
                issue,
                f"{count:,}",
                parts.issue_name(issue),
                panel.click_issue,
                {"key": key, "issue": issue},
                is_selected=_is_selected(selected, mark),
            )


def _add_histogram(
    panel: MaskEvaluationPanel, chart: Found, selected: Found, content: types.Object
) -> None:
    from ...datasets.evaluations import Histogram

    name, noun = histogram_name(chart), chart["noun"]
    title, axis = _TITLES[chart["kind"]]
    is_share = chart["kind"] != "area"
    elements.heading(content, name, f"{title} of {noun}")
    histograms = [Histogram.from_dict(found) for found in chart["histograms"]]
    if not any(histogram.counts for histogram in histograms):
        content.md(f"No {noun} here have a number.", name=f"{name}_none")
        return
    labels = [figures.bar_labels(h, is_share=is_share) for h in histograms]
    elements.chart(
        content,
        name,
        charts.histogram_traces(
            histograms, chart["keys"], labels, noun, _selected_bar(selected, name)
        ),
        charts.histogram_layout(histograms, axis, noun, is_share=is_share),
        _HISTOGRAM_HEIGHT,
        panel.click_bar,
    )


def _add_classes(
    panel: MaskEvaluationPanel, chart: Found, selected: Found, content: types.Object
) -> None:
    if not chart["names"]:
        return
    bars = [figures.ClassBars(**bar) for bar in chart["bars"]]
    shown = figures.ClassFigures(
        chart["names"], bars, chart["title"], chart["is_share"], chart["omitted"]
    )
    name = class_name(chart)
    label = "Coverage by class" if shown.is_share else "Area by class"
    if len(chart["keys"]) == 1 and len(bars) > 1:
        label += " and split"
    omitted = f"{shown.omitted:,} more classes are not shown" if shown.omitted else None
    elements.heading(content, name, label, omitted)
    elements.chart(
        content,
        name,
        charts.class_traces(shown, _selected_bar(selected, name)),
        charts.class_layout(shown),
        charts.class_height(shown),
        panel.click_class,
    )


def _add_area_map(
    panel: MaskEvaluationPanel,
    found: Found,
    chart: Found,
    selected: Found,
    content: types.Object,
) -> None:
    from ...datasets.evaluations.stated_area_bins import AnnotatedBins

    name, key = area_map_name(chart), chart["key"]
    title = "Stated area against mask area"
    if len(found["annotated"]) > 1:
        title += f", {key}"
    elements.heading(content, name, title, chart["text"])
    number = chart["in_other_bucket"]
    if number:
        row = content.grid(f"{name}_links", orientation="2d", gap=1)
        label = f"In another size bucket: {number:,}"
        elements.button(row, "other", label, panel.click_other_bucket, {"key": key})
    bins = AnnotatedBins.from_dict(chart["bins"])
    index = selected.get("index") if selected.get("chart") == name else None
    cell = (index[0], index[1]) if index else None
    elements.chart(
        content,
        name,
        [area_map.area_map_trace(bins)],
        area_map.area_map_layout(bins, cell),
        area_map.HEIGHT,
        panel.click_area_map,
    )


def _add_worst(
    panel: MaskEvaluationPanel, found: Found, selected: Found, content: types.Object
) -> None:
    worst = found["worst"]
    elements.heading(content, "worst", "Samples to look at")
    row = content.grid("worst_choice", orientation="2d", gap=1, align_y="center")
    elements.dropdown(
        row,
        "worst_by",
        worst["choices"],
        worst["by"],
        panel.choose_worst,
        "What the samples are sorted by",
    )
    if not worst["rows"]:
        content.md("There are none.", name="no_worst")
        return
    elements.button(row, "ranked", "Show all in this order", panel.click_ranked)
    is_row = selected.get("chart") == "worst"
    elements.table(
        content,
        "worst",
        worst["rows"],
        panel.click_worst,
        text_columns=2,
        selected=selected["index"] if is_row else None,
    )


def _add_splits(
    panel: MaskEvaluationPanel, found: Found, selected: Found, content: types.Object
) -> None:
    for table in found["splits"]:
        if not table["rows"]:
            continue
        name = f"splits_{table['key']}"
        several = len(found["splits"]) > 1
        of = f", {table['key']}" if several else ""
        elements.heading(content, name, f"By split{of}")
        is_row = selected.get("chart") == name
        elements.table(
            content,
            name,
            table["rows"],
            panel.click_split,
            selected=selected["index"] if is_row else None,
        )


def _add_downloads(
    panel: MaskEvaluationPanel, found: Found, content: types.Object
) -> None:
    elements.heading(
        content, "downloads", "Download as CSV", "Of the samples that the grid shows"
    )
    for key, has_objects in zip(found["keys"], found["with_objects"], strict=True):
        row = content.grid(f"downloads_of_{key}", orientation="2d", gap=1)
        several = len(found["keys"]) > 1
        for table in ("samples", "classes", "splits", "objects"):
            if table == "objects" and not has_objects:
                continue
            label = table.capitalize() + (f" of {key}" if several else "")
            params = {"key": key, "table": table}
            elements.button(row, table, label, panel.download, params)


def _selected_bar(selected: Found, name: str) -> tuple[int, int] | None:
    if selected.get("chart") != name:
        return None
    trace, bar = selected["index"]
    return trace, bar


def _is_selected(selected: Found, mark: Found) -> bool:
    return all(selected.get(name) == value for name, value in mark.items())
