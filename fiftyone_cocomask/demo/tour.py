"""What comes after the evaluations: find, rank, fix, compare, report, write back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import fiftyone as fo

LABELS = "segmentations"


def find_and_fix(dataset: fo.Dataset, *, is_drawn: bool) -> None:
    """Finds labels that look wrong, ranks all, and repairs what can be.

    Args:
        dataset: the dataset
        is_drawn: whether its labels are the demo's; those of a person are not changed,
            and the repairs are only shown
    """
    from ..datasets.fixing.fix import fix_mask_issues, undo_mask_fixes
    from ..datasets.issues import find_mask_issues
    from ..datasets.outlines.rank import rank_mask_outlines

    print("\nLooking for labels that look wrong")
    print(find_mask_issues(dataset, LABELS, "mask").summary())
    print("\nRanking the labels by how well their outlines lie on edges; the worst:")
    worst = rank_mask_outlines(dataset, LABELS).worst(3)
    table = worst[["label", "edge", "offset", "score"]].to_string(index=False)
    print(table if len(worst) else "No label has an outline to rank")
    print("\nRepairing what has one safe repair")
    print(fix_mask_issues(dataset, dry_run=not is_drawn).summary())
    if is_drawn:
        print("Undone, label by label, and repaired once more:")
        print(undo_mask_fixes(dataset).summary())
        fix_mask_issues(dataset)


def compare_rasterizers(dataset: fo.Dataset) -> None:
    """Compares the masks with those of OpenCV, as a person's with a model's."""
    from ..datasets.comparison.compare import compare_masks
    from ..datasets.masks.compute import compute_masks

    print("\nComparing with masks that OpenCV draws")
    compute_masks(dataset, LABELS, "mask_opencv", rasterizer="opencv")
    found = compare_masks(
        dataset, "mask_opencv", gt_field="mask", eval_key="opencv_vs_coco"
    ).summary()
    if found["area_error_percent"] is None or found["mean_iou"] is None:
        print("There is no pixel to compare")
        return
    print(f"area {found['area_error_percent']:+.2f}%, mean IoU {found['mean_iou']:.3f}")


def write_back(dataset: fo.Dataset, export: Path, folder: Path) -> None:
    """Writes a report and the dataset as an export, and compares that with its own."""
    from ..datasets.exporting.coco import export_roboflow_coco
    from ..datasets.exporting.compare import compare_exports
    from ..datasets.reports.write import write_report

    print("\nWriting a report, and the dataset back as an export")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"The report is {write_report(dataset, folder / 'report.html')}")
    written = folder / "export-fixed"
    # Of an earlier run of the demo; images are never replaced.
    report = export_roboflow_coco(dataset, written, images="link", overwrite=True)
    print(report.summary())
    print(f"\nWhat is different from {export}:")
    print(compare_exports(export, written).summary())
