"""Operator: the pixels of each mask and of each label."""

from __future__ import annotations

from typing import Any

from ..fiftyone_types import SampleCollection
from ..words import count
from .evaluation import EvaluationOperator


class EvaluateMaskArea(EvaluationOperator):
    """Counts the foreground pixels of masks, and those of each label."""

    kind = "area"
    other = "coverage"
    sample_fields = ("px",)
    label_fields = ("px", "visible_px", "bucket")

    def __call__(
        self,
        samples: SampleCollection,
        mask_field: str = "mask",
        *,
        label_field: str | None = None,
        eval_key: str = "mask_area",
        num_tasks: int = 1,
        delegate: bool = False,
    ) -> Any:
        """Counts the foreground pixels of masks, and those of each label.

        Example::

            import fiftyone.operators as foo

            evaluate_mask_area = foo.get_operator(
                "@cocomask/cocomask/evaluate_mask_area"
            )
            result = evaluate_mask_area(dataset, "mask", label_field="segmentations")
            print(result.result["summary"]["foreground_px"])

        Args:
            samples: the dataset or view
            mask_field: a ``Segmentation`` field
            label_field: a field of Polylines, or of Detections with masks
            eval_key: the key of the evaluation
            num_tasks: the number of delegated operations to queue, each of which
                measures a part of the samples; 1 measures them all here and now
            delegate: whether to queue the job for an orchestrator

        Returns:
            the ``ExecutionResult``, or in a notebook an ``asyncio.Task`` to await; its
            ``result`` has the ``eval_key`` and the ``summary``, and of several tasks
            the ``run`` and ``num_tasks``
        """
        return self.call(
            samples, mask_field, label_field, eval_key, num_tasks, delegate
        )

    def evaluate(self, samples: SampleCollection, **kwargs: Any) -> Any:
        """Calls the SDK's function."""
        from ..datasets.evaluations import evaluate_mask_area

        return evaluate_mask_area(samples, **kwargs)

    def sentence(self, summary: dict[str, Any]) -> str:
        """Returns what the evaluation found in one sentence."""
        text = f"{count(summary['foreground_px'], 'foreground pixel')}"
        if "objects" in summary:
            text += (
                f", {count(summary['objects'], 'object')}: {summary['small']:,} small, "
                f"{summary['medium']:,} medium, {summary['large']:,} large, "
                f"{summary['hidden']:,} hidden"
            )
        return f"{text}; {count(summary['empty_images'], 'image')} without foreground"
