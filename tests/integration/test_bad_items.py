"""A broken label, mask or image costs that item, whichever function meets it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from math import inf, nan
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import numpy as np
import pytest

import fiftyone_cocomask as fcm
from fiftyone_cocomask.datasets.inspection.inspect import inspect_sample

SIZE = (30, 40)
GOOD_BOX, GOOD_PX = [0.1, 0.1, 0.3, 0.3], 9 * 12
GOOD_POINTS = [[[0.25, 0.2], [0.75, 0.2], [0.75, 0.8], [0.25, 0.8]]]
GOOD_POLYGON_PX = 20 * 18
MASK = np.ones((3, 3), bool)

# Boxes with masks, as other programs have stored them.
BOXES: dict[str, dict[str, Any]] = {
    "nan": {"bounding_box": [nan, 0.1, 0.2, 0.2], "mask": MASK},
    "nan_width": {"bounding_box": [0.1, 0.1, nan, 0.2]},
    "infinite": {"bounding_box": [0.1, inf, 0.2, 0.2], "mask": MASK},
    "huge": {"bounding_box": [0.1, 0.1, 1e9, 1e9], "mask": MASK},
    "far": {"bounding_box": [-1e300, 0.1, 1e300, 1e300]},
    "backwards": {"bounding_box": [0.5, 0.5, -0.3, -0.2], "mask": MASK},
    "no_mask_pixels": {
        "bounding_box": [0.1, 0.1, 0.2, 0.2],
        "mask": np.zeros((0, 0), bool),
    },
    "empty_mask": {"bounding_box": [0.1, 0.1, 0.2, 0.2], "mask": ~MASK},
    "four_axes": {
        "bounding_box": [0.1, 0.1, 0.2, 0.2],
        "mask": np.ones((2, 2, 2, 2), bool),
    },
    "two_numbers": {"bounding_box": [0.1, 0.1]},
    "no_box": {},
    "absent_file": {"bounding_box": [0.1, 0.1, 0.2, 0.2], "mask_path": "absent.png"},
    "lying_file": {"bounding_box": [0.1, 0.1, 0.2, 0.2], "mask_path": "lies.png"},
    "no_class": {"label": None, "bounding_box": [0.1, 0.1, 0.2, 0.2]},
}
POINTS: dict[str, Any] = {
    "nan": [[[nan, 0.1], [0.2, 0.2], [0.3, 0.1]]],
    "infinite": [[[inf, 0.1], [0.2, 0.2], [0.3, 0.1]]],
    "huge": [[[1e300, 0.1], [0.2, 0.2], [0.3, 1e300]]],
    "three_numbers": [[[0.1, 0.1, 0.3], [0.2, 0.2], [0.3, 0.1]]],
    "one_number": [[[0.1], [0.2, 0.2], [0.3, 0.1]]],
    "rings_of_numbers": [5],
    "nothing": [[None, [0.2, 0.2], [0.3, 0.1]]],
    "text": [[["x", "y"], [0.2, 0.2], [0.3, 0.1]]],
    "none": [],
    "number": 5,
    "empty_ring": [[]],
    "one_point": [[[0.1, 0.1]]],
    "flat": [[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]],
}
MASKS: dict[str, dict[str, Any]] = {
    "no_pixels": {"mask": np.zeros((0, 0), np.uint8)},
    "fractions": {"mask": np.full(SIZE, nan)},
    "four_axes": {"mask": np.ones((3, 3, 3, 3), np.uint8)},
    "absent_file": {"mask_path": "absent.png"},
    "lying_file": {"mask_path": "lies.png"},
    "colours": {"mask_path": "colours.png"},
}


def write_lying_png(path: Path, side: int) -> None:
    """Writes some bytes that claim to be an image of a billion pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad")


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Iterator[fo.Dataset]:
    """Samples with one good box and polygon each, and one thing that is broken."""
    write_lying_png(folder / "lies.png", 32768)
    cv2.imwrite(str(folder / "colours.png"), np.full((*SIZE, 3), (9, 99, 9), np.uint8))
    dataset = fo.Dataset("bad items")
    for kind in ("box", "line", "mask", "image"):
        names = {"box": BOXES, "line": POINTS, "mask": MASKS}.get(kind)
        for name in names or ("absent", "lying"):
            dataset.add_sample(_sample(folder, kind, name))
    for document in list(dataset._sample_collection.find()):
        kind, _, name = document["name"].partition(" ")
        if kind == "line":
            # As other programs write them: FiftyOne itself refuses some of these.
            place = {"lines.polylines.1.points": POINTS[name]}
            dataset._sample_collection.update_one(
                {"_id": document["_id"]}, {"$set": place}
            )
    (folder / "image absent.png").unlink()
    write_lying_png(folder / "image lying.png", 32768)
    fcm.compute_masks(dataset, "boxes", "box_mask")
    fcm.compute_masks(dataset, "lines", "line_mask")
    fcm.evaluate_mask_area(dataset, "box_mask", label_field="boxes", eval_key="first")
    yield dataset
    dataset.delete()


