"""Operator: shows the dataset that another operator has filled."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .choosing import Choice, choose
from .form_operator import FormOperator
from .results import Results, completed


class ShowDataset(FormOperator):
    """Shows a dataset in the App: opens it, or reloads it where it is open.

    For operators with a form to trigger, instead of FiftyOne's ``open_dataset``. Where
    the App goes from its page for no samples to that for samples, it makes its dialogs
    again, and shows a form whose operator still runs once more. The App learns of the
    operator's end by one request and draws the new page after another. The two can
    arrive in either order; this operator's extra request makes the end arrive first.
    """

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="show_dataset",
            label="Show a dataset",
            description="Open a dataset in the App, or reload it",
            icon="/assets/import.svg",
            unlisted=True,
            risk_level=types.RiskLevel.LOW,
            view_target=False,
        )

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks which dataset; for callers, as the App is not shown this form."""
        name = ctx.params.get("dataset")
        choose(
            inputs,
            "dataset",
            [Choice(existing) for existing in fo.list_datasets()],
            name,
            label="Dataset",
            description="The dataset to show",
            problem=f"There is no dataset {name!r}",
        )

    def execute(self, ctx: ExecutionContext) -> Results:
        """Shows the dataset."""
        name = ctx.params["dataset"]
        if ctx.dataset_name == name:
            ctx.ops.reload_dataset()
        else:
            ctx.ops.open_dataset(name)
        return completed({"dataset": name})
