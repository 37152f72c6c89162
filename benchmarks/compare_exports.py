"""`compare_exports` on two versions of an export: time and peak memory.

python -m benchmarks.compare_exports [--images 1000] [--edited 0.1]
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

from .common import own_fiftyone, peak_megabytes, print_table, seconds, write_export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--edited", type=float, default=0.1)
    options = parser.parse_args()
    folder = own_fiftyone()
    old = write_export(folder / "old", options.images)
    edited = _edit(old, folder / "new", options.edited)

    import fiftyone_cocomask as fcm

    found: list[Any] = []

    def compare() -> None:
        found.append(fcm.compare_exports(old, folder / "new"))

    taken = seconds(compare)
    assert found[0].annotations["edited"] == edited
    megabytes = (old / "_annotations.coco.json").stat().st_size / 2**20
    print_table(
        [
            {
                "images": options.images,
                "annotations edited": edited,
                "seconds": f"{taken:.2f}",
                "ms an image": f"{1000 * taken / options.images:.2f}",
                "peak memory, MB": f"{peak_megabytes():.0f}",
                "JSON, MB": f"{megabytes:.0f}",
            }
        ]
    )


def _edit(old: Path, new: Path, part: float) -> int:
    """Writes a version in which a part of the polygons has another first vertex."""
    numbers = random.Random(7)
    document = json.loads((old / "_annotations.coco.json").read_text())
    edited = 0
    for number, annotation in enumerate(document["annotations"]):
        annotation["id"] = len(document["annotations"]) - number
        if numbers.random() < part:
            ring = annotation["segmentation"][0]
            ring[0], ring[1] = ring[0] * 0.99 + 1, ring[1] * 0.99 + 1
            edited += 1
    new.mkdir()
    (new / "_annotations.coco.json").write_text(json.dumps(document))
    return edited


if __name__ == "__main__":
    main()
