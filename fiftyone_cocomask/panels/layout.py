"""How the panel looks: header, cards, findings, charts, table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators.types as types

from . import charts

if TYPE_CHECKING:
    from .mask_evaluation import MaskEvaluationPanel

OBJECTS = "Objects"
IMAGES = "Images"

# With a unit: a number alone would be a percentage.
_HISTOGRAM_HEIGHT = "250px"
_ROW_HEIGHT = 26
_CARD = {
    "border": "1px solid var(--fo-palette-divider)",
    "borderRadius": "6px",
    "padding": "8px 12px",
    "height": "100%",
    "boxSizing": "border-box",
    "background": "var(--fo-palette-background-level2)",
}
# As many columns as fit, all of one width.
_CARDS = {
    "display": "grid",
    "gridTemplateColumns": "repeat(auto-fill, minmax(128px, 1fr))",
    "alignItems": "stretch",
}
# A column that is never wider than the panel, so that nothing but tables scrolls.
_COLUMN = {"gridTemplateColumns": "minmax(0, 1fr)", "padding": "12px 16px 32px"}
_NATURAL_WIDTH = {"item": {"sx": {"width": "auto"}}}


def has_masks(dataset: fo.Dataset) -> bool:
    """Whether a dataset has a field of masks."""
    return any(
        getattr(field, "document_type", None) is fo.Segmentation
        for field in dataset.get_field_schema().values()
    )


def draw(ctx: Any) -> None:
    """Puts the bars of the charts into the panel's data."""
    from ..datasets.evaluations import Histogram

    state = ctx.panel.state
    selected = state.selected or {}
    index = selected.get("index")
    histogram = Histogram.from_dict(state.found["histogram"])
    noun = state.found["counted"].lower()
    bar = index if selected.get("chart") == "distribution" else None
    ctx.panel.data.set(
        chart_name(state.found), [charts.histogram_trace(histogram, bar, noun)]
    )
    classes = state.found["classes"]
    bar = index if selected.get("chart") == "classes" else None
    ctx.panel.data.set(
        "by_class",
        [
            charts.class_trace(
                classes["names"], classes["values"], classes["texts"], bar
            )
        ],
    )


def chart_name(found: dict[str, Any]) -> str:
    """Returns the name of the histogram: each has axes of its own.

    A chart that goes on under the same name keeps the range of its axes.
    """
    return f"distribution_of_{found['kind']}_of_{found['counted'].lower()}"


def render(panel: MaskEvaluationPanel, ctx: Any) -> types.Property:
    """Returns the layout of what the panel's state holds."""
    state = ctx.panel.state
    content = types.Object()
    if not state.keys:
        _add_empty_state(panel, ctx, content)
    else:
        _add_header(panel, ctx, content)
        if state.problem:
            content.view("problem", types.Error(label=state.problem))
        elif state.found:
            _add_figures(panel, state.found, content)
    view = types.GridView(
        orientation="vertical",
        align_x="stretch",
        align_y="start",
        gap=2,
        componentsProps={"grid": {"sx": _COLUMN}},
    )
    return types.Property(content, view=view)


def _add_empty_state(
    panel: MaskEvaluationPanel, ctx: Any, content: types.Object
) -> None:
    if ctx.dataset is None or not len(ctx.dataset):
        text = "## No samples yet\n\nImport a COCO export to begin."
        steps = [("import", "Import a Roboflow COCO export", panel.import_export)]
    elif not ctx.panel.state.has_masks:
        text = "## No masks yet\n\nDraw the objects of this dataset into masks first."
        steps = [("masks", "Compute masks", panel.compute_masks)]
    else:
        text = (
            "## No mask evaluation yet\n\nMeasure the area of the masks, or the share "
            "of each image that they cover."
        )
        steps = [
            ("area", "Evaluate mask area", panel.evaluate_area),
            ("coverage", "Evaluate mask coverage", panel.evaluate_coverage),
        ]
    content.md(text, name="empty")
    row = content.h_stack("steps", gap=2, align_x="left")
    for name, label, on_click in steps:
        row.btn(name, label=label, on_click=on_click, variant="contained")
    row.btn("reload", label="Reload", on_click=panel.reload, variant="outlined")


