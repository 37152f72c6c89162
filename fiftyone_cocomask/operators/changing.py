"""What the operators share that change labels, and whose changes can be undone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from ..words import agree, count
from .forms import note, warn
from .job import JobOperator, Results
from .markdown import plain, plain_lines
from .results import NextStep, next_step, rows, split_rows, without_dry_run


class ChangeOperator(JobOperator):
    """An operator over a function that changes labels, and returns a ``FixReport``."""

    def warnings(self, results: Results) -> list[str]:
        """Returns what was left as it is."""
        if not results["num_skipped"]:
            return []
        number, first = results["num_skipped"], results["skipped"][0]
        left = f"{count(number, 'label')} left as {agree(number, 'it is', 'they are')}"
        return [f"{left}. The first: {first['reason']}"]

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns what brings figures up to date; of a dry run, the change itself."""
        from ..datasets.evaluations import list_mask_evaluations

        if results["dry_run"] and results["fixed"]:
            return [without_dry_run(self.config.name, ctx.params)]
        steps = []
        is_changed = results["fixed"] and not results["dry_run"]
        evaluations = list_mask_evaluations(ctx.dataset)
        if is_changed and not results["redone"] and evaluations:
            why = "Bring masks and their evaluations up to date with the labels"
            steps.append(next_step("refresh_mask_evaluations", why))
        if results["fixed"] and not results["undone"]:
            why = "Undo it, label by label"
            steps.append(next_step("undo_mask_fixes", why, fix_key=results["fix_key"]))
        why = "Write the dataset back as a COCO export; give output_dir"
        return [*steps, next_step("export_roboflow_coco", why)]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many labels were changed, and what was not."""
        first, _, rest = results["summary"].partition("\n")
        view = types.Success if results["fixed"] else types.Notice
        outputs.view("done", view(label=plain(first), description=plain_lines(rest)))


def how_to_undo(results: Results, does: str) -> str | None:
    """Returns how what was done can be undone; None if nothing was.

    Args:
        results: what was done
        does: what the operator does that undoes it
    """
    is_done = results["fixed"] and not results["dry_run"]
    return f"**Undo mask fixes** {does}" if is_done else None


def ask_for_fix_key(inputs: types.Object, usual: str, what: str) -> types.Property:
    """Adds the key under which changes can be undone.

    Args:
        inputs: the form
        usual: the key by default
        what: what the changes are called
    """
    return inputs.str(
        "fix_key",
        label="Key",
        description=f"The name of the {what}, to undo them by",
        default=usual,
    )


def tell_outcome(
    ctx: ExecutionContext,
    inputs: types.Object,
    verbs: tuple[str, str],
    what: str,
    undo: str,
) -> None:
    """Warns of what will be changed; of a dry run, says that nothing is written.

    Args:
        ctx: the operator's context
        inputs: the form
        verbs: what happens to the labels, as in ``("deletes", "delete")``
        what: what it happens to
        undo: how to undo it
    """
    does, do = verbs
    if ctx.params.get("dry_run"):
        note(inputs, "outcome", f"Writes nothing: would {do} {what}")
    else:
        warn(inputs, "outcome", f"{does.capitalize()} {what}", undo)


def show_pictures(
    inputs: types.Object, picture: str | None, label: str, description: str, alt: str
) -> None:
    """Shows labels before and after changes, if there are pictures of them."""
    if picture is not None:
        inputs.str(
            "pictures",
            label=label,
            description=description,
            default=picture,
            view=types.ImageView(width=480, alt=alt),
        )


def fix_results(ctx: ExecutionContext, report: Any) -> Results:
    """Returns what repairs did, as JSON holds it; patches of the labels follow."""
    from ..datasets.documents import reload_patches

    found = report.to_dict()
    if found["sample_ids"] and not found["dry_run"] and ctx.view is not None:
        reload_patches(ctx.view)
    labels = Counter(
        row["label"] or ""
        for row in found["changes"]
        # Not of boxes, which only follow, and not of whole samples.
        if row["issues"] and row["label_field"] is not None
    )
    changed = ctx.dataset.select(found["sample_ids"])
    return {
        **found,
        "summary": report.summary(),
        "per_class": rows("class", {n: {"labels": labels[n]} for n in sorted(labels)}),
        "per_split": split_rows(changed) if found["sample_ids"] else [],
    }
