"""`export_roboflow_coco` against FiftyOne's COCO exporter, without copying images.

python -m benchmarks.export_coco [--images 1000] [--runs 3] [--baseline-runs 1]
"""

from __future__ import annotations

import shutil

from .common import beside_fiftyone, own_fiftyone, print_beside_fiftyone, write_export


def main() -> None:
    options = beside_fiftyone(__doc__)
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

    print_beside_fiftyone(
        ("export_roboflow_coco", with_cocomask),
        ("COCODetectionDatasetExporter", with_fiftyone),
        options,
    )


if __name__ == "__main__":
    main()
