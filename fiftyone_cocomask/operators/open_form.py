"""Operator: opens the form of another one, filled in, as the step that comes next."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
import fiftyone.operators.types as types

from .forms import Choice, choose, form, stop

_PLUGIN = "@cocomask/cocomask"
_FORMS = (
    "import_roboflow_coco",
    "compute_masks",
    "evaluate_mask_area",
    "evaluate_mask_coverage",
    "find_mask_issues",
)


class OpenForm(foo.Operator):
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

    def resolve_input(self, ctx: Any) -> types.Property:
        """Returns the form, for whom asks what the operator takes."""
        inputs = types.Object()
        choose(
            inputs,
            "form",
            [Choice(name) for name in _FORMS],
            ctx.params.get("form"),
            label="Form",
            description="The operator whose form is opened",
        )
        inputs.obj("answers", label="Answers", description="What is filled in")
        if not isinstance(ctx.params.get("answers") or {}, dict):
            stop(inputs, "The answers must be an object")
        return form(inputs, self.config.label)

    def execute(self, ctx: Any) -> None:
        """Opens the form."""
        answers = ctx.params.get("answers") or {}
        ctx.prompt(f"{_PLUGIN}/{ctx.params['form']}", params=answers)


def add_next_step(outputs: types.Object, name: str, label: str, **answers: Any) -> None:
    """Adds a button to a summary that opens the form of what comes next.

    Args:
        outputs: the summary
        name: the operator's name
        label: what the button says
        answers: what is filled in
    """
    outputs.btn(
        f"next_{name}",
        label=label,
        on_click=f"{_PLUGIN}/open_form",
        params={"form": name, "answers": answers},
        variant="contained",
    )
