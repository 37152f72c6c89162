"""The way of datasets that grow, from import to export, beside FiftyOne's own way.

python -m benchmarks.pipeline [--images 1000 10000 100000] [--baseline 1000] [--runs 5]

Each stage runs in a process of its own, whose peak memory it is. FiftyOne's own
functions run where a dataset has at most ``--baseline`` images. All stages are run in
turns, ``--runs`` times. Prints Markdown: medians, with the least and the most.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from fiftyone_cocomask.demo.own_fiftyone import use_own_fiftyone

from .common import (
    own_fiftyone,
    peak_megabytes,
    seconds,
    write_edited_export,
    write_export,
)

DATASET = "pipeline"
IN_TWO = "pipeline-two-processes"
BASELINE = "pipeline-fiftyone"
DATASETS = (DATASET, IN_TWO, BASELINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--baseline", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    folder = own_fiftyone()
    import fiftyone as fo

    # Keeps the database running from one stage to the next.
    fo.list_datasets()
    print(f"{_machine()}, FiftyOne {fo.__version__}, 10 polygons an image\n")
    print("| images | stage | ms an image | peak memory, MB | written, KB an image |")
    print("|---|---|---|---|---|")
    for images in options.images:
        export = write_export(folder / f"export-{images}", images)
        write_edited_export(folder / f"edited-{export.name}", images, 1.0)
        names = [*STAGES] if images <= options.baseline else [*OURS]
        found: dict[str, list[tuple[float, float, float]]] = {n: [] for n in names}
        for _ in range(options.runs):
            for name in names:
                taken, peak, written = _run(folder, export, name)
                ms, kilobytes = 1000 * taken / images, written / 1000 / images
                found[name].append((ms, peak, kilobytes))
            largest = _largest_document(fo.load_dataset(DATASET))
            for name in DATASETS:
                if fo.dataset_exists(name):
                    fo.delete_dataset(name)
            shutil.rmtree(folder / "default_dataset")
        for name, runs in found.items():
            _print_row(images, name, runs)
        print(f"| {images:,} | largest document | | | {largest / 1000:.1f} |")


def _print_row(images: int, name: str, runs: list[tuple[float, float, float]]) -> None:
    times = [ms for ms, _, _ in runs]
    _, peak, kilobytes = map(statistics.median, zip(*runs, strict=True))
    spread = f" ({min(times):.2f} to {max(times):.2f})" if len(times) > 1 else ""
    print(
        f"| {images:,} | {name} | {statistics.median(times):.2f}{spread} | "
        f"{peak:.0f} | {kilobytes:.1f} |",
        flush=True,
    )


def _run(folder: Path, export: Path, name: str) -> tuple[float, float, int]:
    """Returns the seconds, the peak memory in MB and the bytes written of a stage."""
    # Counted here: a listing of 100,000 files would be the stage's own peak.
    before = _bytes_of(folder)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        taken, peak = pool.submit(_stage, folder, export, name).result()
    return taken, peak, _bytes_of(folder) - before


def _stage(folder: Path, export: Path, name: str) -> tuple[float, float]:
    use_own_fiftyone(folder, show_progress_bars=False)
    import fiftyone as fo

    fo.list_datasets()
    taken = seconds(lambda: STAGES[name](folder, export))
    return taken, peak_megabytes()


def _bytes_of(folder: Path) -> int:
    """Returns the bytes of the samples' documents and of the files beside them."""
    import fiftyone as fo

    documents = sum(
        fo.load_dataset(name).stats()["samples_bytes"]
        for name in DATASETS
        if fo.dataset_exists(name)
    )
    parents = (folder / "default_dataset", folder / "masks")
    return documents + sum(map(_bytes_of_masks, filter(Path.exists, parents)))


def _bytes_of_masks(folder: Path) -> int:
    # Path.rglob lists a folder before it goes on, which counts as memory here.
    with os.scandir(folder) as entries:
        return sum(
            _bytes_of_masks(Path(entry.path))
            if entry.is_dir(follow_symlinks=False)
            else entry.stat().st_size * entry.name.endswith(".png")
            for entry in entries
        )


def _largest_document(dataset: Any) -> int:
    size = {"$group": {"_id": None, "size": {"$max": {"$bsonSize": "$$ROOT"}}}}
    return next(dataset._sample_collection.aggregate([size]))["size"]


def _machine() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()}, {cores} cores, Python {platform.python_version()}"


def _import(folder: Path, export: Path) -> None:
    import fiftyone_cocomask as fcm

    fcm.import_roboflow_coco(export, DATASET)


def _import_in_two(folder: Path, export: Path) -> None:
    import fiftyone_cocomask as fcm

    fcm.import_roboflow_coco(export, IN_TWO, num_workers=2)


def _masks(folder: Path, export: Path, num_workers: int = 1) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.compute_masks(
        fo.load_dataset(DATASET),
        mask_field=f"mask_{num_workers}",
        num_workers=num_workers,
    )


def _masks_of_two(folder: Path, export: Path) -> None:
    _masks(folder, export, 2)


