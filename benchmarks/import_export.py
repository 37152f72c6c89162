"""`import_roboflow_coco` against `Dataset.from_dir` with FiftyOne's COCO importer.

python -m benchmarks.import_export [--images 1000] [--runs 5] [--baseline-runs 1]
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

from .common import (
    beside_fiftyone,
    own_fiftyone,
    peak_megabytes,
    print_table,
    seconds,
    with_spread,
    write_export,
)


def main() -> None:
    options = beside_fiftyone(__doc__)
    folder = own_fiftyone()
    export = write_export(folder / "export", options.images)
    json_path = export / "_annotations.coco.json"

    import fiftyone as fo

    import fiftyone_cocomask as fcm

    def with_fiftyone() -> None:
        dataset = fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset,
            data_path=str(export),
            labels_path=str(json_path),
            label_types=["detections", "segmentations"],
            use_polylines=True,
        )
        assert len(dataset) == options.images
        dataset.delete()

    def with_cocomask(num_workers: int) -> None:
        dataset, report = fcm.import_roboflow_coco(export, num_workers=num_workers)
        assert len(dataset) == options.images
        assert report.accounted == report.annotations == 10 * options.images
        dataset.delete()

    theirs = "Dataset.from_dir"
    ways: dict[str, Callable[[], None]] = {
        "import_roboflow_coco": lambda: with_cocomask(1),
        "import_roboflow_coco, two processes": lambda: with_cocomask(2),
    }
    # The first import loads what all need.
    with_cocomask(1)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(options.runs):
        for name, import_ in ways.items():
            taken[name].append(seconds(import_))
        if run < options.baseline_runs:
            taken.setdefault(theirs, []).append(seconds(with_fiftyone))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    one = medians["import_roboflow_coco"]
    print_table(
        [
            {
                "what": name,
                "seconds": with_spread(times),
                "ms an image": f"{1000 * medians[name] / options.images:.2f}",
                "times faster": f"{medians.get(theirs, 0) / medians[name]:.1f}",
                "than one process": f"{one / medians[name]:.2f}",
            }
            for name, times in taken.items()
        ]
    )
    print(f"peak memory {peak_megabytes():.0f} MB, with FiftyOne's own imports")
    megabytes = os.path.getsize(json_path) / 2**20
    limit = 500 + 3 * megabytes
    print(f"JSON {megabytes:.0f} MB; limit of memory {limit:.0f} MB")


if __name__ == "__main__":
    main()
