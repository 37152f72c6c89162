"""The panel beside the grid that shows an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..errors import CocoMaskError
from . import layout, selection

if TYPE_CHECKING:
    from ..datasets.evaluations import MaskEvaluation

_PLUGIN = "@cocomask/cocomask"


class MaskEvaluationPanel(foo.Panel):
    """Shows the distribution of mask area or coverage, and leads to the samples.

    What a person chose is in the panel's state: ``eval_key``, ``counted`` and
    ``selected``. ``found`` is what the layout is made of, ``keys`` and ``problem`` are
    what there is to choose and why nothing can be shown. The charts' bars are in the
    panel's data, which shares its names with the state.
    """

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="mask_evaluation",
            label="Mask evaluation",
            icon="/assets/evaluate.svg",
            surfaces="grid",
            help_markdown=(
                "Mask area and coverage of the samples in the grid. Click on a bar, a "
                "class, a split or a finding to see its samples."
            ),
        )

    def execute(self, ctx: Any) -> Any:
        """Leaves the panel alone on events that change nothing.

        The App sends several for one change, some with the state of before it: drawn
        again, that could come after the news.
        """
        method = ctx.params.get("__method__")
        if method in _NEEDS and not _NEEDS[method](ctx):
            return None
        return super().execute(ctx)

    def on_load(self, ctx: Any) -> None:
        """Shows the evaluation of a reloaded panel, or the first one."""
        self._refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        """Starts afresh on another dataset."""
        ctx.panel.state.set({"eval_key": None, "selected": None, "keys": None})
        self._refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        """Follows the grid, and evaluations that operators make meanwhile.

        An operator reloads the dataset, which the App tells as a change of the view.
        What was clicked on here changes nothing.
        """
        if _is_unselected(ctx):
            self._mark(ctx, None)
        if _is_out_of_date(ctx):
            self._refresh(ctx)

    def on_change_group_slice(self, ctx: Any) -> None:
        """Follows the grid."""
        self.on_change_view(ctx)

    def choose_evaluation(self, ctx: Any) -> None:
        """Shows another evaluation."""
        ctx.panel.state.eval_key = ctx.params["value"]
        self._unselect(ctx)
        self._refresh(ctx)

    def choose_counted(self, ctx: Any) -> None:
        """Shows the distribution of the objects' areas, or of the images'."""
        ctx.panel.state.counted = ctx.params["value"]
        self._unselect(ctx)
        self._refresh(ctx)

    def reload(self, ctx: Any) -> None:
        """Shows the evaluation as it is now."""
        self._refresh(ctx)

    def click_bar(self, ctx: Any) -> None:
        """Shows the samples of a bar of the histogram."""
        from ..datasets.evaluations import Histogram
        from .figures import bar_range

        evaluation = self._evaluation(ctx)
        histogram = Histogram.from_dict(ctx.panel.state.found["histogram"])
        bar = ctx.params["idx"]
        part = evaluation.bar_view(histogram, bar, ctx.dataset.view())
        text = bar_range(histogram, bar, evaluation.kind)
        self._select(ctx, part, {"chart": "distribution", "index": bar, "text": text})

    def click_class(self, ctx: Any) -> None:
        """Shows the samples of a class."""
        index = ctx.params["idx"]
        name = ctx.panel.state.found["classes"]["names"][index]
        part = self._evaluation(ctx).class_view(name, ctx.dataset.view())
        text = f"images with {name}"
        self._select(ctx, part, {"chart": "classes", "index": index, "text": text})

    def click_split(self, ctx: Any) -> None:
        """Shows the samples of a split."""
        from .figures import split_view

        split = ctx.panel.state.found["splits"][ctx.params["row"]]["split"]
        part = split_view(ctx.dataset.view(), split)
        self._select(ctx, part, {"chart": "splits", "text": f"split {split}"})

    def click_finding(self, ctx: Any) -> None:
        """Shows the samples of a finding."""
        from .figures import finding_view

        name = ctx.params["finding"]
        part = finding_view(self._evaluation(ctx), name, ctx.dataset.view())
        text = ctx.params["text"]
        self._select(ctx, part, {"chart": "findings", "name": name, "text": text})

    def show_all(self, ctx: Any) -> None:
        """Shows all samples again."""
        self._unselect(ctx)

    def render(self, ctx: Any) -> types.Property:
        """Returns the layout of what the state holds."""
        return layout.render(self, ctx)

    def evaluate_area(self, ctx: Any) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{_PLUGIN}/evaluate_mask_area")

    def evaluate_coverage(self, ctx: Any) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{_PLUGIN}/evaluate_mask_coverage")

    def compute_masks(self, ctx: Any) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{_PLUGIN}/compute_masks")

    def import_export(self, ctx: Any) -> None:
        """Opens the form of the operator."""
        ctx.prompt(f"{_PLUGIN}/import_roboflow_coco")

    def _evaluation(self, ctx: Any) -> MaskEvaluation:
        from ..datasets.evaluations import load_mask_evaluation

        return load_mask_evaluation(ctx.dataset, ctx.panel.state.eval_key)

    def _refresh(self, ctx: Any) -> None:
        """Reads everything anew."""
        from ..datasets.evaluations import list_mask_evaluations

        state = ctx.panel.state
        state.problem = None
        keys = list_mask_evaluations(ctx.dataset) if ctx.dataset is not None else []
        added = [key for key in keys if key not in (state.keys or keys)]
        state.keys = keys
        if not keys:
            state.eval_key = None
            state.has_masks = ctx.dataset is not None and layout.has_masks(ctx.dataset)
            return
        if added or state.eval_key not in keys:
            state.eval_key = added[-1] if added else keys[0]
        try:
            self._read(ctx, self._evaluation(ctx))
        except CocoMaskError as error:
            state.problem = str(error)

    def _read(self, ctx: Any, evaluation: MaskEvaluation) -> None:
        from dataclasses import asdict

        from .figures import (
            cards,
            class_figures,
            findings,
            histogram_of,
            split_rows,
        )

        state = ctx.panel.state
        samples = selection.evaluated_view(ctx)
        summary = evaluation.summary(samples)
        has_objects = evaluation.label_value_path is not None
        if state.counted is None:
            state.counted = layout.OBJECTS
        # What a person chose stays chosen while there are no objects to count.
        counted = state.counted if has_objects else layout.IMAGES
        histogram = histogram_of(
            evaluation, samples, of_labels=counted == layout.OBJECTS
        )
        state.found = {
            "signature": selection.signature(ctx),
            "kind": evaluation.kind,
            "cards": cards(evaluation.kind, summary),
            "findings": [asdict(finding) for finding in findings(summary)],
            "has_objects": has_objects,
            "counted": counted,
            "histogram": histogram.to_dict(),
            "classes": asdict(class_figures(evaluation, samples)),
            "splits": split_rows(evaluation, samples),
        }
        if not selection.is_selected(ctx):
            state.selected = None
        layout.draw(ctx)

    def _select(self, ctx: Any, part: Any, selected: dict[str, Any]) -> None:
        self._mark(ctx, {**selected, "before": selection.stages(ctx)})
        selection.select(ctx, part)

    def _unselect(self, ctx: Any) -> None:
        self._mark(ctx, None)
        if selection.is_selected(ctx):
            selection.unselect(ctx)

    def _mark(self, ctx: Any, selected: dict[str, Any] | None) -> None:
        """Colours the bar that was clicked on."""
        ctx.panel.state.selected = selected
        if ctx.panel.state.found:
            layout.draw(ctx)


def _is_out_of_date(ctx: Any) -> bool:
    found = ctx.panel.state.found
    if ctx.dataset is None:
        return False
    return not found or found["signature"] != selection.signature(ctx)


def _is_unselected(ctx: Any) -> bool:
    """Whether the App no longer shows what was clicked on.

    Until the click has come through, it still shows what it showed before.
    """
    selected = ctx.panel.state.selected
    if not selected or selection.is_selected(ctx):
        return False
    return selected["before"] != selection.stages(ctx)


def _is_view_news(ctx: Any) -> bool:
    return _is_out_of_date(ctx) or _is_unselected(ctx)


def _is_other_evaluation(ctx: Any) -> bool:
    return ctx.params["value"] not in (None, ctx.panel.state.eval_key)


def _is_other_counted(ctx: Any) -> bool:
    found = ctx.panel.state.found
    has_choice = found and found["has_objects"]
    return bool(has_choice) and ctx.params["value"] not in (None, found["counted"])


# What an event must bring for the panel to be drawn again.
_NEEDS = {
    "on_change_view": _is_view_news,
    "on_change_group_slice": _is_view_news,
    "choose_evaluation": _is_other_evaluation,
    "choose_counted": _is_other_counted,
}
