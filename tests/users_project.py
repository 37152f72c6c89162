"""Code of a user, which `make types` checks: what the public names take and return.

It is not run. Each ``type: ignore`` is a mistake that a type checker must find, since
mypy complains about one that is not needed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from typing_extensions import assert_type

import fiftyone_cocomask as fcm


def use(path: Path, processor: fcm.COCOProcessor) -> None:
    report = fcm.check_export(path)
    assert_type(report, fcm.ExportReport)
    assert_type(report.issues[0], fcm.Issue)
    assert_type(report.issues[0].code, fcm.IssueCode)
    dataset, imported = fcm.import_roboflow_coco(path, "butterflies", if_exists="merge")
    assert_type(imported, fcm.ExportReport)
    masks = fcm.compute_masks(dataset, mode="binary", overlap=["moth", "butterfly"])
    assert_type(masks, fcm.MaskReport)
    assert_type(masks.images, int)
    area = fcm.evaluate_mask_area(dataset, label_field="segmentations")
    assert_type(area.key, str)
    coverage = fcm.evaluate_mask_coverage(dataset)
    assert_type(coverage.heatmap(), np.ndarray)
    assert_type(coverage.is_share, bool)
    assert_type(fcm.list_mask_evaluations(dataset), list[str])
    assert_type(fcm.compare_exports(path, dataset), fcm.ExportComparison)
    exported = fcm.export_roboflow_coco(dataset, path / "back", images="link")
    assert_type(exported, fcm.CocoExportReport)
    assert_type(fcm.fix_mask_issues(dataset), fcm.FixReport)
    assert_type(fcm.rank_mask_outlines(dataset, "segmentations"), fcm.OutlineRanking)
    assert_type(fcm.write_report(dataset, "report.html"), Path)
    mask = processor.create_binary_mask([[0, 0, 4, 0, 4, 4]], 8, 8)
    assert_type(mask, np.ndarray)


def mistakes(path: Path) -> None:
    fcm.compute_masks(path, rasterizer="openvc")  # type: ignore[arg-type]
    fcm.import_roboflow_coco(path, if_exists="append")  # type: ignore[arg-type]
    fcm.export_masks(path, "mask", values="classes")  # type: ignore[arg-type]
    fcm.check_export(path, image_folder=path)  # type: ignore[call-arg]
    fcm.no_such_name(path)  # type: ignore[attr-defined]
