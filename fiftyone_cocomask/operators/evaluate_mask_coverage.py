"""Operator: the share of each image that its mask covers."""

from __future__ import annotations

from typing import Any

from ..fiftyone_types import SampleCollection
from ..words import count
from .evaluation import EvaluationOperator


class EvaluateMaskCoverage(EvaluationOperator):
    """Computes which share of each image its mask covers."""

    kind = "coverage"
    other = "area"
    sample_fields = ("ratio",)
    sample_fields_with_labels = ("overlap", "classes")

    def __call__(
        self,
        samples: SampleCollection,
        mask_field: str = "mask",
        *,
        label_field: str | None = None,
        eval_key: str = "mask_coverage",
        num_tasks: int = 1,
        delegate: bool = False,
    ) -> Any:
        """Computes which share of each image its mask covers.

        Example::

            import fiftyone.operators as foo

            evaluate_mask_coverage = foo.get_operator(
                "@cocomask/cocomask/evaluate_mask_coverage"
            )
            result = evaluate_mask_coverage(dataset, "mask")
            print(result.result["summary"]["mean_coverage_over_images"])

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
        from ..datasets.evaluations import evaluate_mask_coverage

        return evaluate_mask_coverage(samples, **kwargs)

    def sentence(self, summary: dict[str, Any]) -> str:
        """Returns what the evaluation found in one sentence."""
        if not summary["images"]:
            return "No image has a number"
        images = summary["mean_coverage_over_images"]
        pixels = summary["mean_coverage_over_pixels"]
        over_pixels = "" if pixels is None else f", {pixels:.1%} over all pixels"
        return (
            f"Masks cover {images:.1%} of an image on average{over_pixels}; "
            f"{count(summary['empty_images'], 'image')} without foreground"
        )
