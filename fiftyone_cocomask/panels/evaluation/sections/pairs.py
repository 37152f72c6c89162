"""The section of objects against objects, where two fields of masks are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....operators.markdown import plain
from ... import elements
from ...text import share
from ..shown import Click, Found, Part, Shown, Work
from .folded import FoldedSection
from .ranking import short_name
from .section import Page

if TYPE_CHECKING:
    from ....datasets.comparison.results import MaskComparison

_KEY = "comparison"
_MAX_ROWS = 20
_OUTCOMES = {
    "found": "found: the same class in both",
    "confused": "confused: different classes",
    "missed": "missed: only in the ground truth",
    "extra": "extra: only predicted",
}


class Pairs(FoldedSection):
    """Counts of found, confused, missed and extra objects, and the worst pairs."""

    name = "pairs"
    title = "Objects against objects"
    doing = "Matching the objects"

    def is_for(self, shown: Shown) -> bool:
        """Whether there is a comparison of masks that were drawn from labels."""
        return bool(_keys(shown))

    def work(self, shown: Shown) -> tuple[str, Callable[[], Work]] | None:
        """Returns the pass that matches the objects."""
        comparison = _comparison(shown)
        if comparison.are_objects_kept():
            return None
        return f"objects of {comparison.key}", comparison.objects_pass

    def read_opened(self, shown: Shown) -> Found:
        """Returns the counts by class, and the worst pairs."""
        comparison = _comparison(shown)
        overview = comparison.objects_overview()
        worst = overview["worst"][:_MAX_ROWS]
        ids = [row["sample_id"] for row in worst]
        paths = dict(
            zip(*shown.dataset.select(ids).values(["id", "filepath"]), strict=True)
        )
        return {
            "key": comparison.key,
            "keys": _keys(shown),
            "fields": [comparison.pred_field, comparison.gt_field],
            "classes": overview["classes"],
            "worst": [
                {**row, "image": Path(paths.get(row["sample_id"], "–")).name}
                for row in worst
            ],
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the counts as cards, and the two tables."""
        content, key = page.content, found["key"]
        if len(found["keys"]) > 1:
            row = content.grid("pairs_choice", orientation="2d", gap=1)
            known = {each: each for each in found["keys"]}
            self.option(page, row, _KEY, known, key, "The comparison that is shown")
        pred, gt = found["fields"]
        text = (
            f"The objects of {pred} against those of {gt}, matched by the IoU of their "
            "masks, from 0.5 on, in all images that were compared."
        )
        content.md(plain(text), name="pairs_text")
        grid = elements.cards(content, "pairs_cards")
        for outcome, what in _OUTCOMES.items():
            number = sum(row[outcome] for row in found["classes"])
            if not number:
                elements.card(grid, f"pairs_{outcome}", "0", what)
                continue
            elements.card_button(
                grid,
                f"pairs_{outcome}",
                f"{number:,}",
                what,
                page.panel.click,
                self.params(outcome=outcome),
                is_selected=page.place_in(self) == [outcome],
            )
        for name, rows in (
            ("worst", [_pair(row) for row in found["worst"]]),
            ("classes", [_class(row) for row in found["classes"]]),
        ):
            if rows:
                element = self.element(name)
                place = page.place_in(self, element)
                elements.table(
                    content,
                    element,
                    rows,
                    page.panel.click,
                    text_columns=3 if name == "worst" else 1,
                    selected=place[0] if place else None,
                )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the two objects of a pair, those of an outcome, or of a class."""
        comparison = _comparison(shown, found["key"])
        fields = comparison.object_fields()
        if "outcome" in click.params:
            outcome = click.params["outcome"]
            ids = comparison.objects_overview()["labels"][outcome]
            view = shown.dataset.select_labels(ids=ids, fields=fields)
            return Part(view, f"{outcome} objects", [outcome])
        index = click.params["row"]
        if index < 0:
            return None
        place = [click.element, index]
        if click.element == self.element("classes"):
            name = found["classes"][index]["class"]
            return Part(_of_class(shown, fields, name), f"images with {name}", place)
        row = found["worst"][index]
        ids = (row["gt_label_id"], row["pred_label_id"])
        view = comparison.pair_view(row["sample_id"], *ids)
        text = f"{row['class']} and {row['pred_class']} of {short_name(row['image'])}"
        return Part(view, text, place)


def _keys(shown: Shown) -> list[str]:
    """Returns the comparisons of masks that were drawn from labels."""
    from ....datasets.comparison.overview import has_objects
    from ....datasets.evaluations import list_mask_evaluations

    found = []
    for key in list_mask_evaluations(shown.dataset, "comparison"):
        config: Any = shown.dataset.get_evaluation_info(key).config
        if has_objects(shown.dataset, config.pred_field, config.gt_field):
            found.append(key)
    return found


def _comparison(shown: Shown, key: str | None = None) -> MaskComparison:
    from ....datasets.evaluations import load_mask_evaluation

    known = {each: each for each in _keys(shown)}
    found: MaskComparison = load_mask_evaluation(
        shown.dataset, key or shown.choices.option(_KEY, known)
    )
    return found


def _of_class(shown: Shown, fields: list[str], name: str) -> Any:
    from ....datasets.label_lists import LabelList

    paths = [LabelList.of_field(shown.dataset, field).path for field in fields]
    return shown.dataset.match({"$or": [{f"{path}.label": name} for path in paths]})


def _pair(row: Any) -> dict[str, str]:
    return {
        "Worst pairs": short_name(row["image"]),
        "Class": row["class"],
        "Predicted": row["pred_class"],
        "IoU": share(row["iou"]),
        "Boundary IoU": share(row["boundary_iou"]),
    }


def _class(row: Any) -> dict[str, str]:
    return {
        "Class": row["class"],
        **{name.capitalize(): f"{row[name]:,}" for name in _OUTCOMES},
        "Mean IoU": share(row["mean_iou"]),
        "Mean boundary IoU": share(row["mean_boundary_iou"]),
    }
