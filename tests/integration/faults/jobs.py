"""What is disturbed: each function that writes, on a small dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fiftyone as fo
import numpy as np

import fiftyone_cocomask as fcm
from tests.integration.small_export import annotation, image_name, write_split

from .counter import COUNTER

NAME = "disturbed"
LABELS = "segmentations"


@dataclass(frozen=True, slots=True)
class Job:
    """A call, and what is there before it.

    Attributes:
        prepare: makes what is there before, in a database without datasets
        act: the call; after a fault, the same is called again
        always: whether it is tried by default, and not only by ``make faults``
    """

    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    always: bool = True


def dataset() -> fo.Dataset:
    # FiftyOne notes when it loads one.
    with COUNTER.paused():
        return fo.load_dataset(NAME)


def write_export(folder: Path, *, number: int, shift: int) -> None:
    """Writes an export of images with two objects each."""
    names = [image_name(f"{index}") for index in range(number)]
    annotations = []
    for index in range(number):
        for place, side in enumerate((6 + index, 9)):
            x = 3 * place + shift
            ring = [x, 2, x + side, 2, x + side, 2 + side, x, 2 + side]
            annotations.append(
                annotation(
                    2 * index + place,
                    index,
                    category_id=1 + place,
                    segmentation=[ring],
                    bbox=[x, 2, side, side],
                )
            )
    write_split(folder, names, annotations)


def write_exports(folder: Path) -> None:
    write_export(folder / "v1", number=3, shift=4)
    write_export(folder / "v2", number=4, shift=5)


def import_(version: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        fcm.import_roboflow_coco(folder / version, NAME)

    return act


def replace(folder: Path) -> None:
    fcm.import_roboflow_coco(folder / "v2", NAME, if_exists="replace")


def imported(folder: Path) -> None:
    import_("v1")(folder)


def masked(folder: Path) -> None:
    imported(folder)
    fcm.compute_masks(dataset())


def compute_masks(folder: Path) -> None:
    fcm.compute_masks(dataset())


def evaluate_area(folder: Path) -> None:
    fcm.evaluate_mask_area(dataset(), label_field=LABELS, eval_key="area")


def evaluate_coverage(folder: Path) -> None:
    fcm.evaluate_mask_coverage(dataset(), label_field=LABELS, eval_key="cover")


def evaluate_area_of_view(folder: Path) -> None:
    view = dataset().limit(2)
    fcm.evaluate_mask_area(view, label_field=LABELS, eval_key="area")


def compare(folder: Path) -> None:
    fcm.compare_masks(dataset(), "other", eval_key="compared")


def find_issues(folder: Path) -> None:
    fcm.find_mask_issues(dataset(), key="found")


def clear_issues(folder: Path) -> None:
    fcm.clear_mask_issues(dataset(), "found")


def evaluated(folder: Path) -> None:
    """All of it, so that no call disturbs what is not its own."""
    masked(folder)
    evaluate_area(folder)
    evaluate_coverage(folder)
    others = [np.full((30, 40), 255 * (i % 2), np.uint8) for i in range(3)]
    dataset().set_values("other", [fo.Segmentation(mask=mask) for mask in others])
    compare(folder)
    find_issues(folder)


def edited(folder: Path) -> None:
    """All of it, out of date."""
    evaluated(folder)
    for sample in dataset().iter_samples(autosave=True):
        line = sample[LABELS].polylines[0]
        line.points = [[(x / 2, y / 2) for x, y in line.points[0]]]
        sample["other"] = fo.Segmentation(mask=np.full((30, 40), 255, np.uint8))


def broken(folder: Path) -> None:
    """All of it, and a label twice in each image."""
    evaluated(folder)
    for sample in dataset().iter_samples(autosave=True):
        lines = sample[LABELS].polylines
        again = lines[0].copy()
        again.tags = []
        lines.append(again)
    find_issues(folder)


def repair(folder: Path) -> None:
    issues = ["duplicate", "rectangle"]
    fcm.fix_mask_issues(dataset(), issues, key="found", redo=True)


def repaired(folder: Path) -> None:
    broken(folder)
    repair(folder)


def undo_repairs(folder: Path) -> None:
    fcm.undo_mask_fixes(dataset(), redo=True)


def rank(folder: Path) -> None:
    fcm.rank_mask_outlines(dataset())


def rename(key: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        fcm.rename_mask_evaluation(dataset(), key, f"new_{key}")

    return act


def delete(key: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        fcm.delete_mask_evaluation(dataset(), key)

    return act


def refresh(folder: Path) -> None:
    fcm.refresh_mask_evaluations(dataset())


def nothing(folder: Path) -> None:
    """Leaves everything as it is."""


JOBS = {
    "import": Job(nothing, import_("v1")),
    "import of the next version": Job(evaluated, import_("v2")),
    "replace": Job(imported, replace),
    "merge": Job(imported, import_("v2"), always=False),
    "masks": Job(imported, compute_masks),
    "masks again": Job(edited, compute_masks, always=False),
    "area": Job(masked, evaluate_area),
    "area again": Job(edited, evaluate_area, always=False),
    "area of a view again": Job(edited, evaluate_area_of_view),
    "coverage": Job(masked, evaluate_coverage, always=False),
    "coverage again": Job(edited, evaluate_coverage, always=False),
    "comparison": Job(evaluated, compare),
    "comparison again": Job(edited, compare),
    "issues": Job(masked, find_issues, always=False),
    "issues again": Job(edited, find_issues),
    "clear issues": Job(evaluated, clear_issues),
    "repair": Job(broken, repair),
    "undo of repairs": Job(repaired, undo_repairs),
    "ranking of outlines": Job(masked, rank, always=False),
    "ranking again": Job(edited, rank, always=False),
    "refreshing": Job(edited, refresh, always=False),
    "rename area": Job(evaluated, rename("area")),
    "rename coverage": Job(evaluated, rename("cover"), always=False),
    "rename comparison": Job(evaluated, rename("compared")),
    "delete area": Job(evaluated, delete("area")),
    "delete coverage": Job(evaluated, delete("cover"), always=False),
    "delete comparison": Job(evaluated, delete("compared")),
}
