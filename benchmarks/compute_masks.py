"""`compute_masks` against FiftyOne's `objects_to_segmentations`, in one run.

python -m benchmarks.compute_masks [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import count
from typing import Any

from .common import (
    median_seconds,
    own_fiftyone,
    peak_megabytes,
    print_table,
    write_export,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--baseline-runs", type=int, default=1)
    options = parser.parse_args()
    folder = own_fiftyone()

    import fiftyone as fo
    import fiftyone.utils.labels as foul

    import fiftyone_cocomask as fcm

    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)
    rows: list[dict[str, Any]] = []

    def measure(name: str, function: Any, runs: int, baseline: float | None) -> float:
        taken = median_seconds(function, runs)
        rows.append(
            {
                "what": name,
                "seconds": f"{taken:.2f}",
                "ms/image": f"{1000 * taken / options.images:.2f}",
                "times faster": f"{baseline / taken:.1f}" if baseline else "",
                "peak MB": f"{peak_megabytes():.0f}",
            }
        )
        return taken

    single: dict[str, float] = {}
    ours = [("coco", 1), ("opencv", 1), ("coco", 2), ("opencv", 2)]
    baseline = None
    if options.baseline_runs:
        baseline = measure(
            "objects_to_segmentations",
            lambda: foul.objects_to_segmentations(
                dataset,
                "segmentations",
                "seg",
                output_dir=str(folder / "seg"),
                overwrite=True,
            ),
            options.baseline_runs,
            None,
        )
    for rasterizer, workers in ours:
        # A new field and new files each time, as for FiftyOne's function.
        fields = (f"{rasterizer}_{workers}_{number}" for number in count())

        def run(
            rasterizer: Any = rasterizer,
            workers: int = workers,
            fields: Iterator[str] = fields,
        ) -> None:
            mask_field = next(fields)
            fcm.compute_masks(
                dataset,
                mask_field=mask_field,
                rasterizer=rasterizer,
                num_workers=workers,
            )

        name = f"compute_masks {rasterizer}, {workers} process{'es' * (workers > 1)}"
        taken = measure(name, run, options.runs, baseline)
        if workers == 1:
            single[rasterizer] = taken
        else:
            print(f"{rasterizer}: two processes {single[rasterizer] / taken:.2f} times")
    measure(
        "compute_masks, nothing changed",
        lambda: fcm.compute_masks(dataset, rasterizer="opencv"),
        options.runs,
        baseline,
    )
    print(f"FiftyOne {fo.__version__}, {options.images} images")
    print_table(rows)


if __name__ == "__main__":
    main()
