"""Operator: masks that are out of date are drawn once more, and evaluated again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import as_text_list
from ..fiftyone_types import Dataset, ExecutionContext
from ..words import count
from .choosing import choose_several
from .evaluation import evaluation_results
from .forms import names, note, warn
from .in_time import known
from .job import JobOperator, ProgressArgument, Results, job_config
from .markdown import plain
from .prerequisites import choosable, dataset_is_missing, no_evaluations
from .results import NextStep, next_step


class RefreshMaskEvaluations(JobOperator):
    """Brings evaluations up to date, masks and all."""

    verb = "Drawing and measuring masks"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="refresh_mask_evaluations",
            label="Redraw masks and evaluate again",
            description="Bring masks and evaluations up to date; fills in metadata",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
            view_target=False,
        )

    def __call__(
        self,
        dataset: Dataset,
        eval_keys: Sequence[str] | None = None,
        *,
        delegate: bool = False,
    ) -> Any:
        """Draws masks that are out of date once more, and evaluates them again.

        Example::

            import fiftyone.operators as foo

            refresh = foo.get_operator("@cocomask/cocomask/refresh_mask_evaluations")
            print(refresh(dataset).result["eval_keys"])

        Args:
            dataset: the dataset, or a view into it
            eval_keys: the keys of the evaluations; by default those out of date
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``eval_keys`` of what was evaluated again
        """
        params = {"eval_keys": as_text_list(eval_keys)}
        return self.execute_on(dataset, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which evaluations, and what they cover."""
        from ..datasets.evaluations import list_mask_evaluations
        from ..datasets.evaluations.refresh import keys_to_refresh, missing_fields

        keys = choosable(
            ctx, inputs, list_mask_evaluations, no_evaluations, dataset_is_missing
        )
        if keys:
            chosen = choose_several(
                ctx,
                inputs,
                "eval_keys",
                keys,
                ctx.params.get("eval_keys"),
                label="Evaluations",
                description="Those to run again; all that are out of date by default",
            )
            if missing := missing_fields(ctx.dataset, chosen):
                warn(inputs, "left_out", plain(str(missing[0])))
            again = chosen or known(
                "looking for what is out of date",
                "keys to refresh",
                ctx.dataset,
                lambda: keys_to_refresh(ctx.dataset),
            )
            if again is None:
                note(inputs, "outcome", "Brings what is out of date up to date")
            elif again and set(again) <= set(keys):
                _say_what_will_happen(ctx, inputs, again)
            elif not again and not missing:
                note(inputs, "outcome", "All evaluations are up to date")

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Refreshes them and returns their keys."""
        from ..datasets.evaluations import refresh_mask_evaluations
        from ..datasets.evaluations.refresh import missing_fields, refresh_present

        keys = ctx.params.get("eval_keys") or None
        if keys is None:
            # It can say of the others what they lack.
            found = refresh_present(ctx.dataset, None, progress)
        else:
            found = refresh_mask_evaluations(ctx.dataset, keys, progress=progress)
        return {
            "eval_keys": list(found),
            "left_out": [str(error) for error in missing_fields(ctx.dataset, keys)],
            "evaluations": [evaluation_results(each) for each in found.values()],
        }

    def warnings(self, results: Results) -> list[str]:
        """Names the evaluations whose masks or labels are not there any more."""
        return list(results["left_out"])

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the report."""
        why = "Write the figures as one HTML file; give output_path"
        return [next_step("write_report", why)]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows what was evaluated again."""
        keys = results["eval_keys"]
        said = f"Evaluated again: {plain(names(keys))}" if keys else "Nothing to do"
        view = types.Success if keys else types.Notice
        outputs.view("done", view(label=said))


def _say_what_will_happen(
    ctx: ExecutionContext, inputs: types.Object, keys: list[str]
) -> None:
    from ..datasets.evaluations import mask_evaluation_info

    infos = [mask_evaluation_info(ctx.dataset, key) for key in keys]
    fields = list(dict.fromkeys(info.mask_field for info in infos))
    number = known(
        "counting images",
        ("images of", *keys),
        ctx.dataset,
        lambda: max(len(ctx.dataset.load_run_view(key)) for key in keys),
    )
    images = "images" if number is None else f"up to {count(number, 'image')}"
    warn(
        inputs,
        "outcome",
        f"Draws the masks in {plain(names(fields))} that are out of date, and runs "
        f"{plain(names(keys))} again",
        f"On all samples that they cover, {images}, whatever the "
        "grid shows; metadata is filled in where it is missing",
    )
