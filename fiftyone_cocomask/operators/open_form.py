"""Operator: opens the form of another one, filled in, as the step that comes next."""

from __future__ import annotations

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..fiftyone_types import ExecutionContext
from ..plugin_folder import NAME
from .choosing import Choice, choose
from .form_operator import FormOperator
from .results import NextStep, Results, completed

_FORMS = (
    "import_roboflow_coco",
    "compute_masks",
    "evaluate_mask_area",
    "evaluate_mask_coverage",
    "compare_masks",
    "find_mask_issues",
    "fix_mask_issues",
    "merge_classes",
    "delete_objects",
    "undo_mask_fixes",
    "refresh_mask_evaluations",
    "list_mask_evaluations",
    "write_report",
    "export_roboflow_coco",
    "compare_exports",
    "export_masks",
    "export_cutouts",
)


class OpenForm(FormOperator):
    """Opens a form. Buttons of summaries trigger it: they cannot fill a form in."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="open_form",
            label="Open a form",
            description="Open the form of another operator, filled in",
            icon="/assets/inspect.svg",
            unlisted=True,
            risk_level=types.RiskLevel.LOW,
            view_target=False,
        )

    def ask(self, ctx: ExecutionContext, inputs: types.Object) -> None:
        """Asks which form; for callers, as the App is not shown this one."""
        choose(
            inputs,
            "form",
            [Choice(name) for name in _FORMS],
            ctx.params.get("form"),
            label="Form",
            description="The operator whose form is opened",
        )
        inputs.obj("answers", label="Answers", description="What is filled in")

    def execute(self, ctx: ExecutionContext) -> Results:
        """Opens the form."""
        answers = ctx.params.get("answers") or {}
        ctx.prompt(f"{NAME}/{ctx.params['form']}", params=answers)
        return completed({"form": ctx.params["form"]})


def add_next_step(outputs: types.Object, step: NextStep) -> None:
    """Adds a button to a summary that opens the form of what comes next."""
    operator = foo.get_operator(step["operator"])
    outputs.btn(
        f"next_{operator.name}",
        label=operator.config.label,
        description=step["why"],
        on_click=f"{NAME}/open_form",
        params={"form": operator.name, "answers": step["params"]},
        variant="contained",
    )
