"""What the operators share that run a function of the SDK."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, ClassVar

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import without_numpy
from ..errors import CocoMaskError
from ..fiftyone_types import ExecutionContext, SampleCollection
from .form_operator import FormOperator
from .from_app import is_app_request
from .markdown import code_block, plain
from .open_form import add_next_step
from .option_labels import option_labels
from .progress import Progress, follow
from .results import NextStep as NextStep
from .results import Results as Results
from .results import completed

# So many are shown in the App; the results have them all.
_MAX_WARNINGS = 8
# What SDK functions take as ``progress``.
ProgressArgument = Callable[[Any], None] | bool | None


def job_config(
    name: str, label: str, description: str, icon: str, **more: Any
) -> foo.OperatorConfig:
    """Returns the config of a job: its form changes with the answers, and it can wait.

    Args:
        name: the operator's name
        label: what the App calls it
        description: what it does
        icon: the path of its icon in the plugin's folder
        more: what else ``foo.OperatorConfig`` takes
    """
    return foo.OperatorConfig(
        name=name,
        label=label,
        description=description,
        icon=icon,
        dynamic=True,
        execute_as_generator=True,
        allow_delegated_execution=True,
        **more,
    )


class JobOperator(FormOperator):
    """An operator over one function of the SDK.

    In the App it is a generator that moves a progress bar and ends with a summary.
    Called from Python or delegated it simply returns its results: a generator could
    not.
    """

    # What the progress bar says: "Drawing masks: 3 of 21 images".
    verb: ClassVar[str]
    noun: ClassVar[str] = "images"

    def execute_on(
        self, samples: SampleCollection, params: Mapping[str, Any], delegate: bool
    ) -> Any:
        """Executes the operator for a caller from Python.

        Args:
            samples: the dataset or view to work on
            params: the parameters; those that are None have their defaults
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await
        """
        return self.execute_with(params, delegate, view=self.view_of(samples))

    def execute_with(
        self, params: Mapping[str, Any], delegate: bool, **target: Any
    ) -> Any:
        """Executes the operator for a caller from Python.

        Args:
            params: the parameters; those that are None have their defaults
            delegate: whether to queue the job for an orchestrator
            target: the ``view`` to work on, if it works on one

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await
        """
        # FiftyOne takes a whole number of NumPy's for none, and cannot store it.
        given = {n: without_numpy(v) for n, v in params.items() if v is not None}
        return foo.execute_operator(
            self.uri, params=given, request_delegation=delegate, **target
        )

    @abstractmethod
    def run(self, ctx: ExecutionContext, progress: ProgressArgument) -> Results:
        """Does the job.

        Returns:
            the results, as JSON can hold them

        Raises:
            CocoMaskError: if it cannot be done
        """

    @abstractmethod
    def show_results(
        self, ctx: ExecutionContext, outputs: types.Object, results: Results
    ) -> None:
        """Adds a summary of the results to a form."""

    def warnings(self, results: Results) -> list[str]:
        """Returns sentences on what a person should look at."""
        return []

    def next_steps(self, ctx: ExecutionContext, results: Results) -> list[NextStep]:
        """Returns what usually follows."""
        return []

    def completed(self, ctx: ExecutionContext, results: Results) -> Results:
        """Returns the results with what all operators return."""
        return completed(results, self.warnings(results), self.next_steps(ctx, results))

    def update_app(self, ctx: ExecutionContext, results: Results) -> Iterator[Any]:
        """Yields what makes the App show the results."""
        yield ctx.ops.reload_dataset()

    def execute(self, ctx: ExecutionContext) -> Results | Iterator[Any]:
        """Runs the job; see the class."""
        if is_app_request(ctx):
            return self._run_in_app(ctx)
        try:
            if ctx.delegated:
                return self._run_delegated(ctx)
            return self.completed(ctx, self.run(ctx, ctx.params.get("progress")))
        except CocoMaskError as error:
            # FiftyOne answers with the traceback, in which the sentence would be lost.
            raise error.with_traceback(None) from None

    def resolve_output(self, ctx: ExecutionContext) -> types.Property | None:
        """Returns the summary of a finished job."""
        return self._summary(ctx, ctx.results) if ctx.results else None

    def _run_delegated(self, ctx: ExecutionContext) -> Results:
        import fiftyone as fo

        # Also the end of a job that finds nothing to count.
        label = f"{self.verb}: done"

        def report(bar: Any) -> None:
            nonlocal label
            progress = Progress.of_bar(bar)
            label = progress.label(self.verb, self.noun)
            ctx.set_progress(progress=progress.fraction, label=label)

        ctx.set_progress(progress=0, label=self.verb)
        progress = fo.report_progress(report, dt=1.0)
        results = self.completed(ctx, self.run(ctx, progress))
        ctx.set_progress(progress=1, label=label)
        return results

    def _run_in_app(self, ctx: ExecutionContext) -> Generator[Any, None, None]:
        yield ctx.ops.set_progress(label=self.verb, progress=0)
        try:
            results = yield from follow(
                lambda progress: self.completed(ctx, self.run(ctx, progress)),
                lambda progress: self._progress_message(ctx, progress),
            )
            # The summary first: what opens another dataset ends this conversation.
            yield self._show(ctx, self._summary(ctx, results))
            yield from self.update_app(ctx, results)
        except CocoMaskError as error:
            yield from self._show_error(
                ctx, types.Error(label=plain(option_labels(str(error))))
            )
        except Exception as error:
            view = types.Error(
                label=f"Unexpected error in the plugin: {plain(repr(error))}",
                caption=code_block(traceback.format_exc()),
            )
            yield from self._show_error(ctx, view)

    def _progress_message(self, ctx: ExecutionContext, progress: Progress) -> Any:
        label = progress.label(self.verb, self.noun)
        return ctx.ops.set_progress(label=label, progress=progress.fraction)

    def _summary(self, ctx: ExecutionContext, results: Results) -> types.Property:
        outputs = types.Object()
        self.show_results(ctx, outputs, results)
        for number, sentence in enumerate(results["warnings"][:_MAX_WARNINGS]):
            outputs.view(f"warning_{number}", types.Warning(label=plain(sentence)))
        for step in results["next"]:
            add_next_step(outputs, step)
        return types.Property(outputs, view=types.View(label=self.config.label))

    def _show_error(self, ctx: ExecutionContext, view: types.View) -> Iterator[Any]:
        outputs = types.Object()
        outputs.view("error", view)
        yield self._show(
            ctx, types.Property(outputs, view=types.View(label=self.config.label))
        )

    @staticmethod
    def _show(ctx: ExecutionContext, summary: types.Property) -> Any:
        """Replaces the progress bar, which would stay otherwise."""
        return ctx.ops.show_output(summary.to_json(), {})
