"""The panel beside the grid that shows an evaluation, or compares two."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types
from fiftyone.operators.categories import Categories

from ...errors import CocoMaskError
from ...fiftyone_types import ExecutionContext
from ...plugin_folder import NAME
from ..turns import Turn
from . import events, page, sections, selection
from .choosing import choices_of, chosen, option_of, set_keys
from .memory import Memory, forget, memory_of
from .next_steps import next_steps
from .sections import next_labels
from .selection import Selected, Stage
from .shown import Part, Shown, shown_of

_LOGGER = logging.getLogger(__name__)


class MaskEvaluationPanel(foo.Panel):
    """Shows the distribution of mask area or coverage, and leads to the samples.

    Its state is ``choices``, what a person chose for the dataset: ``eval_key``,
    ``other_key``, ``counted``, ``ranking``, ``all_classes``, ``queue``, ``options``,
    and the number of choices ``made``. All else is remembered here, see
    :mod:`.memory`, or said by the App's view, see
    :mod:`.selection`.
    """

    @property
    def config(self) -> foo.PanelConfig:
        config = foo.PanelConfig(
            name="mask_evaluation",
            label="Mask evaluation",
            icon="/assets/evaluate.svg",
            surfaces="grid",
            category=Categories.ANALYZE,
            help_markdown=(
                "Mask area and coverage of the samples in the grid. Click on a bar, a "
                "cell, an orange number or a row to see its samples."
            ),
        )
        # Lists of operators show this one; the App, the other.
        config.description = config.help_markdown
        return config

    def execute(self, ctx: ExecutionContext) -> Any:
        """Leaves the panel alone on events that change nothing.

        The App sends several for one change, some with the state before it. Redrawing
        for those could overwrite a newer result, so they are ignored, and what a later
        event has made outdated is not shown.
        """
        if not events.is_answered(ctx, ctx.params.get("__method__")):
            return None
        try:
            return super().execute(ctx)
        except _OutdatedError:
            return None

    def on_load(self, ctx: ExecutionContext) -> None:
        """Shows the evaluation of a reloaded panel, or the first one."""
        forget(ctx.panel_id)
        self._refresh(ctx)

    def on_change_dataset(self, ctx: ExecutionContext) -> None:
        """Starts afresh on another dataset."""
        forget(ctx.panel_id)
        self._refresh(ctx)

    def on_change_view(self, ctx: ExecutionContext) -> None:
        """Follows the grid, and evaluations that operators make meanwhile.

        An operator reloads the dataset, which the App tells as a change of the view.
        """
        self._refresh(ctx)

    def on_change_group_slice(self, ctx: ExecutionContext) -> None:
        """Follows the grid."""
        self._refresh(ctx)

    def on_change_current_sample(self, ctx: ExecutionContext) -> None:
        """Shows what was edited in the sample's modal, once that is closed."""
        self._refresh(ctx)

    def settle(self, ctx: ExecutionContext) -> None:
        """Follows the grid where the App's last event of a change was an early one."""
        self._refresh(ctx)

    def choose_evaluation(self, ctx: ExecutionContext) -> None:
        """Shows another evaluation."""
        memory_of(ctx.panel_id).added = None
        self._choose(ctx, eval_key=ctx.params["value"])

    def choose_other(self, ctx: ExecutionContext) -> None:
        """Compares with another evaluation, or with none."""
        self._choose(ctx, other_key=events.other_key(ctx))

    def choose_counted(self, ctx: ExecutionContext) -> None:
        """Shows the distribution of the objects' areas, or of the images'."""
        self._choose(ctx, counted=ctx.params["value"])

    def choose_worst(self, ctx: ExecutionContext) -> None:
        """Sorts the samples by something else."""
        self._choose(ctx, ranking=ctx.params["value"])

    def choose_queue(self, ctx: ExecutionContext) -> None:
        """Lists other labels to look at."""
        memory_of(ctx.panel_id).opened = None
        self._choose(ctx, queue=ctx.params["value"])

    def open_label(self, ctx: ExecutionContext) -> None:
        """Opens a label of the list, to be edited."""
        memory = memory_of(ctx.panel_id)
        labels = (memory.found or {}).get("next", {}).get("labels", [])
        place = ctx.params["row"]
        if 0 <= place < len(labels):
            memory.open(labels[place])
            ctx.ops.open_sample(id=labels[place]["sample_id"])

    def edit_opened(self, ctx: ExecutionContext) -> None:
        """Makes the App edit the label that was opened; its sample is there by now."""
        memory = memory_of(ctx.panel_id)
        memory.waits = False
        if memory.opened is not None:
            next_labels.edit(ctx, memory.opened)

    def label_done(self, ctx: ExecutionContext) -> None:
        """Takes the label that is open as checked, and opens the next one."""
        from ...datasets.reviewing import labels_to_review, mark_checked

        memory = memory_of(ctx.panel_id)
        opened, found = memory.opened, (memory.found or {}).get("next")
        if opened is None or not found or not found["choices"]:
            return
        ids = [label["id"] for label in found["labels"]]
        place = ids.index(opened["id"]) if opened["id"] in ids else 0
        queue = next_labels.queue_of(found)
        if queue.key not in ctx.dataset.list_runs():
            # Somebody has cleared the search, or deleted the ranking.
            memory.opened = None
            self._refresh(ctx, at_once=True)
            return
        label = (opened[name] for name in ("sample_id", "label_field", "label_id"))
        redone = mark_checked(ctx.dataset, queue, *label)
        for problem in redone.problems:
            ctx.ops.notify(problem, variant="warning")
        ctx.ops.reload_samples()
        # Not left to the refresh: an event that comes meanwhile may make it outdated.
        left = labels_to_review(self._shown(ctx, memory).grid, queue)
        memory.opened = None
        if left:
            following = left[min(place, len(left) - 1)]
            memory.open(following.to_dict())
            ctx.ops.open_sample(id=following.sample_id)
        self._refresh(ctx, at_once=True)

    def show_all_classes(self, ctx: ExecutionContext) -> None:
        """Shows the rare classes too, or hides them again."""
        self._choose(ctx, all_classes=not choices_of(ctx).get("all_classes"))

    def choose_option(self, ctx: ExecutionContext) -> None:
        """Shows something else in a section that folds."""
        options = dict(chosen(ctx).options) | {option_of(ctx): ctx.params["value"]}
        self._choose(ctx, options=options)

    def fold(self, ctx: ExecutionContext) -> None:
        """Opens a section, or folds it again; nothing else is read."""
        memory, name = memory_of(ctx.panel_id), ctx.params["section"]
        memory.opened_sections ^= {name}
        if memory.found is None:
            self._refresh(ctx, at_once=True)
        else:
            sections.fold(self._shown(ctx, memory), memory.found, name)

    def go_on(self, ctx: ExecutionContext) -> None:
        """Goes on with what open sections wait for."""
        memory = memory_of(ctx.panel_id)
        if memory.found is not None:
            sections.go_on(self._shown(ctx, memory), memory.found)

    def reload(self, ctx: ExecutionContext) -> None:
        """Shows the evaluation as it is now."""
        self._refresh(ctx, at_once=True)

    def sum_up(self, ctx: ExecutionContext) -> None:
        """Reads what takes long: the panel shows already that it does."""
        self._refresh(ctx, at_once=True, goes_on=True)

    def click(self, ctx: ExecutionContext) -> None:
        """Shows the samples of what was clicked on."""
        memory = memory_of(ctx.panel_id)
        if memory.found is None:
            self._refresh(ctx, at_once=True)
        if memory.found is None:
            # What was clicked on is gone, and the panel says so now.
            return
        shown = self._shown(ctx, memory)
        name, part = sections.part_of_click(shown, memory.found, ctx.params)
        if part is not None:
            self._select(ctx, memory, name, part)

    def show_all(self, ctx: ExecutionContext) -> None:
        """Shows all samples again."""
        self._show_evaluated(ctx, memory_of(ctx.panel_id))

    def show_samples(self, ctx: ExecutionContext) -> None:
        """Shows the samples that the patches in the grid are of."""
        selection.show(ctx, selection.stages_of_samples(ctx))

    def download(self, ctx: ExecutionContext) -> None:
        """Makes the browser download a table of what the grid shows."""
        from ...datasets.documents import whole_samples
        from ...datasets.evaluations import load_mask_evaluation
        from .downloads import download

        evaluation = load_mask_evaluation(ctx.dataset, ctx.params["key"])
        table = ctx.params["table"]
        grid = whole_samples(selection.grid_view(ctx))
        shown = shown_of([evaluation], grid, chosen(ctx))
        rows = download(ctx, evaluation, table, shown.samples)
        ctx.ops.notify(f"Downloads {rows:,} {table}", variant="info")

    def render(self, ctx: ExecutionContext) -> types.Property:
        """Returns the layout of what is remembered."""
        return page.render(self, memory_of(ctx.panel_id), chosen(ctx))

    def evaluate_again(self, ctx: ExecutionContext) -> None:
        """Opens the form of the evaluation that is shown, filled in."""
        from ...datasets.evaluations import mask_evaluation_info

        key = memory_of(ctx.panel_id).eval_key or ""
        info = mask_evaluation_info(ctx.dataset, key)
        answers = {"eval_key": key, "mask_field": info.mask_field}
        if info.label_field is not None:
            answers["label_field"] = info.label_field
        ctx.prompt(f"{NAME}/evaluate_mask_{info.kind}", params=answers)

    def refresh_evaluations(self, ctx: ExecutionContext) -> None:
        """Redraws masks that are out of date and evaluates them again."""
        ctx.trigger(f"{NAME}/refresh_mask_evaluations")

    def open_form(self, ctx: ExecutionContext) -> None:
        """Opens the form of an operator."""
        answers = ctx.params.get("answers")
        ctx.prompt(f"{NAME}/{ctx.params['operator']}", params=answers)

    def _choose(self, ctx: ExecutionContext, **new: Any) -> None:
        before = choices_of(ctx)
        choices = {
            **before,
            "dataset": ctx.dataset.name,
            "made": before.get("made", 0) + 1,
            **new,
        }
        ctx.panel.state.choices = memory_of(ctx.panel_id).choices = choices
        if selection.selected(ctx) is not None or selection.has_filters(ctx):
            self._show_evaluated(ctx, memory_of(ctx.panel_id))
        self._refresh(ctx, selected=None)

    def _refresh(
        self,
        ctx: ExecutionContext,
        *,
        at_once: bool = False,
        goes_on: bool = False,
        **selected: Selected | None,
    ) -> None:
        """Reads everything anew.

        Args:
            ctx: the execution context
            at_once: whether to read also what takes long, instead of saying so first
            goes_on: whether an event before this one wanted the same
            selected: what is selected, where the App does not show it yet

        Raises:
            _OutdatedError: if a later event wants the panel to show something else
        """
        from ...datasets.evaluations import list_mask_evaluations

        memory = memory_of(ctx.panel_id)
        _follow_edits(ctx, memory)
        keys = list_mask_evaluations(ctx.dataset) if ctx.dataset is not None else []
        if memory.keys is not None:
            added = [key for key in keys if key not in memory.keys]
            memory.added = added[-1] if added else memory.added
        memory.keys = keys
        if not keys:
            memory.next_steps = next_steps(ctx)
            memory.eval_key, memory.found = None, None
            return
        set_keys(memory, choices_of(ctx))
        signature = selection.signature(ctx)
        # Also where it cannot be read, so that it is not tried again and again.
        what = selected.get("selected", selection.selected(ctx))
        memory.show(signature, what)
        with memory.reading():
            self._read(ctx, memory, at_once=at_once, goes_on=goes_on)

    def _read(
        self, ctx: ExecutionContext, memory: Memory, *, at_once: bool, goes_on: bool
    ) -> None:
        keys = (memory.eval_key, memory.other_key)
        wanted = (memory.signature, *keys, chosen(ctx))
        turn = Turn(ctx.panel_id, wanted, goes_on=goes_on)
        found, problem, summing = None, None, None
        try:
            shown = self._shown(ctx, memory)
            summing = 0 if at_once else sections.images_to_sum_up(shown)
            found = None if summing else sections.read(shown)
            if found is not None:
                # Those that were opened or folded while all this was read.
                for name in memory.opened_sections ^ shown.choices.opened:
                    sections.fold(self._shown(ctx, memory), found, name)
        except CocoMaskError as error:
            problem = str(error)
        except Exception as error:
            _LOGGER.exception("The panel cannot read an evaluation")
            problem = f"The evaluation cannot be read: {error!r}"
        if not turn.is_last():
            raise _OutdatedError
        memory.found, memory.problem, memory.summing = found, problem, summing

    def _shown(self, ctx: ExecutionContext, memory: Memory) -> Shown:
        from ...datasets.documents import is_generated, whole_samples
        from ...datasets.evaluations import load_mask_evaluation

        keys = [key for key in (memory.eval_key, memory.other_key) if key]
        evaluations = [load_mask_evaluation(ctx.dataset, key) for key in keys]
        view = selection.evaluated_view(ctx)
        memory.are_patches = is_generated(view)
        samples = whole_samples(view)
        if memory.works_of != memory.signature:
            memory.works, memory.works_of = {}, memory.signature
        shown = shown_of(evaluations, samples, chosen(ctx))
        return replace(shown, works=memory.works)

    def _show_evaluated(self, ctx: ExecutionContext, memory: Memory) -> None:
        """Shows in the grid what is evaluated; soon after a click it still does."""
        given = _given(ctx, memory)
        stages = selection.lasting_stages(ctx) if given is None else given
        shown, own_stages = selection.app_view(ctx)
        what = shown or memory.selected
        if what is not None or len(stages) > own_stages:
            memory.want(stages, instead_of=(what, own_stages))
        memory.give(stages, instead_of=own_stages)
        selection.show(ctx, stages)
        memory.show(selection.signature(ctx), None)

    def _select(
        self, ctx: ExecutionContext, memory: Memory, name: str, part: Part
    ) -> None:
        what = Selected([name, *part.place], part.text)
        given = _given(ctx, memory)
        stages = selection.stages_of_samples(ctx) if given is None else given
        memory.want_nothing()
        memory.give(stages, instead_of=selection.app_view(ctx)[1])
        selection.select(ctx, stages, part.view, what, part.patches)
        memory.show(selection.signature(ctx), what)


def _given(ctx: ExecutionContext, memory: Memory) -> list[Stage] | None:
    """Returns the person's own stages, if the App was given them but lacks them as yet.

    It drops the filters of its sidebar before it shows the view that replaces them.
    """
    if selection.has_filters(ctx):
        return None
    return memory.given(selection.app_view(ctx)[1])


class _OutdatedError(Exception):
    """Ends an event that has read what is no longer to be shown."""


def _follow_edits(ctx: ExecutionContext, memory: Memory) -> None:
    """Does to boxes what a person has done to their polygons in patches of issues."""
    from ...datasets.documents import samples_state
    from ...datasets.issues import follow_edits, list_mask_issues

    if ctx.dataset is None or memory.followed == samples_state(ctx.dataset):
        return
    for key in list_mask_issues(ctx.dataset):
        changes = follow_edits(ctx.dataset, key)
        if changes:
            ctx.ops.notify(str(changes), variant="info")
    memory.followed = samples_state(ctx.dataset)
