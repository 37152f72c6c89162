"""`compare_exports` on two versions of an export: time and peak memory.

python -m benchmarks.compare_exports [--images 1000 10000] [--edited 1]

Each number of images is compared in a process of its own, whose peak memory it is.
"""

from __future__ import annotations

import argparse
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from .common import (
    own_fiftyone,
    peak_megabytes,
    print_table,
    seconds,
    write_edited_export,
    write_export,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--edited", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args()
    rows = []
    for images in options.images:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            rows.append(
                pool.submit(_measure, images, options.edited, options.workers).result()
            )
    print_table(rows)


def _measure(images: int, part: float, workers: int | None) -> dict[str, Any]:
    folder = own_fiftyone()
    old = write_export(folder / "old", images)
    edited = write_edited_export(folder / "new", images, part)

    import fiftyone_cocomask as fcm

    found: list[Any] = []

    def compare() -> None:
        found.append(fcm.compare_exports(old, folder / "new", num_workers=workers))

    taken = seconds(compare)
    assert found[0].annotations["edited"] == edited
    megabytes = (old / "_annotations.coco.json").stat().st_size / 2**20
    of_worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    return {
        "images": images,
        "annotations edited": edited,
        "seconds": f"{taken:.2f}",
        "ms an image": f"{1000 * taken / images:.2f}",
        "peak memory, MB": f"{peak_megabytes():.0f}",
        "of a worker, MB": f"{of_worker:.0f}",
        "JSON, MB": f"{megabytes:.0f}",
    }


if __name__ == "__main__":
    main()
