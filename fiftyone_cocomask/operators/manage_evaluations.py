"""Operators that list, rename and delete evaluations."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..errors import CocoMaskError
from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from .choosing import Choice, choose
from .form_operator import FormOperator
from .forms import form, names, note, reject, stop, warn
from .job import JobOperator, ProgressArgument, job_config
from .label_fields import segmentation_fields
from .markdown import bold, plain
from .prerequisites import (
    NO_DATASET,
    all_evaluations,
    choosable,
    dataset_is_missing,
    no_evaluations,
)
from .results import NextStep, Results, completed, next_step


class ListMaskEvaluations(FormOperator):
    """Lists a dataset's mask evaluations."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="list_mask_evaluations",
            label="List mask evaluations",
            description="List the mask evaluations of a dataset, with their fields",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.LOW,
            view_target=False,
        )

    def __call__(self, samples: SampleCollection) -> Any:
        """Lists the mask evaluations of a dataset.

        Example::

            import fiftyone.operators as foo

            list_evaluations = foo.get_operator(
                "@cocomask/cocomask/list_mask_evaluations"
            )
            print(list_evaluations(dataset).result["evaluations"])

        Args:
            samples: the dataset, or a view into it

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``evaluations``: dicts with ``eval_key``, ``kind``,
            ``mask_field``, ``label_field``, ``gt_field`` and ``evaluated_at``
        """
        return foo.execute_operator(self.uri, view=self.view_of(samples))

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks nothing: the App shows the list at once."""
        if ctx.dataset is None:
            stop(inputs, NO_DATASET)

    def execute(self, ctx: ExecutionContext) -> Results:
        """Returns the evaluations."""
        keys = all_evaluations(ctx.dataset)
        found = [_about(ctx.dataset, key) for key in keys]
        if found:
            why = "Write the figures as one HTML file; give output_path"
            step = next_step("write_report", why)
        elif segmentation_fields(ctx.dataset):
            why = "Count the pixels of masks and of each object"
            step = next_step("evaluate_mask_area", why)
        else:
            why = "Draw the objects of each image into one mask"
            step = next_step("compute_masks", why)
        return completed({"evaluations": found}, next_steps=[step])

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        """Returns a table of the evaluations."""
        outputs = types.Object()
        rows = ctx.results.get("evaluations") or []
        if rows:
            table = types.TableView()
            for key, label in (
                ("eval_key", "Key"),
                ("kind", "Kind"),
                ("mask_field", "Masks"),
                ("label_field", "Objects"),
                ("evaluated_at", "Evaluated"),
            ):
                table.add_column(key, label=label)
            outputs.list("evaluations", types.Object(), view=table)
        else:
            note(
                outputs,
                "none",
                "This dataset has no mask evaluations",
                "Run **Evaluate mask area** or **Evaluate mask coverage**",
            )
        return form(outputs, "Mask evaluations")


class RenameMaskEvaluation(JobOperator):
    """Renames an evaluation and its fields."""

    verb = "Renaming the evaluation"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="rename_mask_evaluation",
            label="Rename a mask evaluation",
            description="Give a mask evaluation and its fields another name",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
            view_target=False,
        )

    def __call__(
        self,
        samples: SampleCollection,
        eval_key: str,
        new_eval_key: str,
        *,
        delegate: bool = False,
    ) -> Any:
        """Renames an evaluation and its fields.

        Example::

            import fiftyone.operators as foo

            rename = foo.get_operator("@cocomask/cocomask/rename_mask_evaluation")
            rename(dataset, "mask_area", "area_v1")

        Args:
            samples: the dataset, or a view into it
            eval_key: the key of the evaluation
            new_eval_key: its new key
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has what was ``renamed``: ``{"old", "new"}`` of the key and of
            each field
        """
        params = {"eval_key": eval_key, "new_eval_key": new_eval_key}
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: the evaluation and its new key."""
        eval_key = _choose_evaluation(ctx, inputs)
        if eval_key is not None:
            field = inputs.str(
                "new_eval_key",
                required=True,
                label="New key",
                description="Its fields are renamed with it",
            )
            problem = _key_problem(ctx.dataset, ctx.params.get("new_eval_key"))
            if problem is not None:
                reject(field, problem)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Renames it, and returns what has another name now."""
        from ..datasets.evaluations import mask_evaluation_info, rename_mask_evaluation

        key, new_key = ctx.params["eval_key"], ctx.params["new_eval_key"]
        old = mask_evaluation_info(ctx.dataset, key).fields
        rename_mask_evaluation(ctx.dataset, key, new_key, progress=progress)
        new = mask_evaluation_info(ctx.dataset, new_key).fields
        renamed = [{"old": a, "new": b} for a, b in zip(old, new, strict=True)]
        return {
            "eval_key": new_key,
            "renamed": [{"old": key, "new": new_key}, *renamed],
        }

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the list of evaluations."""
        return [next_step("list_mask_evaluations", "See all evaluations")]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows the new names."""
        (key, *fields) = results["renamed"]
        outputs.view(
            "renamed",
            types.Success(
                label=f"{bold(key['old'])} is {bold(key['new'])} now",
                description=plain(names([field["new"] for field in fields])),
            ),
        )


class DeleteMaskEvaluation(JobOperator):
    """Deletes an evaluation and its fields."""

    verb = "Deleting the evaluation"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="delete_mask_evaluation",
            label="Delete a mask evaluation",
            description="Delete a mask evaluation and the fields that it wrote",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.HIGH,
            view_target=False,
        )

    def __call__(
        self, samples: SampleCollection, eval_key: str, *, delegate: bool = False
    ) -> Any:
        """Deletes an evaluation and its fields.

        Example::

            import fiftyone.operators as foo

            delete = foo.get_operator("@cocomask/cocomask/delete_mask_evaluation")
            delete(dataset, "mask_area")

        Args:
            samples: the dataset, or a view into it
            eval_key: the key of the evaluation
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has what was ``deleted``
        """
        return self.execute_on(samples, {"eval_key": eval_key}, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which evaluation, and what goes with it."""
        from ..datasets.evaluations import mask_evaluation_info

        eval_key = _choose_evaluation(ctx, inputs)
        if eval_key is not None:
            fields = mask_evaluation_info(ctx.dataset, eval_key).fields
            warn(
                inputs,
                "outcome",
                f"Deletes the evaluation {bold(eval_key)}; this cannot be undone",
                f"Its fields are deleted with it: {plain(names(fields))}"
                if fields
                else None,
            )

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Deletes it, and returns what is gone."""
        from ..datasets.evaluations import delete_mask_evaluation, mask_evaluation_info

        key = ctx.params["eval_key"]
        info = mask_evaluation_info(ctx.dataset, key)
        delete_mask_evaluation(ctx.dataset, key, progress=progress)
        deleted = {"eval_key": key, "kind": info.kind, "fields": info.fields}
        return {"eval_key": key, "deleted": deleted}

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the list of evaluations."""
        return [next_step("list_mask_evaluations", "See what is left")]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows what is gone."""
        fields = results["deleted"]["fields"]
        outputs.view(
            "deleted",
            types.Success(
                label=f"Deleted {bold(results['eval_key'])}",
                description=plain(names(fields)) if fields else None,
            ),
        )


def _choose_evaluation(ctx: ExecutionContext, inputs: types.Object) -> str | None:
    keys = choosable(ctx, inputs, all_evaluations, no_evaluations, dataset_is_missing)
    if not keys:
        return None
    given = ctx.params.get("eval_key")
    return choose(
        inputs,
        "eval_key",
        [Choice(key, None, _about(ctx.dataset, key)["text"]) for key in keys],
        given,
        label="Evaluation",
        problem=f"Dataset '{ctx.dataset.name}' has no mask evaluation {given!r}; it "
        f"has {names(keys)}",
    )


def _about(dataset: Dataset, key: str) -> dict[str, Any]:
    from ..datasets.evaluations import mask_evaluation_info

    info = mask_evaluation_info(dataset, key)
    return {
        "eval_key": key,
        "kind": info.kind,
        "mask_field": info.mask_field,
        "label_field": info.label_field,
        "gt_field": info.gt_field,
        "evaluated_at": info.evaluated_at.strftime("%Y-%m-%d %H:%M"),
        "text": info.text,
    }


def _key_problem(dataset: Dataset, key: str | None) -> str | None:
    from ..datasets.run_keys import check_key

    if not key:
        return None
    try:
        check_key(dataset, key, "new_eval_key")
    except CocoMaskError as error:
        return str(error)
    taken = key in dataset.list_runs()
    return f"Dataset '{dataset.name}' already has a run '{key}'" if taken else None
