"""`import_roboflow_coco` against `Dataset.from_dir` with FiftyOne's COCO importer.

python -m benchmarks.import_export [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import argparse
import os
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

    def with_cocomask() -> None:
        dataset, report = fcm.import_roboflow_coco(
            export, "benchmark", if_exists="replace"
        )
        assert len(dataset) == options.images
        assert report.accounted == report.annotations == 10 * options.images

    rows: list[dict[str, Any]] = []
    ours = median_seconds(with_cocomask, options.runs)
    peak = peak_megabytes()
    theirs = None
    if options.baseline_runs:
        theirs = median_seconds(with_fiftyone, options.baseline_runs)
        rows.append({"what": "Dataset.from_dir", "seconds": f"{theirs:.2f}"})
    rows.append({"what": "import_roboflow_coco", "seconds": f"{ours:.2f}"})
    megabytes = os.path.getsize(json_path) / 2**20
    limit = 500 + 3 * megabytes
    print_table(rows)
    if theirs:
        print(f"{theirs / ours:.1f} times faster")
    print(f"{1000 * ours / options.images:.2f} ms an image")
    print(f"peak memory {peak:.0f} MB; JSON {megabytes:.0f} MB; limit {limit:.0f} MB")


if __name__ == "__main__":
    main()
