"""`export_roboflow_coco` against FiftyOne's COCO exporter, without copying images.

python -m benchmarks.export_coco [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import argparse
import shutil
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
    export = write_export(folder / "export", options.images)

    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset, _ = fcm.import_roboflow_coco(export, "benchmark")

    def with_cocomask() -> None:
        report = fcm.export_roboflow_coco(
            dataset, folder / "ours", images="none", overwrite=True
        )
        assert report.unchanged == 10 * options.images

    def with_fiftyone() -> None:
        dataset.export(
            export_dir=str(folder / "theirs"),
            dataset_type=fo.types.COCODetectionDataset,
            label_field="segmentations",
            export_media=False,
        )
        shutil.rmtree(folder / "theirs")

    rows: list[dict[str, Any]] = []
    ours = median_seconds(with_cocomask, options.runs)
    peak = peak_megabytes()
    theirs = None
    if options.baseline_runs:
        theirs = median_seconds(with_fiftyone, options.baseline_runs)
        rows.append(
            {"what": "COCODetectionDatasetExporter", "seconds": f"{theirs:.2f}"}
        )
    rows.append({"what": "export_roboflow_coco", "seconds": f"{ours:.2f}"})
    print_table(rows)
    if theirs:
        print(f"{theirs / ours:.1f} times faster")
    print(f"{1000 * ours / options.images:.2f} ms an image; peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
