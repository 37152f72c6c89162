"""The search for mask issues, and the ranking of outlines, beside the two evaluations.

python -m benchmarks.find_mask_issues EXPORT [--runs 5]

All are called in turns on one dataset, so that a busy machine slows them alike.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common import own_fiftyone, peak_megabytes, print_table, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    own_fiftyone()

    import fiftyone_cocomask as fcm

    dataset, _ = fcm.import_roboflow_coco(options.export, "benchmark", progress=False)
    fcm.compute_masks(dataset, progress=False)

    def evaluate() -> None:
        for evaluation in (fcm.evaluate_mask_area, fcm.evaluate_mask_coverage):
            evaluation(
                dataset,
                label_field="segmentations",
                eval_key=evaluation.__name__,
                progress=False,
            )

    calls: dict[str, Callable[[], Any]] = {
        "both evaluations": evaluate,
        "find_mask_issues": lambda: fcm.find_mask_issues(dataset, progress=False),
        "rank_mask_outlines": lambda: fcm.rank_mask_outlines(dataset, progress=False),
        "fix_mask_issues, dry run": lambda: fcm.fix_mask_issues(
            dataset, dry_run=True, progress=False
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(options.runs):
        for name, call in calls.items():
            taken[name].append(seconds(call))
    baseline = statistics.median(taken["both evaluations"])
    labels = dataset.count("segmentations.polylines")
    print(f"{len(dataset):,} images, {labels:,} labels")
    print_table(
        [
            {
                "what": name,
                "seconds": f"{statistics.median(times):.2f}",
                "spread": f"{min(times):.2f} to {max(times):.2f}",
                "times both evaluations": f"{statistics.median(times) / baseline:.2f}",
                "ms a label": f"{1000 * statistics.median(times) / labels:.2f}",
                "peak MB": f"{peak_megabytes():.0f}",
            }
            for name, times in taken.items()
        ]
    )


if __name__ == "__main__":
    main()
