"""Evaluations of masks: area and coverage, as runs of a dataset."""

from ..figures.histogram import Histogram, field_histogram, histogram_view
from .area import evaluate_mask_area
from .area_results import AreaResults
from .coverage import evaluate_mask_coverage
from .coverage_results import CoverageResults
from .loading import load_mask_evaluation
from .refresh import refresh_mask_evaluations
from .results import MaskEvaluation
from .runs import (
    MaskEvaluationInfo,
    delete_mask_evaluation,
    list_mask_evaluations,
    mask_evaluation_info,
    rename_mask_evaluation,
)

__all__ = [
    "AreaResults",
    "CoverageResults",
    "Histogram",
    "MaskEvaluation",
    "MaskEvaluationInfo",
    "delete_mask_evaluation",
    "evaluate_mask_area",
    "evaluate_mask_coverage",
    "field_histogram",
    "histogram_view",
    "list_mask_evaluations",
    "load_mask_evaluation",
    "mask_evaluation_info",
    "refresh_mask_evaluations",
    "rename_mask_evaluation",
]
