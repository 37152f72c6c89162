"""Operators: forms over the functions of the SDK."""

from __future__ import annotations

from typing import Any

from .check_export import CheckExport
from .compare_exports import CompareExports
from .compare_masks import CompareMasks
from .compute_masks import ComputeMasks
from .delete_objects import DeleteObjects
from .evaluate_mask_area import EvaluateMaskArea
from .evaluate_mask_coverage import EvaluateMaskCoverage
from .export_cutouts import ExportCutouts
from .export_masks import ExportMasks
from .export_roboflow_coco import ExportRoboflowCoco
from .find_mask_issues import ClearMaskIssues, FindMaskIssues
from .fix_mask_issues import FixMaskIssues, UndoMaskFixes
from .import_roboflow_coco import ImportRoboflowCoco
from .manage_evaluations import (
    DeleteMaskEvaluation,
    ListMaskEvaluations,
    RenameMaskEvaluation,
)
from .merge_classes import MergeClasses
from .metrics import MaskAreaError, MaskCoverageError
from .open_form import OpenForm
from .open_mask_evaluation import OpenMaskEvaluation
from .rank_mask_outlines import RankMaskOutlines
from .refresh_mask_evaluations import RefreshMaskEvaluations
from .show_dataset import ShowDataset
from .write_report import WriteReport

OPERATORS = (
    CheckExport,
    ImportRoboflowCoco,
    ComputeMasks,
    EvaluateMaskArea,
    EvaluateMaskCoverage,
    CompareMasks,
    FindMaskIssues,
    ClearMaskIssues,
    FixMaskIssues,
    UndoMaskFixes,
    MergeClasses,
    DeleteObjects,
    RankMaskOutlines,
    RefreshMaskEvaluations,
    ListMaskEvaluations,
    RenameMaskEvaluation,
    DeleteMaskEvaluation,
    OpenMaskEvaluation,
    ShowDataset,
    ExportRoboflowCoco,
    CompareExports,
    WriteReport,
    OpenForm,
    ExportMasks,
    ExportCutouts,
    MaskAreaError,
    MaskCoverageError,
)


def register(plugin: Any) -> None:
    """Registers the operators.

    Args:
        plugin: the ``fiftyone.plugins.context.PluginContext``
    """
    for operator in OPERATORS:
        plugin.register(operator)
