"""Roboflow COCO exports to exact masks, and mask evaluations, in FiftyOne.

FiftyOne loads this module at start-up to register the plugin, so it imports nothing
but the registration code; each name of the SDK is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .coco.check import check_export
    from .coco.comparison import ExportComparison
    from .coco.issues import Issue, IssueCode
    from .coco.report import ExportReport
    from .datasets.comparison.compare import compare_masks
    from .datasets.evaluations import (
        delete_mask_evaluation,
        evaluate_mask_area,
        evaluate_mask_coverage,
        list_mask_evaluations,
        load_mask_evaluation,
        refresh_mask_evaluations,
        rename_mask_evaluation,
    )
    from .datasets.exporting.coco import export_roboflow_coco
    from .datasets.exporting.coco_report import CocoExportReport
    from .datasets.exporting.compare import compare_exports
    from .datasets.exporting.masks import export_cutouts, export_masks
    from .datasets.fixing.classes import merge_classes
    from .datasets.fixing.deleting import delete_objects
    from .datasets.fixing.fix import (
        fix_mask_issues,
        list_mask_fixes,
        undo_mask_fixes,
    )
    from .datasets.fixing.report import FixReport
    from .datasets.importing.importing import import_roboflow_coco
    from .datasets.issues import IssueLimits, clear_mask_issues, find_mask_issues
    from .datasets.masks.compute import compute_masks
    from .datasets.masks.report import MaskReport
    from .datasets.outlines.rank import (
        delete_outline_ranking,
        list_outline_rankings,
        load_outline_ranking,
        rank_mask_outlines,
    )
    from .datasets.outlines.ranking import OutlineRanking
    from .datasets.reports.write import write_report
    from .errors import CocoMaskError, ExportError, MaskFileError
    from .processor import COCOProcessor

_MODULE_OF_NAME = {
    "check_export": ".coco.check",
    "ExportReport": ".coco.report",
    "Issue": ".coco.issues",
    "IssueCode": ".coco.issues",
    "import_roboflow_coco": ".datasets.importing.importing",
    "compute_masks": ".datasets.masks.compute",
    "write_report": ".datasets.reports.write",
    "MaskReport": ".datasets.masks.report",
    "evaluate_mask_area": ".datasets.evaluations",
    "evaluate_mask_coverage": ".datasets.evaluations",
    "compare_masks": ".datasets.comparison.compare",
    "find_mask_issues": ".datasets.issues",
    "clear_mask_issues": ".datasets.issues",
    "IssueLimits": ".datasets.issues",
    "merge_classes": ".datasets.fixing.classes",
    "delete_objects": ".datasets.fixing.deleting",
    "fix_mask_issues": ".datasets.fixing.fix",
    "undo_mask_fixes": ".datasets.fixing.fix",
    "list_mask_fixes": ".datasets.fixing.fix",
    "FixReport": ".datasets.fixing.report",
    "OutlineRanking": ".datasets.outlines.ranking",
    "rank_mask_outlines": ".datasets.outlines.rank",
    "load_outline_ranking": ".datasets.outlines.rank",
    "list_outline_rankings": ".datasets.outlines.rank",
    "delete_outline_ranking": ".datasets.outlines.rank",
    "list_mask_evaluations": ".datasets.evaluations",
    "load_mask_evaluation": ".datasets.evaluations",
    "refresh_mask_evaluations": ".datasets.evaluations",
    "rename_mask_evaluation": ".datasets.evaluations",
    "delete_mask_evaluation": ".datasets.evaluations",
    "compare_exports": ".datasets.exporting.compare",
    "ExportComparison": ".coco.comparison",
    "export_roboflow_coco": ".datasets.exporting.coco",
    "CocoExportReport": ".datasets.exporting.coco_report",
    "export_masks": ".datasets.exporting.masks",
    "export_cutouts": ".datasets.exporting.masks",
    "COCOProcessor": ".processor",
    "CocoMaskError": ".errors",
    "ExportError": ".errors",
    "MaskFileError": ".errors",
}

__all__ = [
    "COCOProcessor",
    "CocoExportReport",
    "CocoMaskError",
    "ExportComparison",
    "ExportError",
    "ExportReport",
    "FixReport",
    "Issue",
    "IssueCode",
    "IssueLimits",
    "MaskFileError",
    "MaskReport",
    "OutlineRanking",
    "check_export",
    "clear_mask_issues",
    "compare_exports",
    "compare_masks",
    "compute_masks",
    "delete_mask_evaluation",
    "delete_objects",
    "delete_outline_ranking",
    "evaluate_mask_area",
    "evaluate_mask_coverage",
    "export_cutouts",
    "export_masks",
    "export_roboflow_coco",
    "find_mask_issues",
    "fix_mask_issues",
    "import_roboflow_coco",
    "list_mask_evaluations",
    "list_mask_fixes",
    "list_outline_rankings",
    "load_mask_evaluation",
    "load_outline_ranking",
    "merge_classes",
    "rank_mask_outlines",
    "refresh_mask_evaluations",
    "rename_mask_evaluation",
    "undo_mask_fixes",
    "write_report",
]


# A type checker would take it for a promise that there is every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        module = _MODULE_OF_NAME.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(module, __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def register(plugin: Any) -> None:
    """Registers the plugin's operators and panels; FiftyOne calls it.

    Args:
        plugin: the ``fiftyone.plugins.context.PluginContext``
    """
    from . import operators, panels

    operators.register(plugin)
    panels.register(plugin)
