"""What the benchmarks share: a FiftyOne of their own, exports, medians, tables."""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fiftyone_cocomask.demo.own_fiftyone import delete_own_fiftyone, use_own_fiftyone

SIDE = 640
POLYGONS = 10
POINTS = 20


def own_fiftyone() -> Path:
    """Points FiftyOne at a fresh folder; call it before FiftyOne is imported."""
    folder = Path(tempfile.mkdtemp(prefix="cocomask-benchmark-"))
    atexit.register(delete_own_fiftyone, folder)
    use_own_fiftyone(folder, show_progress_bars=False)
    return folder


def link_plugin() -> None:
    """Puts the repository into the plugins folder of the FiftyOne of its own."""
    import fiftyone as fo

    repository = Path(__file__).resolve().parents[1]
    link = Path(fo.config.plugins_dir) / "cocomask"
    link.symlink_to(repository, target_is_directory=True)


def blob(random: np.random.Generator) -> np.ndarray:
    """Returns a ring of 20 points around a random place, like an annotated object."""
    center = random.random(2) * SIDE
    angles = np.sort(random.random(POINTS)) * 2 * np.pi
    radii = SIDE / 12 * (0.6 + 0.4 * random.random(POINTS))
    ring = center[:, None] + radii * np.stack([np.cos(angles), np.sin(angles)])
    return np.clip(ring.T, 0, SIDE).round(3)


def write_export(folder: Path, images: int) -> Path:
    """Writes an export of one split: one JPEG under many names, 10 polygons on each.

    A process of its own does it, so that the peak memory here is that of what is
    measured.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_write_export, folder, images).result()
    return folder


def _write_export(folder: Path, images: int) -> None:
    random = np.random.default_rng(7)
    folder.mkdir(parents=True)
    picture = folder / "picture.tmp.jpg"
    cv2.imwrite(str(picture), random.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
    categories = [
        {"id": 0, "name": "object", "supercategory": "none"},
        {"id": 1, "name": "blob", "supercategory": "object"},
        {"id": 2, "name": "spot", "supercategory": "object"},
    ]
    names = [f"{number:06}_jpg.rf.{number:032x}.jpg" for number in range(images)]
    for number, name in enumerate(names):
        # A file of ext4 has at most 65,000 names.
        if number % 50_000 == 0:
            shutil.copy(picture, folder / name)
            linked = folder / name
        else:
            os.link(linked, folder / name)
    picture.unlink()
    size = {"width": SIDE, "height": SIDE}
    entries = (
        {"id": number, "file_name": name, **size} for number, name in enumerate(names)
    )
    # Written as it is made: a million annotations do not fit into memory.
    with open(folder / "_annotations.coco.json", "w") as file:
        file.write('{"info": {}, "licenses": [], "categories": ')
        file.write(json.dumps(categories))
        for name, values in (
            ("images", entries),
            ("annotations", _annotations(images, random)),
        ):
            file.write(f', "{name}": [')
            for place, value in enumerate(values):
                file.write(("," if place else "") + json.dumps(value))
            file.write("]")
        file.write("}")


def _annotations(images: int, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    for number in range(images * POLYGONS):
        ring = blob(random)
        low, size = ring.min(axis=0), np.ptp(ring, axis=0)
        yield {
            "id": number,
            "image_id": number // POLYGONS,
            "category_id": 1 + number % 2,
            "bbox": [*low.tolist(), *size.tolist()],
            "area": float(size.prod()),
            "segmentation": [ring.ravel().tolist()],
            "iscrowd": 0,
        }


def seconds(function: Callable[[], Any]) -> float:
    """Returns how long a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def median_seconds(function: Callable[[], Any], runs: int) -> float:
    """Returns the median of several calls; the machine is noisy."""
    return statistics.median(seconds(function) for _ in range(runs))


def medians_in_turns(
    functions: Sequence[Callable[[], Any]],
    runs: int,
    *,
    undo: Callable[[], Any] = lambda: None,
) -> list[float]:
    """Returns the median of each of several functions, called in turns.

    Args:
        functions: what is measured
        runs: how often each is called
        undo: called after each call, so that all begin with the same
    """
    taken = [[_undone(function, undo) for function in functions] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def _undone(function: Callable[[], Any], undo: Callable[[], Any]) -> float:
    taken = seconds(function)
    undo()
    return taken


def peak_megabytes() -> float:
    """Returns the largest memory that this process has had, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's `ru_maxrss` begins with that of the process that started this one.
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Prints rows of the same columns below their names."""
    columns = list(rows[0])
    texts = [columns, *([str(row[column]) for column in columns] for row in rows)]
    widths = [max(len(text[i]) for text in texts) for i in range(len(columns))]
    for text in texts:
        print("  ".join(t.ljust(w) for t, w in zip(text, widths, strict=True)))
