"""Operator: the masks of one field against those of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext, SampleCollection
from ..table_rows import records
from ..words import count
from .beside_grid import open_beside
from .choosing import Choice, choose
from .forms import is_refused, names, note, reject, stop, warn
from .in_time import images_in
from .job import JobOperator, ProgressArgument, Results, job_config
from .label_fields import segmentation_fields
from .markdown import bold, code, plain
from .prerequisites import dataset_problem
from .results import NextStep, in_sentence, next_step, outcome
from .target_samples import target_samples

_KEY = "mask_comparison"


class CompareMasks(JobOperator):
    """Compares the masks of two fields."""

    verb = "Comparing masks"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="compare_masks",
            label="Compare masks",
            description="Compare two fields of masks: area, coverage, IoU and Dice",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        pred_field: str,
        gt_field: str = "mask",
        *,
        eval_key: str = _KEY,
        delegate: bool = False,
    ) -> Any:
        """Compares the masks of two fields.

        Example::

            import fiftyone.operators as foo

            compare_masks = foo.get_operator("@cocomask/cocomask/compare_masks")
            result = compare_masks(dataset, "mask_opencv", "mask")
            print(result.result["summary"]["area_error_percent"])

        Args:
            samples: the dataset or view
            pred_field: a ``Segmentation`` field
            gt_field: the one to compare it with
            eval_key: the key of the evaluation
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``eval_key`` and the ``summary``
        """
        params = {"pred_field": pred_field, "gt_field": gt_field, "eval_key": eval_key}
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which masks are compared, and what is written."""
        problem = dataset_problem(ctx)
        fields = [] if problem else segmentation_fields(ctx.dataset)
        if problem:
            stop(inputs, problem)
        elif len(fields) < 2:
            has = f"one field of masks, '{plain(fields[0])}'" if fields else "no masks"
            stop(
                inputs,
                f"Dataset '{plain(ctx.dataset.name)}' has {has}; a comparison needs "
                "two fields. Add the masks of a model, or run **Compute masks** with "
                "another mask field.",
            )
        else:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Compares, and returns the eval key and the summary."""
        from ..datasets.comparison.compare import compare_masks

        params = ctx.params
        gt_default, pred_default = _defaults(segmentation_fields(ctx.dataset))
        comparison = compare_masks(
            target_samples(ctx),
            params.get("pred_field") or pred_default,
            params.get("gt_field") or gt_default,
            eval_key=params.get("eval_key") or _KEY,
            progress=progress,
        )
        return {
            "eval_key": comparison.key,
            "summary": comparison.summary(),
            "per_class": records(comparison.per_class()),
            "per_split": records(comparison.per_split()),
        }

    def warnings(self, results: Results) -> list[str]:
        """Returns why the figures may mean nothing, and what was left out."""
        summary = results["summary"]
        problem = _why_no_class_fits(summary)
        found = [] if problem is None else [problem]
        if number := summary["images_without_masks"]:
            first = summary["without_masks"][0]
            found.append(in_sentence(number, "could not be compared", first))
        return found

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the search for issues in the masks that were judged."""
        why = "List the evaluations and comparisons, to rename or delete one"
        return [next_step("list_mask_evaluations", why)]

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Shows the new fields, and opens FiftyOne's own panel of evaluations."""
        yield ctx.ops.reload_dataset()
        yield open_beside(ctx, "model_evaluation_panel_builtin")

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows the totals."""
        summary = results["summary"]
        outputs.view(
            "done",
            outcome(
                summary["mean_iou"] != 0 and summary["images"],
                label=f"Comparison {bold(results['eval_key'])} of "
                f"{count(summary['images'], 'image')}",
                description=_sentence(summary),
                caption="The panel **Model Evaluation** shows it by class",
            ),
        )


def _sentence(summary: dict[str, Any]) -> str:
    percent = summary["area_error_percent"]
    area = "no ground truth" if percent is None else f"area {percent:+.2f}%"
    text = f"{area}, coverage {summary['coverage_error_points']:+.2f} points"
    if summary["mean_iou"] is not None:
        text += f", mean IoU {summary['mean_iou']:.3f}"
        text += f", mean Dice {summary['mean_dice']:.3f}"
    return text


def _why_no_class_fits(summary: dict[str, Any]) -> str | None:
    """Returns why all IoU and Dice are 0, None if a class is in both fields."""
    gt_classes, pred_classes = summary["gt_classes"], summary["pred_classes"]
    if not gt_classes or not pred_classes or set(gt_classes) & set(pred_classes):
        return None
    return (
        f"No class is in both fields: '{summary['gt_field']}' has "
        f"{names(gt_classes)}; '{summary['pred_field']}' has {names(pred_classes)}. "
        "IoU and Dice compare equal values: write both fields with the same ones, "
        "such as 0 and 255."
    )


def _defaults(fields: list[str]) -> tuple[str, str]:
    """Returns the ground truth and the predicted field that hold if none is given."""
    gt_field = "mask" if "mask" in fields else (fields or ["mask"])[0]
    others = [name for name in fields if name != gt_field]
    return gt_field, (others or [gt_field])[0]


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.comparison.runs import check_comparison_key

    params = ctx.params
    gt_default, pred_default = _defaults(fields)
    choices = [Choice(name) for name in fields]
    pred_field = choose(
        inputs,
        "pred_field",
        choices,
        params.get("pred_field"),
        label="Predicted masks",
        description="The masks to judge",
        default=pred_default,
    )
    gt_field = choose(
        inputs,
        "gt_field",
        choices,
        params.get("gt_field"),
        label="Ground truth masks",
        description="The masks that they are measured against",
        default=gt_default,
    )
    key = params.get("eval_key") or _KEY
    field = inputs.str(
        "eval_key",
        label="Evaluation key",
        description="The name of the evaluation; its fields begin with it",
        default=_KEY,
    )
    if pred_field is None or gt_field is None:
        return
    if pred_field == gt_field:
        same = f"'{gt_field}' cannot be compared with itself; choose another field"
        reject(inputs.properties["gt_field"], same)
        return
    fields_and_key = (ctx.dataset, key, pred_field, gt_field)
    if is_refused(field, check_comparison_key, *fields_and_key, overwrite=True):
        return
    images = images_in(target_samples(ctx))
    written = f"Writes errors, precision and recall, {code(f'{key}_...')}, on {images}"
    if key in ctx.dataset.list_evaluations():
        replaced = f"Replaces the evaluation {bold(key)} and its fields"
        warn(inputs, "outcome", replaced, written)
    else:
        note(inputs, "outcome", written)
