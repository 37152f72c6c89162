"""`import_roboflow_coco` against `Dataset.from_dir` with FiftyOne's COCO importer.

python -m benchmarks.import_export [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import os

from .common import beside_fiftyone, own_fiftyone, print_beside_fiftyone, write_export


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

    def with_cocomask() -> None:
        dataset, report = fcm.import_roboflow_coco(
            export, "benchmark", if_exists="replace"
        )
        assert len(dataset) == options.images
        assert report.accounted == report.annotations == 10 * options.images

    print_beside_fiftyone(
        ("import_roboflow_coco", with_cocomask),
        ("Dataset.from_dir", with_fiftyone),
        options,
    )
    megabytes = os.path.getsize(json_path) / 2**20
    limit = 500 + 3 * megabytes
    print(f"JSON {megabytes:.0f} MB; limit of memory {limit:.0f} MB")


if __name__ == "__main__":
    main()
