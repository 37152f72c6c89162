"""Objects against objects: ours beside FiftyOne's own way, in one run.

python -m benchmarks.match_objects [--images 20] [--runs 3]

FiftyOne's is ``evaluate_detections(use_masks=True)`` on instance masks of the same
objects, which matches by mask IoU too.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .common import own_fiftyone, print_table, write_export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    folder = own_fiftyone()

    import fiftyone as fo

    import fiftyone_cocomask as fcm

    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)
    _jitter(dataset)
    for field, mask in (("segmentations", "mask"), ("moved", "moved_mask")):
        fcm.compute_masks(dataset, field, mask, progress=False)
    comparison = fcm.compare_masks(dataset, "moved_mask", eval_key="ours")
    for name in ("segmentations", "moved"):
        _add_detections(dataset, name)

    def theirs() -> Any:
        return dataset.evaluate_detections(
            "moved_boxes",
            gt_field="segmentations_boxes",
            eval_key="theirs",
            use_masks=True,
            classwise=False,
        )

    ours_ms, table = _median(comparison.objects, options)
    theirs_ms, results = _median(theirs, options)
    pairs = int(table["outcome"].isin(["found", "confused"]).sum())
    their_pairs = sum(
        1
        for a, b in zip(results.ytrue, results.ypred, strict=True)
        if results.missing not in (a, b)
    )
    print(f"FiftyOne {fo.__version__}, {options.images} images, {len(table)} rows")
    print_table(
        [
            _row("evaluate_detections(use_masks=True)", theirs_ms, their_pairs, None),
            _row("compare_masks(...).objects()", ours_ms, pairs, theirs_ms),
        ]
    )


def _jitter(dataset: Any) -> None:
    """Adds the objects once more, each moved by up to 4 pixels."""
    import fiftyone as fo

    random = np.random.default_rng(5)
    for sample in dataset.iter_samples(autosave=True):
        lines = []
        for line in sample["segmentations"].polylines:
            offset = random.uniform(-4, 4, 2) / 640
            points = [
                [(x + offset[0], y + offset[1]) for x, y in r] for r in line.points
            ]
            lines.append(
                fo.Polyline(label=line.label, points=points, closed=True, filled=True)
            )
        sample["moved"] = fo.Polylines(polylines=lines)


def _add_detections(dataset: Any, field: str) -> None:
    """Adds the objects of a field as boxes with instance masks."""
    import fiftyone as fo

    for sample in dataset.iter_samples(autosave=True):
        size = (sample.metadata.width, sample.metadata.height)
        detections = [
            line.to_detection(frame_size=size) for line in sample[field].polylines
        ]
        sample[f"{field}_boxes"] = fo.Detections(detections=detections)


def _median(call: Callable[[], Any], options: argparse.Namespace) -> tuple[float, Any]:
    """Returns the median of the CPU time of a call per image in ms, and its result."""
    taken, found = [], None
    for _ in range(options.runs):
        begin = time.process_time()
        found = call()
        taken.append(1000 * (time.process_time() - begin) / options.images)
    return statistics.median(taken), found


def _row(what: str, taken: float, pairs: int, other: float | None) -> dict[str, Any]:
    return {
        "what": what,
        "CPU ms/image": f"{taken:.1f}",
        "pairs": pairs,
        "times faster": f"{other / taken:.1f}" if other else "",
    }


if __name__ == "__main__":
    main()
