"""Operators: forms over the functions of the SDK."""

from __future__ import annotations

from typing import Any

from .check_export import CheckExport
from .compute_masks import ComputeMasks
from .evaluate_mask_area import EvaluateMaskArea
from .evaluate_mask_coverage import EvaluateMaskCoverage
from .import_roboflow_coco import ImportRoboflowCoco
from .manage_evaluations import (
    DeleteMaskEvaluation,
    ListMaskEvaluations,
    RenameMaskEvaluation,
)

OPERATORS = (
    CheckExport,
    ImportRoboflowCoco,
    ComputeMasks,
    EvaluateMaskArea,
    EvaluateMaskCoverage,
    ListMaskEvaluations,
    RenameMaskEvaluation,
    DeleteMaskEvaluation,
)


def register(plugin: Any) -> None:
    """Registers the operators.

    Args:
        plugin: the ``fiftyone.plugins.context.PluginContext``
    """
    for operator in OPERATORS:
        plugin.register(operator)
