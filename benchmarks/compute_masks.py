"""`compute_masks` against FiftyOne's `objects_to_segmentations`, in one run.

python -m benchmarks.compute_masks [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import argparse
from functools import partial
from itertools import count
from typing import Any

from .common import (
    link_plugin,
    median_seconds,
    medians_in_turns,
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
    import fiftyone.operators as foo
    import fiftyone.utils.labels as foul

    import fiftyone_cocomask as fcm

    link_plugin()
    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)
    rows: list[dict[str, Any]] = []
    baseline = None

    def add_row(name: str, taken: float) -> None:
        rows.append(
            {
                "what": name,
                "seconds": f"{taken:.2f}",
                "ms/image": f"{1000 * taken / options.images:.2f}",
                "times faster": f"{baseline / taken:.1f}" if baseline else "",
                "peak MB": f"{peak_megabytes():.0f}",
            }
        )

    if options.baseline_runs:
        taken = median_seconds(
            lambda: foul.objects_to_segmentations(
                dataset,
                "segmentations",
                "seg",
                output_dir=str(folder / "seg"),
                overwrite=True,
            ),
            options.baseline_runs,
        )
        add_row("objects_to_segmentations", taken)
        baseline = taken

    # New files each time, as for FiftyOne's function.
    folders = (str(folder / f"masks_{number}") for number in count())

    def undo() -> None:
        dataset.delete_sample_field("mask")

    def with_sdk(rasterizer: str, workers: int) -> None:
        fcm.compute_masks(
            dataset,
            output_dir=next(folders),
            rasterizer=rasterizer,  # type: ignore[arg-type]
            num_workers=workers,
        )

    def with_plugin(rasterizer: str, workers: int) -> None:
        foo.execute_operator(
            "@cocomask/cocomask/compute_masks",
            dataset=dataset,
            params={
                "output_dir": next(folders),
                "rasterizer": rasterizer,
                "num_workers": workers,
            },
        )

    for function, caller in ((with_sdk, ""), (with_plugin, " through the plugin")):
        for rasterizer in ("coco", "opencv"):
            # In turns, so that what slows the machine slows both.
            one, two = medians_in_turns(
                [partial(function, rasterizer, workers) for workers in (1, 2)],
                options.runs,
                undo=undo,
            )
            add_row(f"{rasterizer}{caller}, 1 process", one)
            add_row(f"{rasterizer}{caller}, 2 processes", two)
            print(f"{rasterizer}{caller}: two processes {one / two:.2f} times faster")
    fcm.compute_masks(dataset)
    again = median_seconds(lambda: fcm.compute_masks(dataset), options.runs)
    add_row("coco again, nothing changed", again)
    print(f"FiftyOne {fo.__version__}, {options.images} images")
    print_table(rows)


if __name__ == "__main__":
    main()
