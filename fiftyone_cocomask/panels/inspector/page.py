"""How the mask inspector looks: header, cards, pictures, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators.types as types

from ...operators.markdown import plain
from ...words import count
from ..elements import NATURAL_WIDTH, card, cards, column
from ..text import share
from .tables import (
    add_classes,
    add_hidden,
    add_issues,
    add_objects,
)

if TYPE_CHECKING:
    from ...datasets.inspection.result import SampleInspection
    from .panel import MaskInspectorPanel

_MAX_LEGEND = 24

# One, two or four columns, by the width of the panel and not of the window.
_PICTURES = {
    "display": "grid",
    "gridTemplateColumns": "minmax(0, 1fr)",
    "@container (min-width: 280px)": {
        "gridTemplateColumns": "repeat(2, minmax(0, 1fr))"
    },
    "@container (min-width: 760px)": {
        "gridTemplateColumns": "repeat(4, minmax(0, 1fr))"
    },
}
_PICTURE = {
    "display": "block",
    "width": "100%",
    "maxHeight": "440px",
    "objectFit": "contain",
    "borderRadius": "6px",
    "border": "1px solid var(--fo-palette-divider)",
    "boxSizing": "border-box",
    "background": "var(--fo-palette-background-level2)",
}
# What is transparent shows a pattern that is neither of the theme nor of the image.
_CHECKERBOARD = (
    "repeating-conic-gradient(#8f8f8f 0% 25%, #b4b4b4 0% 50%) 50% / 16px 16px"
)
_COLUMN = {
    # The modal's arrows lie over the sides.
    "padding": "12px clamp(12px, 4%, 48px) 32px",
    "containerType": "inline-size",
}
_CAPTION = {"fontSize": "0.8rem", "color": "text.secondary", "paddingBottom": "2px"}


def render(
    panel: MaskInspectorPanel, found: SampleInspection, mask_fields: list[str]
) -> types.Property:
    """Returns the layout of a sample."""
    content = types.Object()
    _add_header(panel, found, mask_fields, content)
    if found.state != "shown":
        _add_missing_mask(panel, found, content)
    _add_cards(found, content)
    _add_pictures(found, content)
    _add_legend(found, content)
    for index, note in enumerate(found.notes):
        content.view(f"note{index}", types.Notice(label=plain(f"{note}.")))
    add_classes(found, content)
    add_hidden(found, content)
    add_objects(found, content, panel.select_object)
    add_issues(found, content)
    return column(content, **_COLUMN)


def render_problem(panel: MaskInspectorPanel, problem: str) -> types.Property:
    """Returns the layout of what cannot be inspected."""
    content = types.Object()
    content.view("problem", types.Warning(label=plain(f"{problem}.")))
    row = content.h_stack("steps", gap=2, align_x="left")
    row.btn("reload", label="Reload", on_click=panel.reload, variant="outlined")
    return column(content, **_COLUMN)


def _add_header(
    panel: MaskInspectorPanel,
    found: SampleInspection,
    mask_fields: list[str],
    content: types.Object,
) -> None:
    header = content.grid("header", orientation="2d", gap=1, align_y="center")
    if len(mask_fields) > 1:
        fields = types.DropdownView(compact=True, componentsProps=NATURAL_WIDTH)
        for name in mask_fields:
            fields.add_choice(name, label=name)
        header.enum(
            "mask_field",
            fields.values(),
            default=found.mask_field,
            view=fields,
            on_change=panel.choose_mask_field,
        )
    header.btn(
        "reload",
        label="Reload",
        on_click=panel.reload,
        variant="outlined",
        componentsProps=NATURAL_WIDTH,
    )


def _add_missing_mask(
    panel: MaskInspectorPanel, found: SampleInspection, content: types.Object
) -> None:
    problem = found.problem or "This dataset has no masks yet"
    if not found.objects:
        hint = "It has no objects to draw one from: import or add labels first."
    elif found.state == "unreadable":
        hint = "Compute masks draws it again."
    elif found.state == "no_field":
        hint = "Compute masks draws them from the objects."
    else:
        hint = "Compute masks draws it from the sample's objects."
    text = f"{problem}. {hint}"
    content.view("missing", types.Warning(label=plain(text)))
    if found.label_field is None:
        step = ("import", "Import a Roboflow COCO export", panel.import_export)
    elif found.objects or found.state == "no_field":
        step = ("masks", "Compute masks", panel.compute_masks)
    else:
        return
    name, label, on_click = step
    row = content.h_stack("steps", gap=2, align_x="left")
    row.btn(name, label=label, on_click=on_click, variant="contained")


def _add_cards(found: SampleInspection, content: types.Object) -> None:
    numbers = []
    if found.coverage is not None:
        numbers += [
            (share(found.coverage), "coverage"),
            (f"{found.foreground_px:,}", "foreground px"),
        ]
    if found.label_field is not None:
        numbers.append(_counted(len(found.objects), "object"))
        if any(item.visible_px is not None for item in found.objects):
            numbers.append(_counted(len(found.hidden), "hidden object"))
    if found.overlap_px is not None:
        numbers.append((f"{found.overlap_px:,}", "overlap px"))
    if found.size is not None:
        numbers.append((f"{found.size[0]:,} × {found.size[1]:,}", "image px"))
    grid = cards(content, "totals")
    for index, (number, what) in enumerate(numbers):
        card(grid, f"card{index}", number, what)


def _counted(number: int, noun: str) -> tuple[str, str]:
    """Returns a number and what it counts, for a card."""
    shown, what = count(number, noun).split(" ", 1)
    return shown, what


def _add_pictures(found: SampleInspection, content: types.Object) -> None:
    pictures = found.pictures
    shown = [
        ("image", "Image", pictures.image, None),
        ("mask", "Mask", pictures.mask, None),
        ("overlay", "Overlay", pictures.overlay, None),
        ("cutout", "Cut-out", pictures.cutout, _CHECKERBOARD),
    ]
    grid = content.grid(
        "pictures", orientation="2d", gap=1, componentsProps={"grid": {"sx": _PICTURES}}
    )
    style: dict[str, Any] = dict(_PICTURE)
    if pictures.is_small:
        style["imageRendering"] = "pixelated"
    for name, label, url, background in shown:
        if url is None:
            continue
        own = {**style, "background": background} if background else style
        view = types.ImageView(
            label=label,
            alt=label,
            componentsProps={
                "image": {"style": own},
                "header": {"label": {"sx": _CAPTION}},
            },
        )
        grid.str(name, default=url, view=view)


def _add_legend(found: SampleInspection, content: types.Object) -> None:
    """Says which colour each class has, where the mask's values are classes."""
    from ...datasets.inspection.pictures import value_colour

    areas = [
        area for area in found.classes if area.value is not None and area.visible_px
    ]
    if not areas:
        return
    legend = content.grid("legend", orientation="2d", gap=2)
    for index, area in enumerate(areas[:_MAX_LEGEND]):
        dot = {
            "content": '""',
            "flex": "none",
            "width": "12px",
            "height": "12px",
            "borderRadius": "3px",
            "marginRight": "8px",
            "background": value_colour(area.value or 0),
        }
        legend.view(
            f"class{index}",
            types.HeaderView(
                label=plain(area.name),
                variant="tertiary",
                componentsProps={
                    "container": {"sx": {"&::before": dot, "justifyContent": "start"}},
                    **NATURAL_WIDTH,
                },
            ),
        )
