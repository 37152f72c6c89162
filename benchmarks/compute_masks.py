"""`compute_masks` against FiftyOne's `objects_to_segmentations`, in one run.

python -m benchmarks.compute_masks [--images 1000] [--runs 3] [--baseline 1]

Two cores of a machine are seldom twice one: a loop of Python that shares nothing is
timed beside the masks, and its ratio is the most that two processes can have there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from itertools import count
from multiprocessing import get_context

from .common import (
    link_plugin,
    median_seconds,
    medians_in_turns,
    own_fiftyone,
    peak_megabytes,
    print_table,
    write_export,
)

LOOPS = 2
STEPS = 25_000_000


def loop(_: int = 0) -> None:
    for _ in range(STEPS):
        pass


def loops_in_one_process() -> None:
    for _ in range(LOOPS):
        loop()


def loops_in_two_processes() -> None:
    with get_context("fork").Pool(2) as pool:
        pool.map(loop, range(LOOPS), chunksize=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--baseline", type=int, choices=(0, 1), default=1)
    options = parser.parse_args()
    folder = own_fiftyone()

    import fiftyone as fo
    import fiftyone.operators as foo
    import fiftyone.utils.labels as foul

    import fiftyone_cocomask as fcm

    link_plugin()
    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)
    # New files each time.
    folders = (str(folder / f"masks_{number}") for number in count())

    def undo() -> None:
        if dataset.has_field("mask"):
            dataset.delete_sample_field("mask")

    def with_fiftyone() -> None:
        foul.objects_to_segmentations(
            dataset, "segmentations", "mask", output_dir=next(folders)
        )

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

    ways: dict[str, Callable[[], None]] = {}
    for function, caller in ((with_sdk, ""), (with_plugin, " through the plugin")):
        for rasterizer in ("coco", "opencv"):
            for workers in (1, 2):
                name = f"{rasterizer}{caller}, {workers} process"
                ways[name + "es" * (workers > 1)] = partial(
                    function, rasterizer, workers
                )
    loops = {
        "a loop alone, 1 process": loops_in_one_process,
        "a loop alone, 2 processes": loops_in_two_processes,
    }
    ways.update(loops)
    if options.baseline:
        ways = {"objects_to_segmentations": with_fiftyone, **ways}
    # In turns, so that what slows the machine slows all.
    taken = medians_in_turns([*ways.values()], options.runs, undo=undo)
    medians = dict(zip(ways, taken, strict=True))
    fcm.compute_masks(dataset)
    again = median_seconds(lambda: fcm.compute_masks(dataset), options.runs)
    medians["coco again, nothing changed"] = again
    print(f"FiftyOne {fo.__version__}, {options.images} images")
    print(f"medians of {options.runs} runs in turns, peak {peak_megabytes():.0f} MB")
    baseline = medians.get("objects_to_segmentations")
    print_table(
        [
            {
                "what": name,
                "seconds": f"{seconds:.2f}",
                "ms/image": (
                    f"{1000 * seconds / options.images:.2f}"
                    if name not in loops
                    else ""
                ),
                "times faster": (
                    f"{baseline / seconds:.1f}"
                    if baseline and name not in loops
                    else ""
                ),
                "than one process": (
                    f"{medians[name.replace('2 processes', '1 process')] / seconds:.2f}"
                    if name.endswith("2 processes")
                    else ""
                ),
            }
            for name, seconds in medians.items()
        ]
    )


if __name__ == "__main__":
    main()
