"""What all operators share: a form with every parameter, in which each is checked."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from contextlib import nullcontext
from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..arguments import check_argument
from ..fiftyone_types import ExecutionContext, SampleCollection
from .forms import form, stop
from .from_app import is_app_request
from .in_time import answered_in_time
from .option_labels import option_labels
from .parameters import complete, without_wrong_types
from .targets import reject_target, target_problem, without_target

_MISSING = (
    "The Python module '{module}' is missing: run fiftyone plugins requirements "
    "{plugin} --install, and restart the App"
)


class FormOperator(foo.Operator):
    """An operator with a form."""

    @abstractmethod
    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Adds to a form what is asked, and what will be written."""

    def view_of(self, samples: SampleCollection) -> Any:
        """Returns what a caller from Python works on as a view.

        Raises:
            CocoMaskError: if it is no dataset or view; calls it what ``__call__`` does
        """
        from ..datasets.targets import Samples

        name = list(inspect.signature(type(self).__call__).parameters)[1]
        return check_argument(name, samples, Samples).view()

    def grid_button(self, *, prompt: bool = True) -> types.Placement:
        """Returns a button of the operator in the toolbar of the grid.

        Args:
            prompt: whether it opens the form, or executes the operator at once
        """
        config = self.config
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(label=config.label, icon=config.icon, prompt=prompt),
        )

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        """Returns the form, with every parameter that the operator takes."""
        inputs = types.Object()
        config = self.config
        call = type(self).__call__ if callable(self) else None
        problem = target_problem(ctx, getattr(config, "view_target", True))
        whole = without_target(ctx) if problem else nullcontext()
        try:
            with (
                answered_in_time(ctx, inputs),
                whole,
                without_wrong_types(ctx, call),
            ):
                self.ask(ctx, inputs)
        except ModuleNotFoundError as error:
            # FiftyOne downloads plugins without what they need.
            stop(inputs, _MISSING.format(module=error.name, plugin=self.plugin_name))
            return form(inputs, config.label)
        if problem is not None:
            reject_target(inputs, problem)
        complete(ctx, inputs, call)
        if is_app_request(ctx):
            for field in inputs.properties.values():
                if field.invalid and not isinstance(field.type, types.Void):
                    field.error_message = option_labels(field.error_message)
        return form(inputs, config.label)
