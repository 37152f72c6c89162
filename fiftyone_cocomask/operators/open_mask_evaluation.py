"""Operator: the panel of evaluations beside the grid."""

from __future__ import annotations

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from .beside_grid import open_beside
from .form_operator import FormOperator
from .markdown import unmarked
from .prerequisites import samples_problem
from .results import Results, completed


class OpenMaskEvaluation(FormOperator):
    """Opens the panel that shows mask evaluations."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="open_mask_evaluation",
            label="Open the mask evaluation panel",
            description="Open the panel of charts and tables, beside the grid",
            icon="/assets/evaluate.svg",
            risk_level=types.RiskLevel.LOW,
            view_target=False,
        )

    def resolve_placement(self, ctx: ExecutionContext) -> types.Placement:
        """Returns the button in the grid's toolbar."""
        return self.grid_button(prompt=False)

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks nothing: the App opens the panel at once."""

    def execute(self, ctx: ExecutionContext) -> Results:
        """Opens the panel, or says why there is none to open."""
        problem = samples_problem(ctx)
        if problem is not None:
            # The App shows no panels where there is nothing to show in the grid.
            ctx.ops.notify(unmarked(problem), variant="warning")
            return completed({"panel": None}, [unmarked(problem)])
        open_beside(ctx, "mask_evaluation")
        return completed({"panel": "mask_evaluation"})
