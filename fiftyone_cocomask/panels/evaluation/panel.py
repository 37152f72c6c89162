"""The panel beside the grid that shows an evaluation, or compares two."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ...errors import CocoMaskError
from ..turns import Turn
from . import page as layout
from . import parts, sections, selection
from .next_steps import next_steps
from .reading import OBJECTS

if TYPE_CHECKING:
    from ...datasets.evaluations import MaskEvaluation

_PLUGIN = "@cocomask/cocomask"
_LOGGER = logging.getLogger(__name__)


class MaskEvaluationPanel(foo.Panel):
    """Shows the distribution of mask area or coverage, and leads to the samples.

    What a person chose is in the panel's state: ``eval_key``, ``other_key``,
    ``counted``, ``worst_by`` and ``selected``. ``found`` is what the layout is made of,
    ``keys`` and ``problem`` are what there is to choose and why nothing can be shown.
    ``next_steps`` is what to do where there is nothing to choose. ``summing`` is the
    number of images that are being summed up, where that takes long.
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
                "cell, an orange number or a row to see its samples."
            ),
        )

    def execute(self, ctx: Any) -> Any:
        """Leaves the panel alone on events that change nothing.

        The App sends several for one change, some with the state of before it: drawn
        again, that could come after the news. For the same reason, what a later event
        has made outdated is not shown.
        """
        method = ctx.params.get("__method__")
        if method in _NEEDS and not _NEEDS[method](ctx):
            return None
        try:
            return super().execute(ctx)
        except _OutdatedError:
            return None

    def on_load(self, ctx: Any) -> None:
        """Shows the evaluation of a reloaded panel, or the first one."""
        self._refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        """Starts afresh on another dataset."""
        chosen = ("eval_key", "other_key", "worst_by", "selected")
        ctx.panel.state.set(dict.fromkeys((*chosen, "keys", "found", "summing")))
        self._refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        """Follows the grid, and evaluations that operators make meanwhile.

        An operator reloads the dataset, which the App tells as a change of the view.
        What was clicked on here changes nothing.
        """
        if _is_unselected(ctx):
            ctx.panel.state.selected = None
        if _is_out_of_date(ctx):
            self._refresh(ctx)

    def on_change_group_slice(self, ctx: Any) -> None:
        """Follows the grid."""
        self.on_change_view(ctx)

    def choose_evaluation(self, ctx: Any) -> None:
        """Shows another evaluation."""
        self._choose(ctx, "eval_key", ctx.params["value"])

    def choose_other(self, ctx: Any) -> None:
        """Compares with another evaluation, or with none."""
        self._choose(ctx, "other_key", _other_key(ctx))

    def choose_counted(self, ctx: Any) -> None:
        """Shows the distribution of the objects' areas, or of the images'."""
        self._choose(ctx, "counted", ctx.params["value"])

    def choose_worst(self, ctx: Any) -> None:
        """Sorts the samples by something else."""
        self._choose(ctx, "worst_by", ctx.params["value"])

    def reload(self, ctx: Any) -> None:
        """Shows the evaluation as it is now."""
        self._refresh(ctx, at_once=True)

    def sum_up(self, ctx: Any) -> None:
        """Reads what takes long: the panel shows already that it does."""
        self._refresh(ctx, at_once=True, goes_on=True)

    def click_bar(self, ctx: Any) -> None:
        """Shows the samples of a bar of a histogram."""
        named = {
            sections.histogram_name(chart): chart
            for chart in ctx.panel.state.found["histograms"]
        }
        name, chart = parts.chart_of(ctx.params["path"], named)
        trace, bar = ctx.params["trace_idx"], ctx.params["idx"]
        evaluation = self._evaluation(ctx, chart["keys"][trace])
        part = parts.of_bar(chart, evaluation, trace, bar, ctx.dataset.view())
        self._select(ctx, part, name, [trace, bar])

    def click_class(self, ctx: Any) -> None:
        """Shows the samples of a class, or of a class in a split."""
        named = {
            sections.class_name(chart): chart
            for chart in ctx.panel.state.found["classes"]
        }
        name, chart = parts.chart_of(ctx.params["path"], named)
        trace, index = ctx.params["trace_idx"], ctx.params["idx"]
        key = chart["keys"][trace if len(chart["keys"]) > 1 else 0]
        evaluation = self._evaluation(ctx, key)
        part = parts.of_class(chart, evaluation, trace, index, ctx.dataset.view())
        self._select(ctx, part, name, [trace, index])

    def click_area_map(self, ctx: Any) -> None:
        """Shows the objects of a cell."""
        from ...datasets.evaluations.stated_area_bins import bin_of

        named = {
            sections.area_map_name(chart): chart
            for chart in ctx.panel.state.found["annotated"]
        }
        name, chart = parts.chart_of(ctx.params["path"], named)
        stated, mask = bin_of(ctx.params["x"]), bin_of(ctx.params["y"])
        evaluation = self._evaluation(ctx, chart["key"])
        part = parts.of_area_map(chart, evaluation, stated, mask, ctx.dataset.view())
        self._select(ctx, part, name, [stated, mask])

    def click_other_bucket(self, ctx: Any) -> None:
        """Shows the objects that their stated area puts into another bucket."""
        evaluation = self._evaluation(ctx, ctx.params["key"])
        part = parts.of_other_bucket(evaluation, ctx.dataset.view())
        self._select(ctx, part, "other_bucket")

    def click_card(self, ctx: Any) -> None:
        """Shows the samples that a card counts."""
        key, card = ctx.params["key"], ctx.params["card"]
        part = parts.of_card(self._evaluation(ctx, key), card, ctx.dataset.view())
        self._select(ctx, part, "cards", [key, card])

    def click_issue(self, ctx: Any) -> None:
        """Shows the samples of an issue."""
        key, issue = ctx.params["key"], ctx.params["issue"]
        part = parts.of_issue(key, issue, ctx.dataset.view())
        self._select(ctx, part, "issues", [key, issue])

    def click_split(self, ctx: Any) -> None:
        """Shows the samples of a split."""
        name, row = ctx.params["path"].rpartition(".")[2], ctx.params["row"]
        table = ctx.panel.state.found["splits"][0]
        if row >= 0:
            part = parts.of_split(table["rows"][row]["Split"], ctx.dataset.view())
            self._select(ctx, part, name, row)

    def click_worst(self, ctx: Any) -> None:
        """Shows a sample of the table."""
        row = ctx.params["row"]
        if row >= 0:
            worst = ctx.panel.state.found["worst"]
            part = parts.of_ranked(worst, row, ctx.dataset.view())
            self._select(ctx, part, "worst", row)

    def click_ranked(self, ctx: Any) -> None:
        """Shows all samples of the table in its order."""
        worst = ctx.panel.state.found["worst"]
        part = parts.of_ranked(worst, None, ctx.dataset.view())
        self._select(ctx, part, "ranked")

    def show_all(self, ctx: Any) -> None:
        """Shows all samples again."""
        self._unselect(ctx)

    def download(self, ctx: Any) -> None:
        """Makes the browser download a table."""
        from .downloads import download

        evaluation = self._evaluation(ctx, ctx.params["key"])
        table = ctx.params["table"]
        rows = download(ctx, evaluation, table, selection.evaluated_view(ctx))
        ctx.ops.notify(f"Downloads {rows:,} {table}", variant="info")

    def render(self, ctx: Any) -> types.Property:
        """Returns the layout of what the state holds."""
        return layout.render(self, ctx)

    def open_form(self, ctx: Any) -> None:
        """Opens the form of an operator."""
        ctx.prompt(f"{_PLUGIN}/{ctx.params['operator']}")

    def _evaluation(self, ctx: Any, key: str) -> MaskEvaluation:
        from ...datasets.evaluations import load_mask_evaluation

        return load_mask_evaluation(ctx.dataset, key)

    def _choose(self, ctx: Any, name: str, value: str | None) -> None:
        ctx.panel.state.set(name, value)
        self._unselect(ctx)
        self._refresh(ctx)

    def _refresh(
        self, ctx: Any, *, at_once: bool = False, goes_on: bool = False
    ) -> None:
        """Reads everything anew.

        Args:
            ctx: the execution context
            at_once: whether to read also what takes long, instead of saying so first
            goes_on: whether an event before this one wanted the same

        Raises:
            _OutdatedError: if a later event wants the panel to show something else
        """
        from ...datasets.evaluations import list_mask_evaluations

        state = ctx.panel.state
        keys = list_mask_evaluations(ctx.dataset) if ctx.dataset is not None else []
        added = [key for key in keys if key not in (state.keys or keys)]
        state.keys = keys
        if not keys:
            state.eval_key = None
            state.next_steps = asdict(next_steps(ctx))
            return
        if added or state.eval_key not in keys:
            state.eval_key = added[-1] if added else keys[0]
        if state.other_key not in keys or state.other_key == state.eval_key:
            state.other_key = None
        if state.counted is None:
            state.counted = OBJECTS
        # Also where it cannot be read, so that it is not tried again and again.
        signature = selection.signature(ctx)
        try:
            news = self._read(ctx, signature, at_once=at_once, goes_on=goes_on)
        except CocoMaskError as error:
            news = {"problem": str(error)}
        except _OutdatedError:
            raise
        except Exception as error:
            _LOGGER.exception("The panel cannot read an evaluation")
            news = {"problem": f"The evaluation cannot be read: {error!r}"}
        nothing = {"found": None, "problem": None, "summing": None}
        state.set(nothing | news | {"signature": signature})
        if state.found and not selection.is_selected(ctx):
            state.selected = None

    def _read(
        self, ctx: Any, signature: str, *, at_once: bool, goes_on: bool
    ) -> dict[str, Any]:
        """Returns ``found`` or, where it takes long to find out, ``summing``."""
        from .reading import images_to_sum_up, read

        state = ctx.panel.state
        chosen = (state.eval_key, state.other_key, state.counted, state.worst_by)
        turn = Turn(ctx.panel_id, (signature, *chosen), goes_on=goes_on)
        samples = selection.evaluated_view(ctx)
        if samples._is_generated:
            raise CocoMaskError(
                "The grid shows patches or clips. Show the samples in the grid to see "
                "their evaluation here."
            )
        keys = [key for key in (state.eval_key, state.other_key) if key]
        evaluations = [self._evaluation(ctx, key) for key in keys]
        if not at_once:
            images = images_to_sum_up(evaluations, samples)
            if images:
                return {"summing": images}
        found = read(evaluations, samples, state.counted, state.worst_by)
        if not turn.is_last():
            raise _OutdatedError
        return {"found": found}

    def _select(
        self, ctx: Any, part: parts.Part, chart: str, index: Any = None
    ) -> None:
        view, text = part
        ctx.panel.state.selected = {
            "chart": chart,
            "index": index,
            "text": text,
            "before": selection.stages(ctx),
        }
        selection.select(ctx, view)

    def _unselect(self, ctx: Any) -> None:
        ctx.panel.state.selected = None
        if selection.is_selected(ctx):
            selection.unselect(ctx)


class _OutdatedError(Exception):
    """Ends an event that has read what is no longer to be shown."""


def _is_out_of_date(ctx: Any) -> bool:
    if ctx.dataset is None:
        return False
    return ctx.panel.state.signature != selection.signature(ctx)


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


def _other_key(ctx: Any) -> str | None:
    value = ctx.params["value"]
    return None if value == layout.NO_OTHER else value


def _is_other_to_compare(ctx: Any) -> bool:
    return ctx.params["value"] and _other_key(ctx) != ctx.panel.state.other_key


def _is_other_counted(ctx: Any) -> bool:
    return ctx.params["value"] not in (None, ctx.panel.state.counted)


def _is_other_ranking(ctx: Any) -> bool:
    found = ctx.panel.state.found
    return bool(found) and ctx.params["value"] not in (None, found["worst"]["by"])


# What an event must bring for the panel to be drawn again.
_NEEDS = {
    "on_change_view": _is_view_news,
    "on_change_group_slice": _is_view_news,
    "choose_evaluation": _is_other_evaluation,
    "choose_other": _is_other_to_compare,
    "choose_counted": _is_other_counted,
    "choose_worst": _is_other_ranking,
}
