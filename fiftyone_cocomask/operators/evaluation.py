"""What the two operators that evaluate masks share: their form and their results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from ..table_rows import records
from ..words import count
from .beside_grid import open_beside
from .choosing import Choice, choose, choose_field, default_field, given_field
from .folding import section
from .forms import is_refused, names, note, reject, warn
from .in_time import images_in, known
from .job import ProgressArgument, Results, job_config
from .label_fields import drawable_fields, fields_of_masks, segmentation_fields
from .markdown import bold, code, plain
from .results import NextStep, in_sentence, next_step, outcome
from .split_job import SplitJobOperator, ask_for_num_tasks, is_of_tasks
from .target_samples import target_samples

if TYPE_CHECKING:
    from ..datasets.parallel.shared_runs import SplitRun


EvaluationName = Literal["area", "coverage"]
# What stands for no label field, since a dropdown cannot be emptied.
_NO_LABELS = "-"


class EvaluationOperator(SplitJobOperator):
    """An operator over ``evaluate_mask_area`` or ``evaluate_mask_coverage``."""

    verb = "Measuring masks"
    kind: ClassVar[EvaluationName]
    # The evaluation that usually follows.
    other: ClassVar[EvaluationName]
    # What is written on each sample, and on each label; `{key}` is the eval key.
    sample_fields: ClassVar[tuple[str, ...]]
    sample_fields_with_labels: ClassVar[tuple[str, ...]] = ()
    label_fields: ClassVar[tuple[str, ...]] = ()

    @property
    def config(self) -> foo.OperatorConfig:
        return job_config(
            name=f"evaluate_mask_{self.kind}",
            label=f"Evaluate mask {self.kind}",
            description=f"Measure {self.kind} of masks and labels; fills in metadata",
            icon=f"/assets/{self.kind}.svg",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return self.grid_button()

    def evaluate(self, samples: SampleCollection, **kwargs: Any) -> Any:
        """Calls the SDK's function."""
        raise NotImplementedError

    def call(
        self,
        samples: SampleCollection,
        mask_field: str,
        label_field: str | None,
        eval_key: str,
        num_tasks: int,
        delegate: bool,
    ) -> Any:
        """Executes this operator for a caller from Python."""
        params = {
            "mask_field": mask_field,
            "label_field": label_field or _NO_LABELS,
            "eval_key": eval_key,
            "num_tasks": num_tasks,
        }
        return self.execute_on(samples, params, delegate)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks: what is measured, and what it writes and replaces."""
        fields = fields_of_masks(ctx, inputs)
        if fields:
            self._ask(ctx, inputs, fields)

    def run_at_once(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Evaluates, and returns the eval key and the summary."""
        results = self.evaluate(
            target_samples(ctx), **_what_to_measure(ctx, self.kind), progress=progress
        )
        return evaluation_results(results)

    def begin_run(
        self, ctx: ExecutionContext, samples: SampleCollection
    ) -> dict[str, Any]:
        """Registers the evaluation."""
        from ..datasets.evaluations.tasks import begin_tasks

        return begin_tasks(samples, self.kind, **_what_to_measure(ctx, self.kind))

    def run_task(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        number: int,
        progress: ProgressArgument,
    ) -> dict[str, Any]:
        """Measures a part of the samples."""
        from ..datasets.evaluations.tasks import measure_part

        return measure_part(target_samples(ctx), run.plan, progress)

    def join_tasks(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        parts: list[dict[str, Any]],
        progress: ProgressArgument,
    ) -> Results:
        """Saves the results, and returns the eval key and the summary."""
        from ..datasets.evaluations.tasks import join_parts

        return evaluation_results(join_parts(ctx.dataset, run.plan, parts))

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Shows the new fields, and opens the panel beside the grid."""
        yield ctx.ops.reload_dataset()
        if not is_of_tasks(results):
            yield open_beside(ctx, "mask_evaluation")

    def warnings(self, results: Results) -> list[str]:
        """Returns what has no number, and splits that differ."""
        summary = results["summary"]
        found = []
        if number := summary["images_without_number"]:
            named = summary["without_number"]
            what = "could not be measured" if named else "have not been measured yet"
            found.append(in_sentence(number, what, named[0] if named else None))
        return found

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns the other evaluation, the search for issues and the report."""
        summary = results["summary"]
        mask_field, label_field = summary["mask_field"], summary["label_field"]
        fields = {"mask_field": mask_field, "label_field": label_field}
        steps = []
        if not _last_run(ctx.dataset, self.other):
            why = f"Measure the {self.other} of the same masks"
            steps.append(next_step(f"evaluate_mask_{self.other}", why, **fields))
        if label_field is not None:
            why = "Mark masks that look wrong: empty, tiny, hidden, duplicate"
            steps.append(next_step("find_mask_issues", why, **fields))
        why = "Write the figures as one HTML file; give output_path"
        eval_keys = [results["eval_key"]]
        return [*steps, next_step("write_report", why, eval_keys=eval_keys)]

    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Shows the totals."""
        summary = results["summary"]
        outputs.view(
            "done",
            outcome(
                summary["images"],
                label=f"Evaluation {bold(results['eval_key'])} of "
                f"{count(summary['images'], 'image')}",
                description=self.sentence(summary),
                caption="The panel **Mask evaluation** shows the distribution",
            ),
        )

    def sentence(self, summary: dict[str, Any]) -> str:
        """Returns what the evaluation found in one sentence."""
        raise NotImplementedError

    def _ask(
        self, ctx: ExecutionContext, inputs: types.Object, mask_fields: list[str]
    ) -> None:
        params = ctx.params
        target = target_samples(ctx)
        last = _last_run(ctx.dataset, self.kind)
        mask_field = choose_field(
            inputs,
            "mask_field",
            mask_fields,
            params.get("mask_field"),
            label="Masks",
            description="The masks to measure",
            usual=last.mask_field if last else "mask",
        )
        labels = drawable_fields(ctx.dataset)
        label_field = choose(
            inputs,
            "label_field",
            [
                *(Choice(name) for name in labels),
                Choice(_NO_LABELS, "None: whole masks only"),
            ],
            given_field(params, "label_field", _NO_LABELS),
            label="Objects",
            description="Also measure each label of this field",
            default=_default_labels(ctx.dataset, mask_field, labels, last),
        )
        eval_key = self._ask_for_key(ctx, inputs, last)
        with section(ctx, inputs, "more", "More options"):
            ask_for_num_tasks(inputs)
        if eval_key and mask_field and label_field:
            self._say_what_will_happen(ctx, inputs, target, eval_key, label_field)

    def _ask_for_key(
        self, ctx: ExecutionContext, inputs: types.Object, last: _LastRun | None
    ) -> str | None:
        from ..datasets.evaluations import list_mask_evaluations
        from ..datasets.evaluations.runs import run_kind
        from ..datasets.run_keys import check_key

        default = last.key if last else f"mask_{self.kind}"
        present = list_mask_evaluations(ctx.dataset, kind=self.kind)
        there_are = f". There are: {names(present)}" if present else ""
        given = ctx.params.get("eval_key") or default
        field = inputs.str(
            "eval_key",
            label="Evaluation key",
            description="The name of the evaluation; its fields begin with it"
            + plain(there_are),
            default=default,
        )
        if is_refused(field, check_key, ctx.dataset, given):
            return None
        if given in ctx.dataset.list_runs():
            found = run_kind(ctx.dataset, given)
            if found != self.kind:
                what = f"a mask {found} evaluation" if found else "another run"
                reject(field, f"'{given}' is the key of {what}; give another")
                return None
        return given

    def _say_what_will_happen(
        self,
        ctx: ExecutionContext,
        inputs: types.Object,
        target: Any,
        key: str,
        label_field: str,
    ) -> None:
        from ..datasets.evaluations.covered import count_others

        with_labels = label_field != _NO_LABELS
        fields = list(self.sample_fields)
        if with_labels:
            fields += self.sample_fields_with_labels
        written = ", ".join(code(f"{key}_{name}") for name in fields)
        text = f"Writes {written} on {images_in(target)}"
        if with_labels and self.label_fields:
            on_labels = ", ".join(code(f"{key}_{name}") for name in self.label_fields)
            text += f", and {on_labels} on each label of {code(label_field)}"
        if key in ctx.dataset.list_runs():
            others = known(
                f"looking for samples of '{key}' elsewhere",
                ("others", key),
                target,
                lambda: count_others(target, key),
            )
            replaced = f"Replaces the evaluation {bold(key)} and its fields"
            if others:
                replaced = (
                    f"Evaluates {images_in(target)} of {bold(key)} again and "
                    f"leaves {count(others, 'other')} as measured"
                )
            warn(inputs, "outcome", replaced, text)
        else:
            note(inputs, "outcome", text)


def _what_to_measure(ctx: ExecutionContext, kind: EvaluationName) -> dict[str, Any]:
    """Returns the arguments of the SDK that decide what is measured."""
    params = ctx.params
    last = _last_run(ctx.dataset, kind)
    mask_field = params.get("mask_field") or default_field(
        segmentation_fields(ctx.dataset), last.mask_field if last else "mask"
    )
    label_field = given_field(params, "label_field", _NO_LABELS) or _default_labels(
        ctx.dataset, mask_field, drawable_fields(ctx.dataset), last
    )
    return {
        "mask_field": mask_field,
        "label_field": None if label_field == _NO_LABELS else label_field,
        "eval_key": params.get("eval_key") or (last.key if last else f"mask_{kind}"),
    }


def evaluation_results(results: Any) -> Results:
    """Returns what an evaluation says, as JSON holds it."""
    differences = results.compare_splits()
    return {
        "eval_key": results.key,
        "summary": results.summary(),
        "per_class": records(results.per_class()),
        "per_split": records(results.per_split()),
        "split_differences": differences["text"].tolist() if len(differences) else [],
    }


class _LastRun(NamedTuple):
    """The evaluation of a kind that was made last."""

    key: str
    mask_field: str
    label_field: str | None


def _last_run(dataset: Dataset, kind: EvaluationName) -> _LastRun | None:
    from ..datasets.evaluations import list_mask_evaluations, mask_evaluation_info

    keys = list_mask_evaluations(dataset, kind=kind)
    infos = {key: mask_evaluation_info(dataset, key) for key in keys}
    if not infos:
        return None
    key = max(infos, key=lambda key: infos[key].evaluated_at)
    return _LastRun(key, infos[key].mask_field, infos[key].label_field)


def _default_labels(
    dataset: Dataset,
    mask_field: str | None,
    labels: list[str],
    last: _LastRun | None,
) -> str:
    """Returns the labels of the last evaluation, or those the masks were drawn from."""
    from ..datasets.masks.field import mask_options

    if last is not None and last.mask_field == mask_field:
        label_field = last.label_field
        return label_field if label_field in labels else _NO_LABELS

    made = mask_options(dataset, mask_field) if mask_field else None
    drawn = made["label_field"] if made else _NO_LABELS
    return drawn if drawn in labels else _NO_LABELS