def _area(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset = fo.load_dataset(DATASET)
    fcm.evaluate_mask_area(dataset, "mask_1", label_field="segmentations")


def _coverage(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset = fo.load_dataset(DATASET)
    fcm.evaluate_mask_coverage(dataset, "mask_1", label_field="segmentations")


def _tables(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    for key in ("mask_area", "mask_coverage"):
        results = fcm.load_mask_evaluation(fo.load_dataset(DATASET), key)
        results.summary()
        results.per_class()
        results.overview_histogram()


def _panel(folder: Path, export: Path) -> None:
    """Reads what the panel shows when it is opened."""
    import fiftyone as fo

    import fiftyone_cocomask as fcm
    from fiftyone_cocomask.panels.evaluation.sections import read
    from fiftyone_cocomask.panels.evaluation.shown import Shown

    dataset = fo.load_dataset(DATASET)
    area = fcm.load_mask_evaluation(dataset, "mask_area")
    read(Shown([area], dataset.view()))


def _search(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.find_mask_issues(fo.load_dataset(DATASET), mask_field="mask_1")


def _rank(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.rank_mask_outlines(fo.load_dataset(DATASET))


def _fix(folder: Path, export: Path) -> None:
    """Repairs what can be, and takes that back: the stages after it find it so."""
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset = fo.load_dataset(DATASET)
    fcm.fix_mask_issues(dataset)
    fcm.undo_mask_fixes(dataset)


def _report(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.write_report(fo.load_dataset(DATASET), folder / "report.html")


def _instances(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset = fo.load_dataset(DATASET)
    for rasterizer in ("coco", "opencv"):
        fcm.compute_masks(
            dataset,
            mask_field=f"instances_{rasterizer}",
            mode="instance",
            rasterizer=rasterizer,
        )


def _compare_masks(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.compare_masks(
        fo.load_dataset(DATASET), "instances_opencv", "instances_coco", eval_key="both"
    )


def _match_objects(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    fcm.load_mask_evaluation(fo.load_dataset(DATASET), "both").objects()


def _export(folder: Path, export: Path) -> None:
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    report = fcm.export_roboflow_coco(
        fo.load_dataset(DATASET), folder / "back", images="none", overwrite=True
    )
    assert report.annotations == report.unchanged


def _compare(folder: Path, export: Path) -> None:
    """Compares the export with what the stage before wrote: nothing differs."""
    import fiftyone_cocomask as fcm

    assert fcm.compare_exports(export, folder / "back").is_same


def _compare_edited(folder: Path, export: Path) -> None:
    import fiftyone_cocomask as fcm

    edited = folder / f"edited-{export.name}"
    fcm.compare_exports(export, edited)


def _export_as_fiftyone_does(folder: Path, export: Path) -> None:
    import fiftyone as fo

    fo.load_dataset(DATASET).export(
        export_dir=str(folder / "theirs"),
        dataset_type=fo.types.COCODetectionDataset,
        label_field="segmentations",
        export_media=False,
        overwrite=True,
    )


def _from_dir(folder: Path, export: Path) -> None:
    import fiftyone as fo

    fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(export),
        labels_path=str(export / "_annotations.coco.json"),
        label_types=["detections", "segmentations"],
        use_polylines=True,
        name=BASELINE,
        persistent=True,
    )


def _objects_to_segmentations(folder: Path, export: Path) -> None:
    import fiftyone as fo
    import fiftyone.utils.labels as foul

    foul.objects_to_segmentations(
        fo.load_dataset(BASELINE),
        "segmentations",
        "mask",
        output_dir=str(folder / "masks"),
    )


def _count_pixels(folder: Path, export: Path) -> None:
    import fiftyone as fo
    import numpy as np

    for sample in fo.load_dataset(BASELINE).iter_samples(autosave=True):
        sample["mask_px"] = int(np.count_nonzero(sample.mask.get_mask()))


OURS: dict[str, Callable[[Path, Path], None]] = {
    "import": _import,
    "import, two processes": _import_in_two,
    "masks": _masks,
    "masks, two processes": _masks_of_two,
    "area of masks and objects": _area,
    "coverage and overlap": _coverage,
    "tables of both": _tables,
    "opening the panel": _panel,
    "search for issues": _search,
    "ranking of outlines": _rank,
    "repairs and their undoing": _fix,
    "report": _report,
    "instance masks of both rasterizers": _instances,
    "comparison of these masks": _compare_masks,
    "matching of their objects": _match_objects,
    "export to COCO, without images": _export,
    "comparison, nothing edited": _compare,
    "comparison, every object edited": _compare_edited,
}
STAGES = OURS | {
    "FiftyOne: `Dataset.from_dir`": _from_dir,
    "FiftyOne: `objects_to_segmentations`": _objects_to_segmentations,
    "FiftyOne: count pixels of masks": _count_pixels,
    "FiftyOne: `COCODetectionDatasetExporter`": _export_as_fiftyone_does,
}

if __name__ == "__main__":
    main()
