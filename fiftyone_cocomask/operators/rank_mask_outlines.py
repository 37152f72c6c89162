"""Operator: labels are ranked by how well their outlines lie on edges."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext, SampleCollection
from ..table_rows import records
from ..words import count
from .choosing import choose_field
from .forms import is_refused, note, warn
from .in_time import images_in
from .job import JobOperator, ProgressArgument, Results, job_config
from .label_fields import chosen_objects, fields_to_draw
from .markdown import code
from .results import NextStep, in_sentence, next_step, outcome, split_rows
from .target_samples import target_samples

_KEY = "outline"
_NUM_SHOWN = 10


class RankMaskOutlines(JobOperator):
    """Ranks labels by how well their outlines lie on edges of their images."""

    verb = "Measuring outlines"

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name="rank_mask_outlines",
            label="Rank mask outlines",
            description="Find outlines beside their objects' edges; fills in metadata",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def __call__(
        self,
        samples: SampleCollection,
        label_field: str = "segmentations",
        *,
        eval_key: str = _KEY,
        delegate: bool = False,
    ) -> Any:
        """Ranks labels by how well their outlines lie on edges of their images.

        Example::

            import fiftyone.operators as foo

            rank = foo.get_operator("@cocomask/cocomask/rank_mask_outlines")
            result = rank(dataset, "segmentations")
            print(result.result["worst"])

        Args:
            samples: the dataset or view
            label_field: a field of Polylines, or of Detections with masks
            eval_key: the key of the ranking, with which its fields begin
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``summary`` and the ``worst`` labels
        """
        return self.execute_on(
            samples, {"label_field": label_field, "eval_key": eval_key}, delegate
        )

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: which labels, and what is written."""
        fields = fields_to_draw(ctx, inputs)
        if fields:
            _ask(ctx, inputs, fields)

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Ranks the labels and returns the summary and the worst of them."""
        from ..datasets.outlines.rank import rank_mask_outlines

        samples = target_samples(ctx)
        label_field = chosen_objects(ctx)
        ranking = rank_mask_outlines(
            samples,
            label_field,
            eval_key=ctx.params.get("eval_key") or _KEY,
            progress=progress,
        )
        return {
            "eval_key": ranking.eval_key,
            "summary": ranking.summary(),
            "label_field": label_field,
            "worst": records(ranking.worst(_NUM_SHOWN)),
            "skipped": ranking.skipped,
            "per_class": records(ranking.per_class()),
            "per_split": split_rows(samples),
        }

    def warnings(self, results: Results) -> list[str]:
        """Returns which images could not be read."""
        if not (skipped := results["skipped"]):
            return []
        number = results["summary"]["images_skipped"]
        return [in_sentence(number, "could not be measured", skipped[0])]

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the way back to Roboflow, once the worst have been looked at."""
        why = (
            "Once the worst outlines are corrected, write the dataset back as a COCO "
            "export; give output_dir"
        )
        return [
            next_step("export_roboflow_coco", why, label_field=results["label_field"])
        ]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows how many labels were ranked, and where to look."""
        summary = results["summary"]
        outputs.view(
            "ranked",
            outcome(
                summary["labels"],
                label=f"{count(summary['labels'], 'label')} ranked, "
                f"{summary['below_-3.5']:,} of them far below their class",
                description=f"Sort the samples by '{results['eval_key']}_worst' to see "
                "the worst first. This is a ranking to look through, not a verdict.",
            ),
        )


def _ask(ctx: ExecutionContext, inputs: types.Object, fields: list[str]) -> None:
    from ..datasets.outlines.rank import check_ranking

    label_field = choose_field(
        inputs,
        "label_field",
        fields,
        ctx.params.get("label_field"),
        label="Objects",
        description="The labels to rank",
        usual="segmentations",
    )
    key = ctx.params.get("eval_key") or _KEY
    field = inputs.str(
        "eval_key",
        label="Key",
        description="The name of the ranking; its fields begin with it",
        default=_KEY,
    )
    if label_field is None:
        return
    if is_refused(field, check_ranking, ctx.dataset, key, label_field):
        return
    images = images_in(target_samples(ctx))
    written = f"Writes four numbers on each label of {code(label_field)} in {images}"
    if key in ctx.dataset.list_runs():
        warn(inputs, "outcome", f"Replaces the ranking '{key}'", written)
    else:
        note(inputs, "outcome", written, "Reads each image; needs no model")
