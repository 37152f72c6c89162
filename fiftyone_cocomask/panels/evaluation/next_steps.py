"""What there is to do where a dataset has no evaluation yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...fiftyone_types import ExecutionContext
from ...operators.label_fields import drawable_fields, segmentation_fields, why_no_field
from ...operators.prerequisites import dataset_problem, samples_problem


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What is missing, and what makes it.

    Attributes:
        title: what is missing
        text: why, and what to do
        operators: the operators that do it, and their labels
    """

    title: str
    text: str
    operators: dict[str, str] = field(default_factory=dict)


def next_steps(ctx: ExecutionContext) -> NextSteps:
    """Returns what has to be done before there is an evaluation to show."""
    import_export = {"import_roboflow_coco": "Import a Roboflow COCO export"}
    if samples_problem(ctx) is not None:
        text = "Import a COCO export to begin."
        return NextSteps("No samples yet", text, import_export)
    problem = dataset_problem(ctx)
    if problem is not None:
        return NextSteps("No masks here", problem)
    if segmentation_fields(ctx.dataset):
        return NextSteps(
            "No mask evaluation yet",
            "Measure the area of the masks, or the share of each image that they "
            "cover.",
            {
                "evaluate_mask_area": "Evaluate mask area",
                "evaluate_mask_coverage": "Evaluate mask coverage",
            },
        )
    if not drawable_fields(ctx.dataset):
        text = why_no_field(ctx.dataset)
        return NextSteps("Nothing to draw masks from", text, import_export)
    text = "Draw the objects of this dataset into masks first."
    return NextSteps("No masks yet", text, {"compute_masks": "Compute masks"})
