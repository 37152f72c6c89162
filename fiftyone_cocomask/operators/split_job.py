"""What the operators share whose job can be split into tasks of one run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone.operators.types as types
from fiftyone.operators.delegated import DelegatedOperationService

from ..errors import CocoMaskError
from ..fiftyone_types import Dataset, ExecutionContext, SampleCollection
from ..words import agree, count
from .from_app import is_from_app
from .job import JobOperator, ProgressArgument, Results
from .results import completed
from .target_samples import target_samples

if TYPE_CHECKING:
    from ..datasets.parallel.shared_runs import SplitRun


class BegunTasks(NamedTuple):
    """A run that was begun.

    Attributes:
        dataset: the dataset that it is about
        run_id: its id
        parts: for each task the samples that it is about
    """

    dataset: Dataset
    run_id: str
    parts: Sequence[SampleCollection]


class TasksOperator(JobOperator):
    """A job that several processes can share, also of several machines.

    With ``num_tasks`` it begins a run and queues that many delegated operations of
    itself, each for a part of the job. Whoever runs `fiftyone delegated launch` on the
    same database takes one after the other. The task that is the last to end joins what
    all have found, so that its results are those of the whole job.
    """

    @abstractmethod
    def run_at_once(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Does the job at once and returns its results."""

    @abstractmethod
    def begin_tasks(self, ctx: ExecutionContext, num_tasks: int) -> BegunTasks:
        """Begins a run of at most so many tasks."""

    @abstractmethod
    def run_task(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        number: int,
        progress: ProgressArgument,
    ) -> dict[str, Any]:
        """Does a part of the job.

        Returns:
            what was found, as MongoDB holds it

        Raises:
            CocoMaskError: if another run has taken the place of this one
        """

    @abstractmethod
    def join_tasks(
        self,
        ctx: ExecutionContext,
        run: SplitRun,
        parts: list[dict[str, Any]],
        progress: ProgressArgument,
    ) -> Results:
        """Ends a run whose parts are done, and returns the results of the whole."""

    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Does the job, queues its tasks, or does one of them."""
        from ..datasets.parallel.shared_runs import check_num_tasks

        if ctx.params.get("task") is not None:
            return self._run_task(ctx, progress)
        num_tasks = ctx.params.get("num_tasks")
        if num_tasks is None:
            num_tasks = 1
        check_num_tasks(num_tasks)
        if num_tasks == 1:
            return self.run_at_once(ctx, progress)
        return self._queue(ctx, self.begin_tasks(ctx, num_tasks))

    def completed(self, ctx: ExecutionContext, results: Results) -> Results:
        """Returns the results with what all operators return."""
        if is_of_tasks(results):
            return completed(results)
        return super().completed(ctx, results)

    def _queue(self, ctx: ExecutionContext, begun: BegunTasks) -> Results:
        from ..datasets.documents import dataset_id, serialized

        service = DelegatedOperationService()
        for number, part in enumerate(begun.parts, 1):
            params = {**ctx.params, "task": {"run": begun.run_id, "number": number}}
            # The target is the part itself.
            for name in ("view_target", "custom_view_target"):
                params.pop(name, None)
            request = {
                "dataset_name": begun.dataset.name,
                "dataset_id": str(dataset_id(begun.dataset)),
                "view": serialized(part),
                "params": params,
                "delegated": True,
            }
            if is_from_app(ctx):
                # So that the task takes its parameters for answers to a form, too.
                request["operator_uri"] = self.uri
            service.queue_operation(
                operator=self.uri,
                label=f"{self.config.label}: task {number} of {len(begun.parts)}",
                delegation_target=ctx.delegation_target,
                context={"request_params": request, "params": params},
                metadata={"inputs_schema": None, "outputs_schema": None},
            )
        return {"run": begun.run_id, "num_tasks": len(begun.parts)}

    def _run_task(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        from ..datasets.parallel.shared_runs import SplitRun

        run_id, number = _checked_task(ctx.params["task"])
        run = SplitRun(ctx.dataset, run_id)
        if run.results is not None:
            # Killed when all was done, but before its operation said so.
            results: Results = run.results
            return results
        run.begin_task(number)
        part = self.run_task(ctx, run, number, progress)
        parts = run.end_task(number, part)
        if parts is not None:
            return self.join_tasks(ctx, run, parts, progress)
        return {"run": run_id, "num_tasks": run.num_tasks, "task": number}

    def _summary(self, ctx: ExecutionContext, results: Results) -> types.Property:
        if not is_of_tasks(results):
            return super()._summary(ctx, results)
        outputs = types.Object()
        of = results["num_tasks"]
        if "task" in results:
            label = f"Task {results['task']} of {of} is done"
            description = "The last one to end joins the results of all"
        else:
            label = f"{count(of, 'task')} {agree(of, 'is', 'are')} queued"
            description = (
                "They are done by whoever runs `fiftyone delegated launch` on this "
                "database; `fiftyone delegated list` shows them"
            )
        outputs.view("tasks", types.Success(label=label, description=description))
        return types.Property(outputs, view=types.View(label=self.config.label))


class SplitJobOperator(TasksOperator):
    """A job on samples, each task of which does it on its part of them."""

    @abstractmethod
    def begin_run(
        self, ctx: ExecutionContext, samples: SampleCollection
    ) -> dict[str, Any]:
        """Begins a run and returns what its tasks have to know, as MongoDB holds it."""

    def begin_tasks(self, ctx: ExecutionContext, num_tasks: int) -> BegunTasks:
        """Splits the samples of the target into views."""
        from ..datasets.parallel.shared_runs import SplitRun, split_view

        samples = target_samples(ctx)
        plan = self.begin_run(ctx, samples)
        parts = split_view(samples, num_tasks)
        return BegunTasks(
            ctx.dataset, SplitRun.begin(ctx.dataset, plan, len(parts)), parts
        )


def is_of_tasks(results: Results) -> bool:
    """Whether results say of tasks that they are queued, or that one of them is done.

    Otherwise they are those of the whole job.
    """
    return "num_tasks" in results


def ask_for_num_tasks(inputs: types.Object) -> None:
    """Asks into how many tasks a job is split."""
    inputs.int(
        "num_tasks",
        label="Tasks",
        description="Queue the job as this many delegated operations, which any number "
        "of `fiftyone delegated launch` workers share; 1 does it here and now",
        default=1,
        required=False,
        min=1,
    )


def _checked_task(task: Any) -> tuple[str, int]:
    """Returns the run and the number of a task."""
    if isinstance(task, dict):
        run_id, number = task.get("run"), task.get("number")
        if isinstance(run_id, str) and isinstance(number, int) and number >= 1:
            return run_id, number
    raise CocoMaskError(
        "task is given to the operations that num_tasks queues; leave it out"
    )
