"""The search for mask issues, and the ranking of outlines, beside an evaluation.

The evaluation is that of mask areas. The search is to take at most twice as long, and
at most three times as long as the evaluations of areas and of coverage together.

python -m benchmarks.find_mask_issues EXPORT [--runs 5]

All are called in turns on one dataset, so that a busy machine slows them alike. CPU is
that of all processes, MongoDB among them.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .common import (
    cpu_seconds,
    own_fiftyone,
    peak_megabytes,
    print_table,
    seconds,
)

# What the others are compared with.
_EVALUATION = "evaluate_mask_area"
_FIRST_TIME = (_EVALUATION, "evaluate_mask_coverage", "find_mask_issues")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    own_fiftyone()

    import fiftyone_cocomask as fcm
    from fiftyone_cocomask.datasets.issues import clear_mask_issues, list_mask_issues

    dataset, _ = fcm.import_roboflow_coco(options.export, "benchmark", progress=False)
    fcm.compute_masks(dataset, progress=False)

    def evaluate(evaluation: Callable[..., Any]) -> None:
        evaluation(dataset, label_field="segmentations", eval_key="new", progress=False)

    def forget() -> None:
        """Lets all be done as for the first time: what is known already is quick."""
        for key in fcm.list_mask_evaluations(dataset):
            fcm.delete_mask_evaluation(dataset, key)
        for key in list_mask_issues(dataset):
            clear_mask_issues(dataset, key)

    calls: dict[str, Callable[[], Any]] = {
        _EVALUATION: lambda: evaluate(fcm.evaluate_mask_area),
        "evaluate_mask_coverage": lambda: evaluate(fcm.evaluate_mask_coverage),
        "find_mask_issues": lambda: fcm.find_mask_issues(dataset, progress=False),
        "rank_mask_outlines": lambda: fcm.rank_mask_outlines(dataset, progress=False),
        "fix_mask_issues, dry run": lambda: fcm.fix_mask_issues(
            dataset, dry_run=True, progress=False
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in calls}
    busy: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(options.runs):
        for name, call in calls.items():
            if name in _FIRST_TIME:
                forget()
            began = cpu_seconds()
            taken[name].append(seconds(call))
            busy[name].append(cpu_seconds() - began)
    wall = {name: statistics.median(times) for name, times in taken.items()}
    cpu = {name: statistics.median(times) for name, times in busy.items()}
    labels = dataset.count("segmentations.polylines")
    print(f"{len(dataset):,} images, {labels:,} labels")
    print_table(
        [
            {
                "what": name,
                "seconds": f"{wall[name]:.2f}",
                "spread": f"{min(times):.2f} to {max(times):.2f}",
                "times an evaluation": f"{wall[name] / wall[_EVALUATION]:.2f}",
                "CPU seconds": f"{cpu[name]:.2f}",
                "times its CPU": f"{cpu[name] / cpu[_EVALUATION]:.2f}",
                "ms a label": f"{1000 * wall[name] / labels:.2f}",
                "peak MB": f"{peak_megabytes():.0f}",
            }
            for name, times in taken.items()
        ]
    )
    for what, times in (("seconds", wall), ("CPU seconds", cpu)):
        area, coverage, search = (times[name] for name in _FIRST_TIME)
        print(f"The search takes {search / (area + coverage):.2f} times their {what}")


if __name__ == "__main__":
    main()
