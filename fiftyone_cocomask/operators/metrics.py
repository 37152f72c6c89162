"""Operators: the two metrics that FiftyOne's own evaluations can be given."""

from __future__ import annotations

from typing import Any, ClassVar

import fiftyone.operators as foo
import fiftyone.operators.types as types

from ..described_metrics import AREA_ERROR, COVERAGE_ERROR, Described
from ..fiftyone_types import SampleCollection


class MaskMetric(foo.EvaluationMetric):
    """A metric over :mod:`fiftyone_cocomask.datasets.comparison.metrics`.

    That module is only loaded once a metric is computed.
    """

    described: ClassVar[Described]

    @property
    def config(self) -> foo.EvaluationMetricConfig:
        return foo.EvaluationMetricConfig(
            name=self.described.name,
            label=self.described.label,
            description=self.described.description,
            eval_types=["segmentation"],
            lower_is_better=True,
            unlisted=True,
            # It writes its fields on the samples.
            risk_level=types.RiskLevel.MEDIUM,
        )

    def compute(self, samples: SampleCollection, results: Any) -> float | None:
        """Writes the metric's fields on the samples.

        Args:
            samples: the evaluated samples
            results: FiftyOne's ``SegmentationResults``

        Returns:
            the metric's value over all samples, None if it is not defined
        """
        from ..datasets.comparison.metrics import write_metric

        return write_metric(samples, results, self._metric())

    def get_fields(
        self, samples: SampleCollection, config: Any, eval_key: str
    ) -> list[str]:
        """Returns the names of the fields that :meth:`compute` wrote."""
        fields = self._metric().fields(eval_key)
        return [name for name in fields if samples.has_field(name)]

    def _metric(self) -> Any:
        from ..datasets.comparison.metrics import METRICS

        return next(metric for metric in METRICS if metric.described == self.described)


class MaskAreaError(MaskMetric):
    """How far the areas of predicted masks are off."""

    described = AREA_ERROR


class MaskCoverageError(MaskMetric):
    """How far the coverages of predicted masks are off."""

    described = COVERAGE_ERROR
