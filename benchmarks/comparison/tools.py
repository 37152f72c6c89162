"""From an export to one mask an image, by each tool as its documentation has it.

python -m benchmarks.comparison.tools TOOL EXPORT OUTPUT

Writes the masks as ``<output>/<split>/<image>.png``. Prints what the tool says and, in
the last line, its seconds and its peak memory in MB. Starting Python, the tool and its
database is not counted.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..measuring import own_fiftyone, peak_megabytes

JSON_NAME = "_annotations.coco.json"
# What a tool may take: NaN can make pycocotools take all that there is.
MAX_MEMORY = 12 * 2**30


def with_plugin(export: Path, output: Path) -> None:
    """This plugin."""
    import fiftyone_cocomask as fcm

    dataset, report = fcm.import_roboflow_coco(export, "export")
    fcm.compute_masks(dataset)
    columns = dataset.values(["split", "filepath", "mask.mask_path"])
    for split, filepath, mask_path in zip(*columns, strict=True):
        if mask_path is not None:
            _move(Path(mask_path), output, split, Path(filepath))
    print(json.dumps(report.to_dict()))


def with_fiftyone(export: Path, output: Path) -> None:
    """FiftyOne's importer of COCO, and its `objects_to_segmentations`."""
    import fiftyone as fo
    import fiftyone.utils.labels as foul

    for split in _splits(export):
        dataset = fo.Dataset.from_dir(
            dataset_type=fo.types.COCODetectionDataset,
            data_path=str(export / split),
            labels_path=str(export / split / JSON_NAME),
            label_types=["segmentations"],
            # With one label type the importer names the field "ground_truth".
            label_field="segmentations",
        )
        dataset.compute_metadata()
        foul.objects_to_segmentations(
            dataset, "segmentations", "mask", output_dir=str(output / "raw" / split)
        )
        for sample in dataset.select_fields("mask"):
            if sample.mask is not None:
                path = Path(sample.filepath)
                _move(Path(sample.mask.mask_path), output, split, path)


def with_supervision(export: Path, output: Path) -> None:
    """Supervision's `DetectionDataset.from_coco`."""
    import supervision as sv

    for split in _splits(export):
        dataset = sv.DetectionDataset.from_coco(
            images_directory_path=str(export / split),
            annotations_path=str(export / split / JSON_NAME),
            force_masks=True,
        )
        for path, found in dataset.annotations.items():
            if found.mask is not None:
                _write(found.mask.any(axis=0), output, split, Path(path))


def with_datumaro(export: Path, output: Path) -> None:
    """Datumaro's format `roboflow_coco`, and its transform to masks."""
    import datumaro as dm

    dataset = dm.Dataset.import_from(str(export), "roboflow_coco")
    dataset.transform("polygons_to_masks")
    for item in dataset:
        masks = [
            found.image for found in item.annotations if isinstance(found, dm.Mask)
        ]
        if masks:
            _write(np.any(masks, axis=0), output, item.subset, Path(item.media.path))


def start_fiftyone() -> None:
    """Imports FiftyOne, with a database of its own."""
    own_fiftyone()
    import fiftyone as fo

    fo.list_datasets()


TOOLS: dict[str, tuple[Callable[[], Any], Callable[[Path, Path], None]]] = {
    "fiftyone-cocomask": (start_fiftyone, with_plugin),
    "fiftyone": (start_fiftyone, with_fiftyone),
    "supervision": (partial(import_module, "supervision"), with_supervision),
    "datumaro": (partial(import_module, "datumaro"), with_datumaro),
}


def _splits(export: Path) -> Iterator[str]:
    for path in sorted(export.glob(f"*/{JSON_NAME}")):
        yield path.parent.name


def _move(mask: Path, output: Path, split: str, image: Path) -> None:
    target = output / split / f"{image.name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(mask, target)


def _write(mask: np.ndarray, output: Path, split: str, image: Path) -> None:
    target = output / split / f"{image.name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), mask.astype(np.uint8) * 255)


if __name__ == "__main__":
    tool, export, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    make_ready, to_masks = TOOLS[tool]
    make_ready()
    began = time.perf_counter()
    to_masks(export, output)
    print(time.perf_counter() - began, peak_megabytes())