def _add_header(panel: MaskEvaluationPanel, ctx: Any, content: types.Object) -> None:
    state = ctx.panel.state
    header = content.grid("header", orientation="2d", gap=1, align_y="center")
    options = types.DropdownView(compact=True, componentsProps=_NATURAL_WIDTH)
    for key in state.keys:
        options.add_choice(key, label=key)
    header.enum(
        "eval_key",
        options.values(),
        default=state.eval_key,
        view=options,
        on_change=panel.choose_evaluation,
    )
    for name, label, on_click in (
        ("reload", "Reload", panel.reload),
        ("area", "Evaluate area", panel.evaluate_area),
        ("coverage", "Evaluate coverage", panel.evaluate_coverage),
    ):
        header.btn(
            name,
            label=label,
            on_click=on_click,
            variant="outlined",
            componentsProps=_NATURAL_WIDTH,
        )
    if state.selected:
        shown = content.h_stack("shown", gap=2, align_y="center", align_x="left")
        shown.view(
            "text", types.Notice(label=f"The grid shows {state.selected['text']}")
        )
        shown.btn("all", label="Show all", on_click=panel.show_all, variant="contained")


def _add_figures(
    panel: MaskEvaluationPanel, found: dict[str, Any], content: types.Object
) -> None:
    cards = content.grid(
        "totals", orientation="2d", gap=1, componentsProps={"grid": {"sx": _CARDS}}
    )
    for index, (number, what) in enumerate(found["cards"]):
        cards.view(
            f"card{index}",
            types.HeaderView(
                label=f"**{number}**",
                description=what,
                variant="primary",
                componentsProps={"container": {"sx": _CARD}},
            ),
        )
    if found["findings"]:
        row = content.grid("look_at", orientation="2d", gap=1)
        for finding in found["findings"]:
            label = f"{finding['label']}: {finding['number']:,}"
            row.btn(
                finding["name"],
                label=label,
                on_click=panel.click_finding,
                params={"finding": finding["name"], "text": finding["label"].lower()},
                variant="outlined",
                componentsProps=_NATURAL_WIDTH,
            )
    _add_distribution(panel, found, content)
    _add_classes(panel, found, content)
    _add_splits(panel, found, content)


def _add_distribution(
    panel: MaskEvaluationPanel, found: dict[str, Any], content: types.Object
) -> None:
    from ..datasets.evaluations import Histogram

    histogram = Histogram.from_dict(found["histogram"])
    _add_heading(content, "distribution_heading", "Distribution")
    if found["has_objects"]:
        tabs = types.TabsView(value=found["counted"])
        tabs.add_choice(OBJECTS, label=OBJECTS)
        tabs.add_choice(IMAGES, label=IMAGES)
        content.enum(
            "counted",
            tabs.values(),
            default=found["counted"],
            view=tabs,
            on_change=panel.choose_counted,
        )
    noun = found["counted"].lower()
    title = "Mask area (px)" if found["kind"] == "area" else "Coverage of the image"
    if not histogram.counts:
        content.md(f"No {noun} here have a number.", name="no_distribution")
        return
    content.plot(
        chart_name(found),
        height=_HISTOGRAM_HEIGHT,
        layout=charts.histogram_layout(histogram, title, noun),
        config=charts.CONFIG,
        on_click=panel.click_bar,
    )


def _add_classes(
    panel: MaskEvaluationPanel, found: dict[str, Any], content: types.Object
) -> None:
    classes = found["classes"]
    if not classes["names"]:
        return
    omitted = classes["omitted"]
    _add_heading(
        content,
        "classes_heading",
        "Coverage by class" if classes["is_share"] else "Area by class",
        f"{omitted:,} more classes are not shown" if omitted else None,
    )
    content.plot(
        "by_class",
        height=f"{70 + _ROW_HEIGHT * len(classes['names'])}px",
        layout=charts.class_layout(
            classes["names"], classes["title"], is_share=classes["is_share"]
        ),
        config=charts.CONFIG,
        on_click=panel.click_class,
    )


def _add_splits(
    panel: MaskEvaluationPanel, found: dict[str, Any], content: types.Object
) -> None:
    rows = found["splits"]
    if not rows:
        return
    _add_heading(content, "splits_heading", "By split")
    table = types.TableView(on_click_row=panel.click_split)
    for key in rows[0]:
        table.add_column(key, label=key.capitalize())
    content.list("by_split", types.Object(), default=rows, view=table)


def _add_heading(
    content: types.Object, name: str, label: str, description: str | None = None
) -> None:
    content.view(name, types.HeaderView(label=f"**{label}**", description=description))
