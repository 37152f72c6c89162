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

    def on_load(self, ctx: Any) -> None:
        """Shows the evaluation of a reloaded panel, or the first one."""
        self._refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        """Starts afresh on another dataset."""
        ctx.panel.state.eval_key = None
        ctx.panel.state.selected = None
        self._refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        """Follows the grid; what was clicked on here changes nothing."""
        if ctx.dataset is None:
            return
        if ctx.panel.state.selected and not selection.is_selected(ctx):
            self._mark(ctx, None)
        found = ctx.panel.state.found
        if not found or found["signature"] != selection.signature(ctx):
            self._refresh(ctx)

    def on_change_group_slice(self, ctx: Any) -> None:
        """Follows the grid."""
        self.on_change_view(ctx)

    def choose_evaluation(self, ctx: Any) -> None:
        """Shows another evaluation."""
        self._choose(ctx, "eval_key")

    def choose_counted(self, ctx: Any) -> None:
        """Shows the distribution of the objects' areas, or of the images'."""
        self._choose(ctx, "counted")

    def reload(self, ctx: Any) -> None:
        """Shows the evaluation as it is now."""
        self._refresh(ctx)

    def show_evaluation(self, ctx: Any) -> None:
        """Shows an evaluation that an operator has just made."""
        ctx.panel.state.eval_key = ctx.params["eval_key"]
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
        state.keys = keys
        if not keys:
            state.eval_key = None
            state.has_masks = ctx.dataset is not None and layout.has_masks(ctx.dataset)
            return
        if state.eval_key not in keys:
            state.eval_key = keys[0]
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
        if not has_objects:
            state.counted = layout.IMAGES
        elif state.counted is None:
            state.counted = layout.OBJECTS
        histogram = histogram_of(
            evaluation, samples, of_labels=state.counted == layout.OBJECTS
        )
        state.found = {
            "signature": selection.signature(ctx),
            "kind": evaluation.kind,
            "cards": cards(evaluation.kind, summary),
            "findings": [asdict(finding) for finding in findings(summary)],
            "has_objects": has_objects,
            "counted": state.counted,
            "histogram": histogram.to_dict(),
            "classes": asdict(class_figures(evaluation, samples)),
            "splits": split_rows(evaluation, samples),
        }
        if not selection.is_selected(ctx):
            state.selected = None
        layout.draw(ctx)

    def _choose(self, ctx: Any, name: str) -> None:
        """Shows something else; the App also calls this when it draws a choice."""
        state = ctx.panel.state
        known = state.eval_key if name == "eval_key" else state.found["counted"]
        if ctx.params["value"] in (None, known):
            return
        state.set(name, ctx.params["value"])
        self._unselect(ctx)
        self._refresh(ctx)

    def _select(self, ctx: Any, part: Any, selected: dict[str, Any]) -> None:
        self._mark(ctx, selected)
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
