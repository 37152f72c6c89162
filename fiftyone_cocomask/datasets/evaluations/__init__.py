"""Evaluations of masks: area, coverage, and what is wrong with them."""

from .area import evaluate_mask_area, size_bucket
from .area_results import AreaResults
from .compare import compare_masks
from .comparison import MaskComparison
from .coverage import evaluate_mask_coverage
from .coverage_results import CoverageResults
from .find_issues import (
    clear_mask_issues,
    find_mask_issues,
    list_mask_issues,
    load_mask_issues,
)
from .histogram import Histogram, field_histogram, histogram_view
from .issue_rules import IssueLimits, MaskIssue
from .issue_search import MaskIssueReport
from .results import MaskEvaluation
from .runs import (
    MaskEvaluationInfo,
    delete_mask_evaluation,
    list_mask_evaluations,
    load_mask_evaluation,
    mask_evaluation_info,
    rename_mask_evaluation,
)

__all__ = [
    "AreaResults",
    "CoverageResults",
    "Histogram",
    "IssueLimits",
    "MaskComparison",
    "MaskEvaluation",
    "MaskEvaluationInfo",
    "MaskIssue",
    "MaskIssueReport",
    "clear_mask_issues",
    "compare_masks",
    "delete_mask_evaluation",
    "evaluate_mask_area",
    "evaluate_mask_coverage",
    "field_histogram",
    "find_mask_issues",
    "histogram_view",
    "list_mask_evaluations",
    "list_mask_issues",
    "load_mask_evaluation",
    "load_mask_issues",
    "mask_evaluation_info",
    "rename_mask_evaluation",
    "size_bucket",
]