def _sample(folder: Path, kind: str, name: str) -> fo.Sample:
    path = folder / f"{kind} {name}.png"
    cv2.imwrite(str(path), np.full((*SIZE, 3), zlib.crc32(path.name.encode()) % 256))
    boxes = [fo.Detection(label="good", bounding_box=GOOD_BOX, mask=np.ones((9, 12)))]
    lines = [_polyline("good", GOOD_POINTS)]
    if kind == "box":
        boxes.append(fo.Detection(**_placed({"label": "bad", **BOXES[name]}, folder)))
    elif kind == "line":
        lines.append(_polyline("bad", []))
    mask: dict[str, Any] = {"mask": np.full(SIZE, 255, np.uint8)}
    return fo.Sample(
        filepath=str(path),
        name=f"{kind} {name}",
        boxes=fo.Detections(detections=boxes),
        lines=fo.Polylines(polylines=lines),
        other=fo.Segmentation(
            **_placed(MASKS[name] if kind == "mask" else mask, folder)
        ),
    )


def _placed(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    if "mask_path" not in values:
        return values
    return {**values, "mask_path": str(folder / values["mask_path"])}


def _polyline(label: str, points: Any) -> fo.Polyline:
    return fo.Polyline(label=label, points=points, closed=True, filled=True)


NUMBER = len(BOXES) + len(POINTS) + len(MASKS)
FIELDS = (("boxes", "box_mask", GOOD_PX), ("lines", "line_mask", GOOD_POLYGON_PX))
Job = Callable[[fo.Dataset, str, str, Path], Any]


def evaluate(dataset: fo.Dataset, labels: str, mask: str, _: Path) -> Any:
    for field in (mask, "other"):
        key = f"{labels}_{field}"
        area = fcm.evaluate_mask_area(
            dataset, field, label_field=labels, eval_key=f"area_{key}"
        )
        coverage = fcm.evaluate_mask_coverage(
            dataset, field, label_field=labels, eval_key=f"cover_{key}"
        )
        for evaluation in (area, coverage):
            evaluation.summary()
            evaluation.per_class()
            evaluation.per_sample()
    return area.summary()["images"]


def search(dataset: fo.Dataset, labels: str, mask: str, _: Path) -> Any:
    for field in (mask, "other"):
        fcm.find_mask_issues(dataset, labels, mask_field=field, key="found")
    fcm.fix_mask_issues(dataset, label_field=labels, key="found", fix_key=labels)
    fcm.undo_mask_fixes(dataset, labels)
    return fcm.clear_mask_issues(dataset, "found")


def rank(dataset: fo.Dataset, labels: str, mask: str, _: Path) -> Any:
    return fcm.rank_mask_outlines(dataset, labels, eval_key=f"rank_{labels}").summary()


def inspect(dataset: fo.Dataset, labels: str, mask: str, _: Path) -> Any:
    for sample_id in dataset.values("id"):
        for field in (mask, "other"):
            inspect_sample(dataset, sample_id, field)


def compare(dataset: fo.Dataset, labels: str, mask: str, _: Path) -> Any:
    key = f"compared_{labels}"
    fcm.compare_masks(dataset, "other", mask, eval_key=key).summary()
    return fcm.compare_exports(dataset, dataset, label_field=labels).summary()


def export_cutouts(dataset: fo.Dataset, labels: str, _: str, folder: Path) -> Any:
    report = fcm.export_cutouts(dataset, labels, folder)
    # Of each good object whose image can be read; what is broken is named.
    assert len(list(folder.glob("*_0_good.png"))) == NUMBER
    bad = BOXES if labels == "boxes" else POINTS
    named = {Path(row["filepath"]).stem for row in report.skipped}
    kind = "box" if labels == "boxes" else "line"
    written = {path.stem.partition("_1_")[0] for path in folder.glob("*_1_*.png")}
    assert named | written >= {f"{kind} {name}" for name in bad} - {"box no_class"}
    assert fcm.export_cutouts(dataset, "other", folder / "other").num_skipped >= 8


def export_masks(dataset: fo.Dataset, _: str, mask: str, folder: Path) -> Any:
    assert fcm.export_masks(dataset, mask, folder / "ours").files == NUMBER
    others = fcm.export_masks(dataset, "other", folder / "others")
    named = {Path(row["filepath"]).stem for row in others.skipped}
    assert named == {f"mask {name}" for name in MASKS}


def export_coco(dataset: fo.Dataset, labels: str, _: str, folder: Path) -> Any:
    report = fcm.export_roboflow_coco(dataset, folder / "coco", label_field=labels)
    assert report.annotations >= NUMBER
    assert report.losses


JOBS: list[Job] = [
    evaluate,
    search,
    rank,
    inspect,
    compare,
    export_cutouts,
    export_masks,
    export_coco,
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
@pytest.mark.parametrize(("labels", "mask", "px"), FIELDS, ids=["boxes", "lines"])
def test_what_is_broken_costs_that_item(
    dataset: fo.Dataset, tmp_path: Path, labels: str, mask: str, px: int, job: Job
) -> None:
    job(dataset, labels, mask, tmp_path)


@pytest.mark.parametrize(
    ("mode", "boxes"), [("binary", "draw"), ("semantic", "skip"), ("instance", "draw")]
)
def test_masks_hold_the_good_objects(
    dataset: fo.Dataset, mode: Any, boxes: Any
) -> None:
    report = fcm.compute_masks(
        dataset, "boxes", "drawn", mode=mode, boxes=boxes, storage="database"
    )
    assert report.images == NUMBER
    assert {Path(row["filepath"]).stem for row in report.skipped} == {
        "image absent",
        "image lying",
    }
    documents = dataset._sample_collection.find({"name": {"$regex": "^mask "}})
    assert {document["drawn"]["foreground_px"] for document in documents} == {GOOD_PX}
    documents = dataset._sample_collection.find({"name": "line flat"})
    assert {d["line_mask"]["foreground_px"] for d in documents} == {GOOD_POLYGON_PX}
