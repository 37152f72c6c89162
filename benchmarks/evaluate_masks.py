"""Mask evaluations against counting the masks' pixels sample by sample, in one run.

python -m benchmarks.evaluate_masks [--images 1000] [--runs 3] [--samples 100000]

``--samples`` is the size of the dataset whose results are loaded and plotted; 0 leaves
that part out.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .common import (
    median_seconds,
    own_fiftyone,
    peak_megabytes,
    print_table,
    seconds,
    write_export,
)

BATCH = 2000
CLASSES = ("wing", "body", "leg", "antenna")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--samples", type=int, default=100_000)
    options = parser.parse_args()
    folder = own_fiftyone()

    import fiftyone as fo

    import fiftyone_cocomask as fcm

    print(f"FiftyOne {fo.__version__}, {options.images} images, one process")
    export = write_export(folder / "export", options.images)
    dataset, _ = fcm.import_roboflow_coco(export, "benchmark", progress=False)
    fcm.compute_masks(dataset, progress=False)
    fcm.compute_masks(dataset, mask_field="semantic", mode="semantic", progress=False)
    measure_evaluations(dataset, options)
    if options.samples:
        measure_results(options)


def measure_evaluations(dataset: Any, options: argparse.Namespace) -> None:
    import fiftyone_cocomask as fcm

    def counted(field: str) -> float:
        return median_seconds(
            lambda: [np.count_nonzero(s[field].get_mask()) for s in dataset], 1
        )

    def forget_counts() -> None:
        """Makes our masks like anybody's, of which nothing is known."""
        dataset._sample_collection.update_many({}, {"$unset": {"mask.drawn": ""}})

    baselines = {field: counted(field) for field in ("mask", "semantic")}
    rows: list[dict[str, Any]] = [
        row(f"count_nonzero over get_mask(), {field}", taken, None, options)
        for field, taken in baselines.items()
    ]

    def measure(name: str, evaluate: Any, field: str, **arguments: Any) -> None:
        first, second = [], []
        for _ in range(options.runs):
            call: Any = lambda: evaluate(dataset, field, eval_key="key", **arguments)  # noqa: E731
            first.append(seconds(call))
            second.append(seconds(call))
            fcm.delete_mask_evaluation(dataset, "key")
        for which, times in (("first", first), ("second", second)):
            taken = float(np.median(times))
            rows.append(row(f"{name}, {which}", taken, baselines[field], options))

    labels = {"label_field": "segmentations"}
    measure("area, our masks", fcm.evaluate_mask_area, "mask")
    measure("area and labels, our masks", fcm.evaluate_mask_area, "mask", **labels)
    measure("coverage, our masks", fcm.evaluate_mask_coverage, "mask")
    measure(
        "coverage and labels, our masks", fcm.evaluate_mask_coverage, "mask", **labels
    )
    measure("coverage, semantic masks", fcm.evaluate_mask_coverage, "semantic")
    forget_counts()
    measure("area, anybody's masks", fcm.evaluate_mask_area, "mask")
    measure("coverage, anybody's masks", fcm.evaluate_mask_coverage, "mask")
    measure("area and labels, anybody's", fcm.evaluate_mask_area, "mask", **labels)
    print_table(rows)


def row(
    name: str, taken: float, baseline: float | None, options: argparse.Namespace
) -> dict[str, Any]:
    return {
        "what": name,
        "seconds": f"{taken:.3f}",
        "ms/image": f"{1000 * taken / options.images:.3f}",
        "times faster": f"{baseline / taken:.1f}" if baseline else "",
        "peak MB": f"{peak_megabytes():.0f}",
    }


def measure_results(options: argparse.Namespace) -> None:
    """Loads and plots the results of an evaluation of very many samples."""
    import fiftyone_cocomask as fcm

    dataset = many_samples(options.samples)
    for key in ("area", "coverage"):
        dataset._run_cache.clear()
        loaded = fcm.load_mask_evaluation(dataset, key)
        steps: dict[str, Any] = {
            "load": lambda key=key: fcm.load_mask_evaluation(dataset, key),
            "summary": loaded.summary,
            "per_class": loaded.per_class,
            "per_split": loaded.per_split,
            "plot_distribution": loaded.plot_distribution,
            "plot_classes": loaded.plot_classes,
            "plot_splits": loaded.plot_splits,
        }
        print(f"\n{key} of {options.samples} samples with 10 labels each")
        print_table(
            [
                {"what": name, "seconds": f"{median_seconds(step, options.runs):.3f}"}
                for name, step in steps.items()
            ]
        )


def many_samples(number: int) -> Any:
    """Returns a dataset with the fields of two evaluations, filled with made numbers.

    The evaluations run on its first sample; the others are written as they would be.
    """
    import cv2
    import fiftyone as fo

    import fiftyone_cocomask as fcm

    dataset = fo.Dataset("many", overwrite=True)
    path = str(Path(tempfile.mkdtemp(prefix="cocomask-benchmark-")) / "mask.png")
    cv2.imwrite(path, np.zeros((64, 64), np.uint8))
    points = [[(0.1, 0.1), (0.5, 0.1), (0.5, 0.5), (0.1, 0.5), (0.05, 0.3)]]
    lines = [fo.Polyline(label=CLASSES[i % 4], points=points) for i in range(10)]
    dataset.add_sample(
        fo.Sample(
            path,
            split="train",
            mask=fo.Segmentation(mask_path=path),
            segmentations=fo.Polylines(polylines=lines),
        )
    )
    labels = "segmentations"
    fcm.evaluate_mask_area(dataset, label_field=labels, eval_key="area")
    fcm.evaluate_mask_coverage(dataset, label_field=labels, eval_key="coverage")
    collection = dataset._sample_collection
    pattern = collection.find_one()
    random = np.random.default_rng(7)
    for start in range(1, number, BATCH):
        collection.insert_many(
            [made_document(pattern, random) for _ in range(min(BATCH, number - start))]
        )
    return dataset


def made_document(pattern: dict[str, Any], random: Any) -> dict[str, Any]:
    document = {name: value for name, value in pattern.items() if name != "_id"}
    areas = np.exp(random.normal(5, 1, 10)).astype(int).tolist()
    lines = [
        {**line, "area_px": area, "area_visible_px": area, "area_bucket": "small"}
        for line, area in zip(pattern["segmentations"]["polylines"], areas, strict=True)
    ]
    share = random.random()
    document["split"] = ("train", "valid", "test")[random.integers(3)]
    document["segmentations"] = {**pattern["segmentations"], "polylines": lines}
    document["area_px"] = sum(areas)
    document["coverage_ratio"] = share
    document["coverage_overlap"] = share / 2
    document["coverage_classes"] = [
        {"label": name, "px": int(share * 1000), "ratio": share / 4} for name in CLASSES
    ]
    return document


if __name__ == "__main__":
    main()
