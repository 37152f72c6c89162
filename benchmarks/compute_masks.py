"""`compute_masks` against FiftyOne's `objects_to_segmentations`, in one run.

python -m benchmarks.compute_masks [--images 1000] [--runs 5] [--baseline 1]

Two cores of a machine are seldom twice one: a loop of Python that shares nothing is
timed beside the masks, and its ratio is the most that two processes can have there.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from .common import (
    link_plugin,
    own_fiftyone,
    peak_megabytes,
    print_table,
    taken_in_turns,
    with_spread,
    write_export,
)

BASELINE = "objects_to_segmentations"
LOOP = "a loop alone"
LOOPS = 2
STEPS = 25_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--baseline", type=int, choices=(0, 1), default=1)
    options = parser.parse_args()
    folder = own_fiftyone()

    import fiftyone as fo

    import fiftyone_cocomask as fcm

    link_plugin()
    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)

    def undo() -> None:
        if dataset.has_field("mask"):
            dataset.delete_sample_field("mask")

    ways = ways_to_draw(dataset, folder) | ways_to_loop()
    if not options.baseline:
        del ways[BASELINE]
    # In turns, so that what slows the machine slows all.
    columns = taken_in_turns([*ways.values()], options.runs, undo=undo)
    taken = dict(zip(ways, columns, strict=True))
    fcm.compute_masks(dataset)
    again = taken_in_turns([lambda: fcm.compute_masks(dataset)], options.runs)
    taken["coco again, nothing changed"] = again[0]
    print(f"FiftyOne {fo.__version__}, {options.images} images")
    print(f"medians of {options.runs} runs in turns, peak {peak_megabytes():.0f} MB")
    print_table([row(name, taken, options.images) for name in taken])


def ways_to_draw(dataset: Any, folder: Path) -> dict[str, Callable[[], None]]:
    """Returns FiftyOne's way to the masks and the plugin's, each into new files."""
    import fiftyone.operators as foo
    import fiftyone.utils.labels as foul

    import fiftyone_cocomask as fcm

    folders = (str(folder / f"masks_{number}") for number in count())

    def with_fiftyone() -> None:
        foul.objects_to_segmentations(
            dataset, "segmentations", "mask", output_dir=next(folders)
        )

    def with_sdk(**options: Any) -> None:
        fcm.compute_masks(dataset, output_dir=next(folders), **options)

    def with_plugin(**options: Any) -> None:
        foo.execute_operator(
            "@cocomask/cocomask/compute_masks",
            dataset=dataset,
            params={"output_dir": next(folders), **options},
        )

    ways: dict[str, Callable[[], None]] = {BASELINE: with_fiftyone}
    for function, caller in ((with_sdk, ""), (with_plugin, " through the plugin")):
        for rasterizer in ("coco", "opencv"):
            for workers, name in ((1, "1 process"), (2, "2 processes")):
                ways[f"{rasterizer}{caller}, {name}"] = partial(
                    function, rasterizer=rasterizer, num_workers=workers
                )
    return ways


def ways_to_loop() -> dict[str, Callable[[], None]]:
    """Returns the same work, which shares nothing, in one process and in two."""
    return {
        f"{LOOP}, 1 process": _loops_in_one_process,
        f"{LOOP}, 2 processes": _loops_in_two_processes,
    }


def row(name: str, taken: dict[str, list[float]], images: int) -> dict[str, str]:
    """Returns a line of the table: seconds, and what they are compared with."""
    medians = {name: statistics.median(times) for name, times in taken.items()}
    seconds = medians[name]
    line = {"what": name, "seconds": with_spread(taken[name])}
    line |= dict.fromkeys(("ms/image", "times faster", "than one process"), "")
    if not name.startswith(LOOP):
        line["ms/image"] = f"{1000 * seconds / images:.2f}"
        if BASELINE in medians:
            line["times faster"] = f"{medians[BASELINE] / seconds:.1f}"
    if name.endswith("2 processes"):
        one = medians[name.replace("2 processes", "1 process")]
        line["than one process"] = f"{one / seconds:.2f}"
    return line


def _loop(_: int = 0) -> None:
    for _ in range(STEPS):
        pass


def _loops_in_one_process() -> None:
    for _ in range(LOOPS):
        _loop()


def _loops_in_two_processes() -> None:
    with get_context("fork").Pool(LOOPS) as pool:
        pool.map(_loop, range(LOOPS), chunksize=1)


if __name__ == "__main__":
    main()
